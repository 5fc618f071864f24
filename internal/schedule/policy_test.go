package schedule_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

func TestPolicyDefaults(t *testing.T) {
	t.Parallel()
	const life90 = 90 * day
	end := time.Date(2027, time.January, 31, 0, 0, 0, 0, time.UTC)
	weekly, daily, hourly := cron(t, "17 3 * * 1"), cron(t, "17 3 * * *"), cron(t, "17 * * * *")
	rotate := schedule.OnRevokedRotate
	for _, tt := range []struct {
		name     string
		in, want schedule.Policy
	}{
		{"90 days", schedule.Policy{Lifetime: life90}, schedule.Policy{Lifetime: life90, Overlap: day, BeforeExpiry: 30 * day, OnRevoked: rotate}},
		{"10 days", schedule.Policy{Lifetime: 10 * day}, schedule.Policy{Lifetime: 10 * day, Overlap: day, BeforeExpiry: 80 * time.Hour, OnRevoked: rotate}},
		{"1 hour", schedule.Policy{Lifetime: time.Hour}, schedule.Policy{Lifetime: time.Hour, Overlap: 20 * time.Minute, BeforeExpiry: 40 * time.Minute, OnRevoked: rotate}},
		{"2 seconds", schedule.Policy{Lifetime: 2 * time.Second}, schedule.Policy{Lifetime: 2 * time.Second, Overlap: time.Second, BeforeExpiry: time.Second, OnRevoked: rotate}},
		{"never", schedule.Policy{Never: true}, schedule.Policy{Never: true, Overlap: day, OnRevoked: rotate}},
		{"fixed end", schedule.Policy{ExpiresAt: end}, schedule.Policy{ExpiresAt: end, Overlap: day, OnRevoked: rotate}},

		{
			"overlap given: expiry keeps twice of it",
			schedule.Policy{Lifetime: 10 * day, Overlap: 3 * day},
			schedule.Policy{Lifetime: 10 * day, Overlap: 3 * day, BeforeExpiry: 6 * day, OnRevoked: rotate},
		},
		{
			"overlap given: never due when new",
			schedule.Policy{Lifetime: 10 * day, Overlap: 6 * day},
			schedule.Policy{Lifetime: 10 * day, Overlap: 6 * day, BeforeExpiry: 160 * time.Hour, OnRevoked: rotate},
		},
		{
			"short period",
			schedule.Policy{Lifetime: life90, Period: 6 * time.Hour},
			schedule.Policy{Lifetime: life90, Period: 6 * time.Hour, Overlap: 2 * time.Hour, BeforeExpiry: 30 * day, OnRevoked: rotate},
		},
		{
			"long period",
			schedule.Policy{Never: true, Period: 30 * day},
			schedule.Policy{Never: true, Period: 30 * day, Overlap: day, OnRevoked: rotate},
		},
		{
			"weekly",
			schedule.Policy{Lifetime: life90, Schedule: weekly},
			schedule.Policy{Lifetime: life90, Schedule: weekly, Window: day, Overlap: day, BeforeExpiry: 30 * day, OnRevoked: rotate},
		},
		{
			"daily: an overlap that is over before the next rotation",
			schedule.Policy{Lifetime: life90, Schedule: daily},
			schedule.Policy{Lifetime: life90, Schedule: daily, Window: day, Overlap: 8 * time.Hour, BeforeExpiry: 30 * day, OnRevoked: rotate},
		},
		{
			"hourly, window given",
			schedule.Policy{Lifetime: day, Schedule: hourly, Window: 2 * time.Hour},
			schedule.Policy{Lifetime: day, Schedule: hourly, Window: 2 * time.Hour, Overlap: 20 * time.Minute, BeforeExpiry: 8 * time.Hour, OnRevoked: rotate},
		},
		{
			"everything given",
			schedule.Policy{Lifetime: life90, Period: 30 * day, Window: time.Hour, BeforeExpiry: day, Overlap: time.Minute, OnRevoked: schedule.OnRevokedError, Manual: true},
			schedule.Policy{Lifetime: life90, Period: 30 * day, Window: time.Hour, BeforeExpiry: day, Overlap: time.Minute, OnRevoked: schedule.OnRevokedError, Manual: true},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := tt.in.WithDefaults()
			if got != tt.want {
				t.Errorf("(-want +got):\n%s", cmp.Diff(tt.want, got, sameCron))
			}
			if err := got.Validate(); err != nil {
				t.Errorf("is not valid: %v", err)
			}
			if again := got.WithDefaults(); again != got {
				t.Errorf("filled in twice (-once +twice):\n%s", cmp.Diff(got, again, sameCron))
			}
		})
	}
}

