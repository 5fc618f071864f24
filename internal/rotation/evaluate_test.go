package rotation_test

import (
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
)

// Most stories are of a token of 90 days, made on Monday 5 January 2026 at 09:00.
var (
	made    = rotation.Facts{CreatedAt: firstDay, ExpiresAt: firstDay.Add(90 * day)}
	forever = rotation.Facts{CreatedAt: firstDay}
)

// on gives a moment of 2026.
func on(month time.Month, dayOfMonth, hour, minute int) time.Time {
	return time.Date(2026, month, dayOfMonth, hour, minute, 0, 0, time.UTC)
}

// due is the verdict on a token that is due.
func due(reason rotation.Reason, since, deadline time.Time) rotation.Verdict {
	return rotation.Verdict{Due: true, Reason: reason, Next: since, Deadline: deadline}
}

// missed is the same verdict after windows have passed.
func missed(windows int, v rotation.Verdict) rotation.Verdict {
	v.MissedWindows = windows
	return v
}

func TestEvaluate(t *testing.T) {
	t.Parallel()
	var (
		life     = rotation.Policy{Lifetime: 90 * day, BeforeExpiry: 14 * day, Overlap: day}
		monthly  = rotation.Policy{Lifetime: 90 * day, BeforeExpiry: 14 * day, Overlap: day, Period: 30 * day}
		weekly   = rotation.Policy{Lifetime: 90 * day, BeforeExpiry: 14 * day, Overlap: day, Schedule: cron(t, "17 3 * * 1"), Window: 2 * time.Hour}
		noLonger = rotation.Policy{ExpiresAt: made.ExpiresAt, Period: 30 * day}
		deadline = made.ExpiresAt.Add(-14 * day) // 22 March, 09:00
		second   = time.Second
	)
	manual := monthly
	manual.Manual = true
	unending := rotation.Policy{Never: true, Schedule: weekly.Schedule, Window: 2 * time.Hour}
	unhealthy := made
	unhealthy.Unhealthy = rotation.ReasonDeleted
	fire := on(time.January, 12, 3, 17)

	for _, tt := range []struct {
		name string
		now  time.Time
		f    rotation.Facts
		p    rotation.Policy
		want rotation.Verdict
	}{
		// An unhealthy token is due, whatever the policy says of time.
		{"unhealthy", firstDay, unhealthy, monthly, due(rotation.ReasonDeleted, time.Time{}, deadline)},
		{"unhealthy goes before expired", firstDay.Add(100 * day), unhealthy, monthly, due(rotation.ReasonDeleted, time.Time{}, deadline)},
		{"unhealthy, manual", firstDay, unhealthy, manual, due(rotation.ReasonDeleted, time.Time{}, time.Time{})},
		{"nothing known but that it is gone", firstDay, rotation.Facts{Unhealthy: rotation.ReasonGone}, monthly, due(rotation.ReasonGone, time.Time{}, time.Time{})},

		// An expired one too.
		{"a second before it expires, manual", made.ExpiresAt.Add(-second), made, manual, rotation.Verdict{}},
		{"expires now, manual", made.ExpiresAt, made, manual, due(rotation.ReasonExpired, made.ExpiresAt, time.Time{})},
		{"expired goes before before_expiry", made.ExpiresAt, made, life, due(rotation.ReasonExpired, made.ExpiresAt, deadline)},
		{"expired, though none was asked for", made.ExpiresAt, made, rotation.Policy{Never: true}, due(rotation.ReasonExpired, made.ExpiresAt, time.Time{})},
		{"will expire, though none was asked for", firstDay, made, rotation.Policy{Never: true}, rotation.Verdict{Next: made.ExpiresAt}},

		// Inside before_expiry it is due whatever period and window say.
		{"a second before the deadline", deadline.Add(-second), made, life, rotation.Verdict{Next: deadline, Deadline: deadline}},
		{"at the deadline", deadline, made, life, due(rotation.ReasonBefore, deadline, deadline)},
		{"a second after the deadline", deadline.Add(second), made, life, due(rotation.ReasonBefore, deadline, deadline)},
		{"before_expiry goes before the period", deadline, made, monthly, due(rotation.ReasonBefore, deadline, deadline)},
		{"no deadline without expiry", deadline, forever, life, rotation.Verdict{}},
		{"no deadline where before_expiry is off", deadline, made, rotation.Policy{Lifetime: 90 * day}, rotation.Verdict{Next: made.ExpiresAt}},
		{"the deadline goes before a window that is closed", deadline, made, weekly, missed(10, due(rotation.ReasonBefore, deadline, deadline))},
		{"and before one that is open", on(time.March, 23, 3, 17), made, weekly, missed(10, due(rotation.ReasonBefore, deadline, deadline))},

		// The period.
		{"new", firstDay, made, monthly, rotation.Verdict{Next: firstDay.Add(30 * day), Deadline: deadline}},
		{"a second before the period is over", firstDay.Add(30*day - second), made, monthly, rotation.Verdict{Next: firstDay.Add(30 * day), Deadline: deadline}},
		{"the period is over", firstDay.Add(30 * day), made, monthly, due(rotation.ReasonPeriod, firstDay.Add(30*day), deadline)},
		{"a second after the period is over", firstDay.Add(30*day + second), made, monthly, due(rotation.ReasonPeriod, firstDay.Add(30*day), deadline)},
		{"manual: no time counts", firstDay.Add(89 * day), made, manual, rotation.Verdict{}},

		// The window of a schedule.
		{"a second before the fire", fire.Add(-second), made, weekly, rotation.Verdict{Next: fire, Deadline: deadline}},
		{"the window opens", fire, made, weekly, due(rotation.ReasonSchedule, fire, deadline)},
		{"a second before it closes", fire.Add(2*time.Hour - second), made, weekly, due(rotation.ReasonSchedule, fire, deadline)},
		{"it closes: the next fire counts", fire.Add(2 * time.Hour), made, weekly, missed(1, rotation.Verdict{Next: fire.Add(7 * day), Deadline: deadline})},
		{"the third window is missed", fire.Add(20 * day), made, weekly, missed(3, rotation.Verdict{Next: fire.Add(21 * day), Deadline: deadline})},
		{"the next window opens after a missed one", fire.Add(7 * day), made, weekly, due(rotation.ReasonSchedule, fire.Add(7*day), deadline)},
		{"made at the fire: this window is served", fire, rotation.Facts{CreatedAt: fire}, unending, rotation.Verdict{Next: fire.Add(7 * day)}},
		{"made a second before the fire", fire, rotation.Facts{CreatedAt: fire.Add(-second)}, unending, due(rotation.ReasonSchedule, fire, time.Time{})},
		{"made inside the window", fire.Add(time.Hour), rotation.Facts{CreatedAt: fire.Add(time.Minute)}, unending, rotation.Verdict{Next: fire.Add(7 * day)}},
		{"more missed windows than are counted", firstDay.Add(1000 * day), forever, unending, missed(100, rotation.Verdict{Next: on(time.January, 5, 3, 17).Add(143 * 7 * day)})},

		// No window is left before the deadline.
		{
			"the last window before the deadline is open", on(time.March, 16, 3, 17), made, weekly,
			due(rotation.ReasonSchedule, on(time.March, 16, 3, 17), deadline),
		},
		{
			"it was missed: due at once", on(time.March, 16, 5, 17), made, weekly,
			missed(10, due(rotation.ReasonSchedule, on(time.March, 16, 3, 17), deadline)),
		},
		{
			"none was missed: the deadline will do", on(time.March, 16, 5, 17),
			rotation.Facts{CreatedAt: on(time.March, 16, 4, 0), ExpiresAt: made.ExpiresAt}, rotation.Policy{Lifetime: 90 * day, BeforeExpiry: 14 * day, Schedule: weekly.Schedule, Window: 2 * time.Hour},
			rotation.Verdict{Next: deadline, Deadline: deadline},
		},
		{
			"a fire at the very deadline is waited for", fire.Add(3 * time.Hour),
			rotation.Facts{CreatedAt: firstDay, ExpiresAt: fire.Add(7*day + 14*day)}, weekly,
			missed(1, rotation.Verdict{Next: fire.Add(7 * day), Deadline: fire.Add(7 * day)}),
		},

		// A fixed end.
		{"fixed end: no deadline", firstDay.Add(29 * day), made, noLonger, rotation.Verdict{Next: firstDay.Add(30 * day)}},
		{"fixed end: the period counts", firstDay.Add(30 * day), made, noLonger, due(rotation.ReasonPeriod, firstDay.Add(30*day), time.Time{})},
		{"fixed end before the period is over", firstDay, made, rotation.Policy{ExpiresAt: made.ExpiresAt, Period: 90 * day}, rotation.Verdict{}},
		{"fixed end before the next fire", firstDay, made, rotation.Policy{ExpiresAt: made.ExpiresAt, Schedule: cron(t, "0 0 1 6 *"), Window: day}, rotation.Verdict{}},
		{"fixed end in the past", made.ExpiresAt, made, noLonger, rotation.Verdict{}},
		{"fixed end in the past, unhealthy", made.ExpiresAt, unhealthy, noLonger, rotation.Verdict{}},
		{"fixed end a second ahead, unhealthy", made.ExpiresAt.Add(-second), unhealthy, noLonger, due(rotation.ReasonDeleted, time.Time{}, time.Time{})},
		{"less was granted than the fixed end", firstDay, made, rotation.Policy{ExpiresAt: made.ExpiresAt.Add(day)}, rotation.Verdict{Next: made.ExpiresAt}},
		{"it is over before the fixed end", made.ExpiresAt, made, rotation.Policy{ExpiresAt: made.ExpiresAt.Add(day)}, due(rotation.ReasonExpired, made.ExpiresAt, time.Time{})},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := rotation.Evaluate(tt.now, tt.f, tt.p); got != tt.want {
				t.Errorf("at %v\n got %+v\nwant %+v", tt.now, got, tt.want)
			}
		})
	}
}

