package rotation

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/vaultkv"
)

func TestScheduleIsReadAsThePolicyThatWroteIt(t *testing.T) {
	t.Parallel()
	end := born.Add(90 * day)
	for _, tt := range []struct {
		name string
		text ScheduleText
		want Policy
	}{
		{
			"a period", ScheduleText{Period: "30d", BeforeExpiry: "14d", Overlap: "24h", ExpiresIn: "90d"},
			Policy{Lifetime: 90 * day, Period: 30 * day, BeforeExpiry: 14 * day, Overlap: day, OnRevoked: OnRevokedRotate},
		},
		{
			"a schedule", ScheduleText{Schedule: "17 3 * * 1", Window: "6h", Overlap: "12h", Jitter: "1h", RetireWhenIdle: true, OnRevoked: "error", ExpiresIn: "90d"},
			Policy{Lifetime: 90 * day, Schedule: cron(t, "17 3 * * 1"), Window: 6 * time.Hour, BeforeExpiry: 30 * day, Overlap: 12 * time.Hour, Jitter: time.Hour, RetireWhenIdle: true, OnRevoked: OnRevokedError},
		},
		{
			"what is left out has its default", ScheduleText{Period: "30d", ExpiresIn: "never"},
			Policy{Never: true, Period: 30 * day, Overlap: day, OnRevoked: OnRevokedRotate},
		},
		{"a fixed end", ScheduleText{Overlap: "1d"}, Policy{ExpiresAt: end, Overlap: day, OnRevoked: OnRevokedRotate}},
		{
			"no rotation block", ScheduleText{ExpiresIn: "90d"},
			Policy{Lifetime: 90 * day, BeforeExpiry: 30 * day, Overlap: day, OnRevoked: OnRevokedRotate, Manual: true},
		},
		{"an entry that is being given up", ScheduleText{}, Policy{ExpiresAt: end, Overlap: day, OnRevoked: OnRevokedRotate, Manual: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := tt.text.Policy(end)
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(Cron{})); err != nil || diff != "" {
				t.Errorf("error %v, difference %s", err, diff)
			}
		})
	}
}

func cron(t *testing.T, expr string) Cron {
	t.Helper()
	c, err := ParseCron(expr)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// A schedule that is not understood word for word is none: half a policy could
// revoke what is in use.
func TestScheduleThatCannotBeRead(t *testing.T) {
	t.Parallel()
	good := ScheduleText{Period: "30d", Overlap: "24h", ExpiresIn: "90d"}
	for _, tt := range []struct {
		setting string
		spoil   func(*ScheduleText)
	}{
		{"expires_in", func(s *ScheduleText) { s.ExpiresIn = "soon" }},
		{"expires_in", func(s *ScheduleText) { s.ExpiresIn = "" }},
		{"rotation.period", func(s *ScheduleText) { s.Period = "-1d" }},
		{"rotation.period", func(s *ScheduleText) { s.Period = "120d" }},
		{"rotation.window", func(s *ScheduleText) { s.Window = "1" }},
		{"rotation.before_expiry", func(s *ScheduleText) { s.BeforeExpiry = "90d" }},
		{"rotation.overlap", func(s *ScheduleText) { s.Overlap = strings.Repeat("9", 512) }},
		{"rotation.overlap", func(s *ScheduleText) { s.Overlap = "31d" }},
		{"rotation.jitter", func(s *ScheduleText) { s.Jitter = "1d1d" }},
		{"rotation.schedule", func(s *ScheduleText) { s.Period, s.Schedule = "", "@daily" }},
		{"rotation.schedule", func(s *ScheduleText) { s.Period, s.Schedule = "", "TZ=0 * * * * *" }},
		{"rotation.schedule", func(s *ScheduleText) { s.Period, s.Schedule = "", "0 0 31 2 *" }},
		{"rotation.on_revoked", func(s *ScheduleText) { s.OnRevoked = "delete" }},
	} {
		text := good
		tt.spoil(&text)
		_, err := text.Policy(time.Time{})
		if wrong, ok := errors.AsType[*PolicyError](err); !ok || wrong.Setting != tt.setting {
			t.Errorf("%+v: %v, want an error about %s", text, err, tt.setting)
		}
	}
}

// What custom metadata says of a view is a policy, or an error to show.
func TestViewSaysWhyItsScheduleCannotBeRead(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		view View
		code string
	}{
		{View{Mirror: vaultkv.Mirror{RotationPeriod: "30d", ExpiresIn: "90d"}}, ""},
		{View{Mirror: vaultkv.Mirror{RotationPeriod: "monthly", ExpiresIn: "90d"}}, "PS311"},
		{View{Problem: &vaultkv.MirrorError{Key: "paistrike_created_at"}}, "PS311"},
		{View{Problem: &vaultkv.SchemaError{Version: 2}}, "PS212"},
	} {
		_, policy, err := tt.view.Schedule(entry)
		code := ""
		if e, ok := errors.AsType[*Error](err); ok {
			code = e.Code
		}
		if code != tt.code || (err != nil) != (policy == Policy{}) {
			t.Errorf("%+v: %v", tt.view, err)
		}
	}
}