// sameCron lets go-cmp compare schedules.
var sameCron = cmp.Comparer(func(a, b schedule.Cron) bool { return a == b })

func TestPolicyValidate(t *testing.T) {
	t.Parallel()
	weekly := cron(t, "17 3 * * 1")
	for _, tt := range []struct {
		in   schedule.Policy
		want string
	}{
		{schedule.Policy{}, `expires_in: a token needs a lifetime such as "90d", a fixed end, or "never"`},
		{schedule.Policy{Manual: true}, `expires_in: a token needs a lifetime such as "90d", a fixed end, or "never"`},
		{
			schedule.Policy{Lifetime: 10 * day, BeforeExpiry: 10 * day},
			"rotation.before_expiry: 10d is not shorter than the lifetime of 10d: every new token would be due immediately",
		},
		{
			schedule.Policy{Lifetime: time.Second},
			"rotation.before_expiry: 1s is not shorter than the lifetime of 1s: every new token would be due immediately",
		},
		{
			schedule.Policy{Never: true, Period: day, Overlap: day},
			"rotation.overlap: 1d is not shorter than the period of 1d: replaced tokens would pile up",
		},
		{
			schedule.Policy{Lifetime: 36 * time.Hour, Overlap: 36 * time.Hour},
			"rotation.overlap: 36h is not shorter than the lifetime of 36h: the old token expires before its overlap is over",
		},
		{
			schedule.Policy{Lifetime: 10 * day, Period: 10 * day},
			"rotation.period: 10d is not shorter than the lifetime of 10d: the token would expire first",
		},
		{
			schedule.Policy{Lifetime: 10 * day, Period: 9 * day, Jitter: day},
			"rotation.jitter: 1d after a period of 9d is not shorter than the lifetime of 10d: the token could expire first",
		},
		{
			schedule.Policy{Never: true, Schedule: weekly, Window: 2 * time.Hour, Jitter: 2 * time.Hour},
			"rotation.jitter: 2h is not shorter than the window of 2h: some entries would never be due inside it",
		},
		{schedule.Policy{Never: true, Schedule: cron(t, "0 0 31 2 *")}, `rotation.schedule: "0 0 31 2 *" never fires`},
		{
			schedule.Policy{Lifetime: 7 * day, Schedule: weekly},
			`rotation.schedule: "17 3 * * 1" pauses for 7d, which is not shorter than the lifetime of 7d: the token would expire first`,
		},
		{
			schedule.Policy{Lifetime: 365 * day, Schedule: cron(t, "0 0 1 1 *")},
			`rotation.schedule: "0 0 1 1 *" pauses for 366d, which is not shorter than the lifetime of 365d: the token would expire first`,
		},
		{
			schedule.Policy{Never: true, Schedule: weekly, Window: 59 * time.Minute},
			"rotation.window: 59m is shorter than 1h: a scheduled run that starts late would miss it",
		},
		{
			schedule.Policy{Never: true, Schedule: weekly, Overlap: 7 * day},
			"rotation.overlap: 7d is not shorter than the 7d between two rotations: replaced tokens would pile up",
		},
	} {
		t.Run(tt.want, func(t *testing.T) {
			t.Parallel()
			err := tt.in.WithDefaults().Validate()
			var wrong *schedule.PolicyError
			if !errors.As(err, &wrong) || wrong.Error() != tt.want {
				t.Errorf("%v\nwant %s", err, tt.want)
			}
		})
	}
}