// A server that grants less life than before_expiry must not make every new token
// due at once.
func TestEvaluateWithLessLifeThanAskedFor(t *testing.T) {
	t.Parallel()
	p := rotation.Policy{Lifetime: 90 * day, BeforeExpiry: 30 * day}
	for _, tt := range []struct {
		granted, dueAfter time.Duration
	}{
		{90 * day, 60 * day},
		{31 * day, day},
		{30 * day, 20 * day},
		{3 * day, 2 * day},
		{3 * time.Second, 2 * time.Second},
		{4 * time.Second, 3 * time.Second}, // whole seconds
	} {
		f := rotation.Facts{CreatedAt: firstDay, ExpiresAt: firstDay.Add(tt.granted)}
		if v := rotation.Evaluate(firstDay, f, p); v.Due || !v.Next.Equal(firstDay.Add(tt.dueAfter)) || !v.Deadline.Equal(v.Next) {
			t.Errorf("%v granted: %+v, want it due after %v", tt.granted, v, tt.dueAfter)
		}
		if v := rotation.Evaluate(firstDay.Add(tt.dueAfter), f, p); !v.Due || v.Reason != rotation.ReasonBefore {
			t.Errorf("%v granted: %+v after %v, want it due", tt.granted, v, tt.dueAfter)
		}
	}
	// When it was made is not known: what was asked for counts.
	f := rotation.Facts{ExpiresAt: firstDay.Add(3 * day)}
	if v := rotation.Evaluate(firstDay, f, p); !v.Due || v.Reason != rotation.ReasonBefore {
		t.Errorf("of unknown age: %+v, want it due", v)
	}
}

