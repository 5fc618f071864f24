package schedule

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestScheduleIsReadAsThePolicyThatWroteIt(t *testing.T) {
	t.Parallel()
	end := born.Add(90 * Day)
	for _, tt := range []struct {
		name string
		text Schedule
		want Policy
	}{
		{
			"a period", Schedule{Period: "30d", BeforeExpiry: "14d", Overlap: "24h", ExpiresIn: "90d"},
			Policy{Lifetime: 90 * Day, Period: 30 * Day, BeforeExpiry: 14 * Day, Overlap: Day, OnRevoked: OnRevokedRotate},
		},
		{
			"a schedule", Schedule{Cron: "17 3 * * 1", Window: "6h", Overlap: "12h", Jitter: "1h", RetireIdle: "true", OnRevoked: "error", ExpiresIn: "90d"},
			Policy{Lifetime: 90 * Day, Schedule: cron(t, "17 3 * * 1"), Window: 6 * time.Hour, BeforeExpiry: 30 * Day, Overlap: 12 * time.Hour, Jitter: time.Hour, RetireWhenIdle: true, OnRevoked: OnRevokedError},
		},
		{
			"what is left out has its default", Schedule{Period: "30d", ExpiresIn: "never"},
			Policy{Never: true, Period: 30 * Day, Overlap: Day, OnRevoked: OnRevokedRotate},
		},
		{"a fixed end", Schedule{Overlap: "1d"}, Policy{ExpiresAt: end, Overlap: Day, OnRevoked: OnRevokedRotate}},
		{
			"no rotation block", Schedule{ExpiresIn: "90d"},
			Policy{Lifetime: 90 * Day, BeforeExpiry: 30 * Day, Overlap: Day, OnRevoked: OnRevokedRotate, Manual: true},
		},
		{"an entry that is being given up", Schedule{}, Policy{ExpiresAt: end, Overlap: Day, OnRevoked: OnRevokedRotate, Manual: true}},
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
	good := Schedule{Period: "30d", Overlap: "24h", ExpiresIn: "90d"}
	for _, tt := range []struct {
		setting string
		spoil   func(*Schedule)
	}{
		{"expires_in", func(s *Schedule) { s.ExpiresIn = "soon" }},
		{"expires_in", func(s *Schedule) { s.ExpiresIn = "" }},
		{"rotation.period", func(s *Schedule) { s.Period = "-1d" }},
		{"rotation.period", func(s *Schedule) { s.Period = "120d" }},
		{"rotation.window", func(s *Schedule) { s.Window = "1" }},
		{"rotation.before_expiry", func(s *Schedule) { s.BeforeExpiry = "90d" }},
		{"rotation.overlap", func(s *Schedule) { s.Overlap = strings.Repeat("9", 512) }},
		{"rotation.overlap", func(s *Schedule) { s.Overlap = "31d" }},
		{"rotation.jitter", func(s *Schedule) { s.Jitter = "1d1d" }},
		{"rotation.schedule", func(s *Schedule) { s.Period, s.Cron = "", "@daily" }},
		{"rotation.schedule", func(s *Schedule) { s.Period, s.Cron = "", "TZ=0 * * * * *" }},
		{"rotation.schedule", func(s *Schedule) { s.Period, s.Cron = "", "0 0 31 2 *" }},
		{"rotation.timezone", func(s *Schedule) { s.Period, s.Cron, s.Timezone = "", "0 3 * * *", "Berlin" }},
		{"rotation.timezone", func(s *Schedule) { s.Period, s.Cron, s.Timezone = "", "0 3 * * *", "Local" }},
		{"rotation.timezone", func(s *Schedule) { s.Period, s.Cron, s.Timezone = "", "0 3 * * *", "../UTC" }},
		{"rotation.on_revoked", func(s *Schedule) { s.OnRevoked = "delete" }},
	} {
		text := good
		tt.spoil(&text)
		_, err := text.Checked(time.Time{})
		if wrong, ok := errors.AsType[*PolicyError](err); !ok || wrong.Setting != tt.setting {
			t.Errorf("%+v: %v, want an error about %s", text, err, tt.setting)
		}
	}
}

// Whatever stands in custom metadata is a sound policy or an error; what is read decides
// without a panic.
func FuzzSchedule(f *testing.F) {
	f.Add("30d", "", "", "", "14d", "24h", "", "90d", "")
	f.Add("", "17 3 * * 1", "Europe/Berlin", "6h", "", "12h", "1h", "never", "error")
	f.Add("9999999d", "TZ=0 * * * *", "Local", "-1h", "1ns", "0", "1d1d", "soon", "delete")
	f.Fuzz(func(t *testing.T, period, expr, zone, window, before, overlap, jitter, in, onRevoked string) {
		text := Schedule{
			Period: period, Cron: expr, Timezone: zone, Window: window, BeforeExpiry: before, Overlap: overlap, Jitter: jitter, ExpiresIn: in, OnRevoked: onRevoked,
		}
		policy, err := text.Checked(born.Add(90 * Day))
		if err != nil {
			return
		}
		if problem := policy.Validate(); problem != nil || policy.Overlap <= 0 {
			t.Fatalf("%+v became %+v: %v", text, policy, problem)
		}
		for _, now := range []time.Time{born, firstTick, born.Add(365 * Day)} {
			Evaluate(now, Facts{CreatedAt: born, ExpiresAt: policy.Expiry(born), Slot: testSlot}, policy)
		}
	})
}
