package provider

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

var nine = time.Date(2026, time.January, 5, 9, 0, 0, 0, time.UTC)

// An observation is decoded unchanged, and its encoding is as short as possible.
func TestWhatWasSeenIsStoredInItsShortestForm(t *testing.T) {
	t.Parallel()
	for name, story := range map[string]struct {
		seen observed
		want string
	}{
		"nothing but the time":    {observed{Rotate: nine, Revoke: nine}, `{"at":1767603600}`},
		"clocks that disagree":    {observed{Rotate: nine, Revoke: nine.Add(-3 * time.Second)}, `{"at":1767603600,"revoke":1767603597}`},
		"a clock that is unknown": {observed{Rotate: nine}, `{"at":1767603600,"revoke":-62135596800}`},
		"facts": {observed{Rotate: nine, Revoke: nine, Unhealthy: schedule.ReasonRevoked, Held: true, Strays: 2},
			`{"at":1767603600,"unhealthy":"revoked","held":true,"strays":2}`},
		"another owner": {observed{Rotate: nine, Revoke: nine, Taken: &taken{Owner: "o", Gen: 2, TokenID: "i", TokenName: "n"}},
			`{"at":1767603600,"taken":{"owner":"o","gen":2,"token_id":"i","token_name":"n"}}`},
	} {
		raw, err := json.Marshal(story.seen)
		if err != nil || string(raw) != story.want {
			t.Errorf("%s: %s, %v", name, raw, err)
		}
		var back observed
		if err := json.Unmarshal(raw, &back); err != nil || !reflect.DeepEqual(back, story.seen) {
			t.Errorf("%s: read back as %+v, %v", name, back, err)
		}
	}
}

// The state contains the time of the token's creation. A stamp is written only if it adds
// information.
func TestStampIsLeftOutWhileTheStateSaysAsMuch(t *testing.T) {
	t.Parallel()
	state := apiTokenModel{CreatedAt: types.StringValue("2026-01-05T09:00:00Z")}
	at := func(d time.Duration) observed { return observed{Rotate: nine.Add(d), Revoke: nine.Add(d)} }
	if at(59*time.Minute).stamp(state) != nil {
		t.Error("a time within the hour is stamped")
	}
	held, late := at(0), at(61*time.Minute)
	held.Held = true
	early := observed{Rotate: nine, Revoke: nine.Add(-2 * time.Hour)}
	for _, o := range []observed{held, late, early} {
		if got := o.stamp(state); got == nil || *got != o {
			t.Errorf("%+v is not stamped, but %v", o, got)
		}
	}
	if got := (observed{}).or(state); got != at(0) {
		t.Errorf("without a stamp the time is %v", got)
	}
	if got := late.or(state); got != late {
		t.Errorf("a stamp became %v", got)
	}
}
