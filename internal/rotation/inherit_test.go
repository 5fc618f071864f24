package rotation

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

func TestSightSaysWhyItsScheduleCannotBeRead(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		glance entry.Glance
		code   string
	}{
		{entry.Glance{Mirror: entry.Mirror{Schedule: schedule.Schedule{Period: "30d", ExpiresIn: "90d"}}}, ""},
		{entry.Glance{Mirror: entry.Mirror{Schedule: schedule.Schedule{Period: "monthly", ExpiresIn: "90d"}}}, "PS317"},
		{entry.Glance{Problem: &entry.MirrorError{Key: "paistrike_created_at"}}, "PS317"},
		{entry.Glance{Problem: &entry.SchemaError{Version: 2}}, "PS212"},
		{entry.Glance{Managed: true, Slots: []string{ourSlot}, Mirror: entry.Mirror{Slot: "aaaaaaaaaaaa"}}, "PS213"},
	} {
		_, policy, err := Sight{At: home, Glance: tt.glance}.Schedule()
		code := ""
		if e, ok := errors.AsType[*Error](err); ok {
			code = e.Code
		}
		if code != tt.code || (err != nil) != (policy == schedule.Policy{}) {
			t.Errorf("%+v: %v", tt.glance, err)
		}
	}
}

// A scheduled run names only the entry. Everything else comes from the record and not from
// metadata, because permission to write metadata must not be enough to decide what is
// minted.
func TestSchedulerInheritsFromTheRecord(t *testing.T) {
	t.Parallel()
	at := entry.Location{Mount: "secret", Path: "ci/paistrike"}
	forged := func(o *observation) {
		o.At, o.Mirror = at, entry.Mirror{Of: 3, Key: "other", TokenName: "CD", ExpiresAt: born, Schedule: schedule.Schedule{ExpiresIn: "never", Overlap: "1s"}}
		o.record().Key, o.record().Schedule = "api_key", schedule.Schedule{ExpiresIn: "90d", Period: "30d", Overlap: "1d"}
	}
	got, err := seen(forged).inherit(Request{At: at, Stored: true})
	if err != nil || got.At.Key != "other" && got.At.Key != "api_key" || got.Label != "CI" || got.Owner != "resource-1" || got.intent() != asked().intent() ||
		got.Policy.Never || got.Policy.Lifetime != 90*schedule.Day || got.Policy.Overlap != schedule.Day {
		t.Errorf("a request without anything became %+v, %v", got, err)
	}
	lost, err := seen(forged, broken(entry.Deleted), func(o *observation) {
		o.Mirror = entry.Mirror{Key: "api_key", TokenName: tokenFor("CI", 3).Name, Schedule: schedule.Schedule{ExpiresIn: "90d"}}
	}).inherit(Request{At: at, Stored: true})
	if err != nil || lost.At.Key != "api_key" || lost.Label != "CI" || lost.Owner != "" {
		t.Errorf("without a record, a request became %+v, %v", lost, err)
	}
	unreadable := seen(func(o *observation) { o.record().Schedule.Period = "monthly" })
	if _, err := unreadable.inherit(Request{At: at, Stored: true}); err == nil {
		t.Error("a schedule that cannot be read is acted on")
	}
	if got, err := seen().inherit(asked()); err != nil || cmp.Diff(asked(), got, cmp.AllowUnexported(Request{}, schedule.Cron{})) != "" {
		t.Errorf("a whole request became %+v, %v", got, err)
	}
}

// A record that only a newer release understands is not changed by any request.
func TestRecordOfANewerReleaseIsLeftAlone(t *testing.T) {
	t.Parallel()
	for _, change := range []func(*Request){
		func(*Request) {}, rotateFor(schedule.ReasonForced, ""), func(r *Request) { r.Adopt = true },
	} {
		o := seen(foreign, func(o *observation) {
			o.kind, o.version.Problem = kindBroken, &entry.SchemaError{Version: 2}
			o.Tokens = []paistrike.Token{tokenFor("CI", 3)}
		})
		if got := outcomeOf(decide(o, asked(change))); got.Err != "PS212" || got.Rotate {
			t.Errorf("decided %+v", got)
		}
	}
}
