package rotation

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

func TestViewSaysWhyItsScheduleCannotBeRead(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		view View
		code string
	}{
		{View{Mirror: entry.Mirror{RotationPeriod: "30d", ExpiresIn: "90d"}}, ""},
		{View{Mirror: entry.Mirror{RotationPeriod: "monthly", ExpiresIn: "90d"}}, "PS311"},
		{View{Problem: &entry.MirrorError{Key: "paistrike_created_at"}}, "PS311"},
		{View{Problem: &entry.SchemaError{Version: 2}}, "PS212"},
	} {
		_, policy, err := tt.view.Schedule(home)
		code := ""
		if e, ok := errors.AsType[*Error](err); ok {
			code = e.Code
		}
		if code != tt.code || (err != nil) != (policy == schedule.Policy{}) {
			t.Errorf("%+v: %v", tt.view, err)
		}
	}
}

// A scheduler names the entry and the policy. All else is the record's.
func TestSchedulerInheritsFromTheRecord(t *testing.T) {
	t.Parallel()
	at := entry.Location{Mount: "secret", Path: "ci/paistrike"}
	mirrored := func(of int) func(*observation) {
		return func(o *observation) {
			o.at, o.entry.Mirror = at, entry.Mirror{Of: of, Key: "api_key", TokenName: o.entry.Record.TokenName}
			o.entry.Record.Key = "api_key"
		}
	}
	request := Request{At: at, Policy: policy()}
	got := seen(mirrored(3)).inherit(request)
	if got.At.Key != "api_key" || got.Label != "CI" || got.Owner != "resource-1" || got.intent() != asked().intent() {
		t.Errorf("a request without anything became %+v", got)
	}
	if late := seen(mirrored(2)).inherit(request); late.intent() == asked().intent() {
		t.Error("a policy of another version's mirror passes for what the record was minted for")
	}
	lost := seen(mirrored(3), broken(entry.Deleted), func(o *observation) {
		o.entry.Mirror = entry.Mirror{Key: "api_key", TokenName: tokenFor("CI", 2).Name}
	})
	if got := lost.inherit(request); got.At.Key != "api_key" || got.Label != "CI" || got.Owner != "" {
		t.Errorf("without a record, a request became %+v", got)
	}
	if got := seen().inherit(asked()); cmp.Diff(asked(), got, cmp.AllowUnexported(Request{}, schedule.Cron{})) != "" {
		t.Errorf("a whole request became %+v", got)
	}
}

// A record that only a newer release understands is not touched, whoever asks.
func TestRecordOfANewerReleaseIsLeftAlone(t *testing.T) {
	t.Parallel()
	for _, change := range []func(*Request){
		func(*Request) {}, rotateFor(schedule.ReasonForced, ""), func(r *Request) { r.Adopt = true },
	} {
		o := seen(foreign, func(o *observation) {
			o.kind, o.entry.Problem = kindBroken, &entry.SchemaError{Version: 2}
			o.tokens = []paistrike.Token{tokenFor("CI", 2)}
		})
		if got := outcomeOf(decide(o, asked(change))); got.Err != "PS212" || got.Rotate {
			t.Errorf("decided %+v", got)
		}
	}
}