// A scheduler names the entry and the policy. All else is the record's.
func TestSchedulerInheritsFromTheRecord(t *testing.T) {
	t.Parallel()
	at := vaultkv.Location{Mount: "secret", Path: "ci/paistrike"}
	mirrored := func(of int) func(*observation) {
		return func(o *observation) {
			o.at, o.entry.Mirror = at, vaultkv.Mirror{Of: of, Key: "api_key", TokenName: o.entry.Record.TokenName}
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
	lost := seen(mirrored(3), broken(vaultkv.Deleted), func(o *observation) {
		o.entry.Mirror = vaultkv.Mirror{Key: "api_key", TokenName: tokenFor("CI", 2).Name}
	})
	if got := lost.inherit(request); got.At.Key != "api_key" || got.Label != "CI" || got.Owner != "" {
		t.Errorf("without a record, a request became %+v", got)
	}
	if got := seen().inherit(asked()); cmp.Diff(asked(), got, cmp.AllowUnexported(Request{}, Cron{})) != "" {
		t.Errorf("a whole request became %+v", got)
	}
}

// A record that only a newer release understands is not touched, whoever asks.
func TestRecordOfANewerReleaseIsLeftAlone(t *testing.T) {
	t.Parallel()
	for _, change := range []func(*Request){
		func(*Request) {}, rotateFor(ReasonForced, ""), func(r *Request) { r.Adopt = true },
	} {
		o := seen(foreign, func(o *observation) {
			o.kind, o.entry.Problem = kindBroken, &vaultkv.SchemaError{Version: 2}
			o.tokens = []paistrike.Token{tokenFor("CI", 2)}
		})
		if got := outcomeOf(decide(o, asked(change))); got.Err != "PS212" || got.Rotate {
			t.Errorf("decided %+v", got)
		}
	}
}

// Whatever stands in custom metadata is a sound policy or an error; what is read decides
// without a panic.
func FuzzScheduleText(f *testing.F) {
	f.Add("30d", "", "", "14d", "24h", "", "90d", "")
	f.Add("", "17 3 * * 1", "6h", "", "12h", "1h", "never", "error")
	f.Add("9999999d", "TZ=0 * * * *", "-1h", "1ns", "0", "1d1d", "soon", "delete")
	f.Fuzz(func(t *testing.T, period, schedule, window, before, overlap, jitter, in, onRevoked string) {
		text := ScheduleText{
			Period: period, Schedule: schedule, Window: window, BeforeExpiry: before, Overlap: overlap, Jitter: jitter, ExpiresIn: in, OnRevoked: onRevoked,
		}
		policy, err := text.Policy(born.Add(90 * day))
		if err != nil {
			return
		}
		if problem := policy.Validate(); problem != nil || policy.Overlap <= 0 {
			t.Fatalf("%+v became %+v: %v", text, policy, problem)
		}
		for _, now := range []time.Time{born, today, born.Add(365 * day)} {
			Evaluate(now, Facts{CreatedAt: born, ExpiresAt: policy.Expiry(born), Slot: ourSlot}, policy)
		}
	})
}
