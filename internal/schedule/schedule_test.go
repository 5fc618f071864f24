package schedule

import (
	"errors"
	"reflect"
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

// A schedule that is not understood completely is rejected: half a policy could revoke a
// token in use.
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

// Any custom metadata is a valid policy or an error, and evaluating it never panics.
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

// One table drives encoding, decoding, clearing and comparing. A setting that is not in it
// would be lost in a store.
func TestFieldsAreAllThereIs(t *testing.T) {
	t.Parallel()
	var s Schedule
	keys := map[string]bool{}
	for _, field := range s.Fields() {
		if field.Key == "" || keys[field.Key] {
			t.Errorf("the key %q stands twice", field.Key)
		}
		keys[field.Key] = true
		*field.Value = field.Key
	}
	value := reflect.ValueOf(s)
	for i := range value.NumField() {
		if value.Field(i).String() == "" {
			t.Errorf("%s is in no field", value.Type().Field(i).Name)
		}
	}
	if len(keys) != value.NumField() {
		t.Errorf("%d fields of %d settings", len(keys), value.NumField())
	}
}

// A record contains every default, and is parsed as the same policy again.
func TestCompleteWritesDefaultsOut(t *testing.T) {
	t.Parallel()
	for _, user := range []Schedule{
		{Period: "30d", ExpiresIn: "90d"},
		{Cron: "17 3 * * 1", Timezone: "Europe/Berlin", ExpiresIn: "90d"},
		{Period: "30d", ExpiresIn: "never", OnRevoked: "rotate", RetireIdle: "true"},
		{ExpiresIn: "90d"},
		{Overlap: "36h"},
	} {
		end := born.Add(90 * Day)
		text, policy, err := user.Complete(end)
		if err != nil {
			t.Fatal(err)
		}
		again, err := text.Policy(end)
		if diff := cmp.Diff(policy, again, cmp.AllowUnexported(Cron{}), cmp.Comparer(sameZone)); err != nil || diff != "" {
			t.Errorf("%+v became %+v: %v %s", user, text, err, diff)
		}
		if text.Overlap == "" || text.OnRevoked == "rotate" || !text.Scheduled() {
			t.Errorf("%+v became %+v", user, text)
		}
		if twice, _, err := text.Complete(end); err != nil || twice != text {
			t.Errorf("%+v became %+v", text, twice)
		}
	}
}

func sameZone(a, b *time.Location) bool { return a.String() == b.String() }

// Timing keeps the settings that determine when a token is due, and drops those about what
// is minted or how long the old one overlaps.
func TestTimingOfASchedule(t *testing.T) {
	t.Parallel()
	var full Schedule
	for _, field := range full.Fields() {
		*field.Value = field.Key
	}
	want := full
	want.ExpiresIn, want.Overlap, want.OnRevoked, want.RetireIdle = "", "", "", ""
	if got := full.Timing(); got != want {
		t.Errorf("%+v", got)
	}
}