// One second inside each limit is valid.
func TestPolicyAtItsLimits(t *testing.T) {
	t.Parallel()
	weekly := cron(t, "17 3 * * 1")
	for name, p := range map[string]schedule.Policy{
		"before_expiry and lifetime": {Lifetime: 10 * day, BeforeExpiry: 10*day - time.Second},
		"overlap and period":         {Never: true, Period: day, Overlap: day - time.Second},
		"overlap and lifetime":       {Lifetime: 10 * day, Overlap: 10*day - time.Second},
		"period and lifetime":        {Lifetime: 10 * day, Period: 10*day - time.Second},
		"schedule and lifetime":      {Lifetime: 7*day + time.Second, Schedule: weekly},
		"jitter and lifetime":        {Lifetime: 10 * day, Period: 9 * day, Jitter: day - time.Second},
		"jitter and window":          {Never: true, Schedule: weekly, Jitter: day - time.Second},
		"window":                     {Never: true, Schedule: weekly, Window: time.Hour},
		"overlap and schedule":       {Never: true, Schedule: weekly, Overlap: 7*day - time.Second},
		"manual: nothing by time":    {Lifetime: day, BeforeExpiry: 2 * day, Overlap: 3 * day, Period: 4 * day, Manual: true},
	} {
		if err := p.WithDefaults().Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestExpiry(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, time.January, 5, 10, 0, 0, 999, time.FixedZone("CET", 3600))
	end := time.Date(2027, time.January, 31, 1, 0, 0, 0, time.FixedZone("CET", 3600))
	for name, tt := range map[string]struct {
		in   schedule.Policy
		want time.Time
	}{
		"lifetime": {schedule.Policy{Lifetime: day}, time.Date(2026, time.January, 6, 9, 0, 0, 0, time.UTC)},
		"never":    {schedule.Policy{Never: true}, time.Time{}},
		"fixed":    {schedule.Policy{ExpiresAt: end}, time.Date(2027, time.January, 31, 0, 0, 0, 0, time.UTC)},
	} {
		if got := tt.in.Expiry(now); got != tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}

// policies returns every policy that a user can write, valid or not, with omitted settings
// filled in.
func policies() *rapid.Generator[schedule.Policy] {
	return rapid.Custom(func(t *rapid.T) schedule.Policy {
		p := schedule.Policy{Manual: rapid.IntRange(0, 9).Draw(t, "manual") == 0}
		switch rapid.SampledFrom([]string{"lifetime", "lifetime", "lifetime", "never", "fixed"}).Draw(t, "expiry") {
		case "lifetime":
			p.Lifetime = durations().Draw(t, "lifetime")
		case "never":
			p.Never = true
		case "fixed":
			p.ExpiresAt = firstDay.Add(durations().Draw(t, "end"))
		}
		optional := func(label string) time.Duration {
			if rapid.Bool().Draw(t, label+" is given") {
				return durations().Draw(t, label)
			}
			return 0
		}
		p.Overlap = optional("overlap")
		if p.Lifetime > 0 {
			p.BeforeExpiry = optional("before_expiry")
		}
		switch rapid.SampledFrom([]string{"period", "schedule", "expiry"}).Draw(t, "rhythm") {
		case "period":
			p.Period = durations().Draw(t, "period")
		case "schedule":
			p.Schedule = cron(t, rapid.OneOf(rapid.SampledFrom(schedules), expressions()).Draw(t, "schedule"))
			p.Window = optional("window")
		}
		p.Jitter = optional("jitter")
		return p.WithDefaults()
	})
}

// validPolicies returns the valid ones.
func validPolicies() *rapid.Generator[schedule.Policy] {
	return policies().Filter(func(p schedule.Policy) bool { return p.Validate() == nil })
}

// A new token is not due, and becomes due before it expires.
func TestNewTokenIsNotDueAndNeverForgotten(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := validPolicies().Draw(t, "policy")
		now := firstDay.Add(time.Duration(rapid.Int64Range(0, 4*365*86400).Draw(t, "seconds")) * time.Second)
		f := schedule.Facts{CreatedAt: now, ExpiresAt: p.Expiry(now)}
		if v := schedule.Evaluate(now, f, p); v.Due {
			t.Fatalf("a new token is due: %+v", v)
		}
		if p.Manual || p.Lifetime == 0 {
			return
		}
		if v := schedule.Evaluate(f.ExpiresAt.Add(-time.Second), f, p); !v.Due {
			t.Fatalf("a second before it expires it is not due: %+v", v)
		}
	})
}

func TestValidateIsQuick(t *testing.T) {
	t.Parallel()
	for _, expr := range []string{"* * * * *", "17 3 * * 1", "0 0 29 2 *", "0 0 31 2 *"} {
		p := schedule.Policy{Never: true, Schedule: cron(t, expr)}.WithDefaults()
		best := time.Hour
		for range 5 { // the machine may be busy
			start := time.Now()
			_ = p.Validate()
			best = min(best, time.Since(start))
		}
		if best > 50*time.Millisecond {
			t.Errorf("judging %s took %v", expr, best)
		}
	}
}