// The jitter of an entry moves fires and periods by a time of its own, which is
// always the same; a window ends when it ends.
func TestEvaluateWithJitter(t *testing.T) {
	t.Parallel()
	weekly := rotation.Policy{Never: true, Schedule: cron(t, "17 3 * * 1"), Window: 6 * time.Hour, Jitter: 2 * time.Hour}
	f := rotation.Facts{CreatedAt: firstDay, Slot: "k3v7q2m6xtab"}
	delay, fire := delayOf(weekly, f.Slot), on(time.January, 12, 3, 17)
	if delay <= 0 || delay >= 2*time.Hour || delay%time.Second != 0 {
		t.Fatalf("delay %v", delay)
	}
	for _, tt := range []struct {
		name string
		now  time.Time
		f    rotation.Facts
		want rotation.Verdict
	}{
		{"the fire is not for this entry yet", fire, f, rotation.Verdict{Next: fire.Add(delay)}},
		{"a second early", fire.Add(delay - time.Second), f, rotation.Verdict{Next: fire.Add(delay)}},
		{"due", fire.Add(delay), f, due(rotation.ReasonSchedule, fire.Add(delay), time.Time{})},
		{"a second before the window ends", fire.Add(6*time.Hour - time.Second), f, due(rotation.ReasonSchedule, fire.Add(delay), time.Time{})},
		{"the window ends", fire.Add(6 * time.Hour), f, missed(1, rotation.Verdict{Next: fire.Add(7*day + delay)})},
		{"replaced between fire and delay", fire.Add(delay), rotation.Facts{CreatedAt: fire.Add(delay / 2), Slot: f.Slot}, rotation.Verdict{Next: fire.Add(7*day + delay)}},
	} {
		if got := rotation.Evaluate(tt.now, tt.f, weekly); got != tt.want {
			t.Errorf("%s: at %v\n got %+v\nwant %+v", tt.name, tt.now, got, tt.want)
		}
	}
	if other := delayOf(weekly, "anotherentry"); other == delay {
		t.Errorf("two entries share the delay %v", other)
	}
	weekly.Jitter = time.Millisecond // shorter than anything can be told apart
	if v := rotation.Evaluate(fire, f, weekly); !v.Due {
		t.Errorf("at %v: %+v", fire, v)
	}
}

// delayOf tells the delay of an entry by its effect on a period.
func delayOf(p rotation.Policy, slot string) time.Duration {
	probe := rotation.Policy{Never: true, Period: day, Jitter: p.Jitter}
	return rotation.Evaluate(firstDay, rotation.Facts{CreatedAt: firstDay, Slot: slot}, probe).Next.Sub(firstDay.Add(day))
}
