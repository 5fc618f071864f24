package schedule_test

import (
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

// Most stories are about a token that lasts 90 days, created on Monday, January 5, 2026,
// at 09:00 UTC.
var (
	made    = schedule.Facts{CreatedAt: firstDay, ExpiresAt: firstDay.Add(90 * day)}
	forever = schedule.Facts{CreatedAt: firstDay}
)

// on returns a moment of 2026.
func on(month time.Month, dayOfMonth, hour, minute int) time.Time {
	return time.Date(2026, month, dayOfMonth, hour, minute, 0, 0, time.UTC)
}

// due returns the verdict on a due token.
func due(reason schedule.Reason, since, deadline time.Time) schedule.Verdict {
	return schedule.Verdict{Due: true, Reason: reason, Next: since, Deadline: deadline}
}

// missed returns the verdict after windows were missed.
func missed(windows int, v schedule.Verdict) schedule.Verdict {
	v.MissedWindows = windows
	return v
}

func TestEvaluate(t *testing.T) {
	t.Parallel()
	var (
		life     = schedule.Policy{Lifetime: 90 * day, BeforeExpiry: 14 * day, Overlap: day}
		monthly  = schedule.Policy{Lifetime: 90 * day, BeforeExpiry: 14 * day, Overlap: day, Period: 30 * day}
		weekly   = schedule.Policy{Lifetime: 90 * day, BeforeExpiry: 14 * day, Overlap: day, Schedule: cron(t, "17 3 * * 1"), Window: 2 * time.Hour}
		noLonger = schedule.Policy{ExpiresAt: made.ExpiresAt, Period: 30 * day}
		deadline = made.ExpiresAt.Add(-14 * day) // March 22, 09:00
		second   = time.Second
	)
	manual := monthly
	manual.Manual = true
	unending := schedule.Policy{Never: true, Schedule: weekly.Schedule, Window: 2 * time.Hour}
	unhealthy := made
	unhealthy.Unhealthy = schedule.ReasonDeleted
	fire := on(time.January, 12, 3, 17)

	for _, tt := range []struct {
		name string
		now  time.Time
		f    schedule.Facts
		p    schedule.Policy
		want schedule.Verdict
	}{
		// An unhealthy token is due, regardless of the time.
		{"unhealthy", firstDay, unhealthy, monthly, due(schedule.ReasonDeleted, time.Time{}, deadline)},
		{"unhealthy goes before expired", firstDay.Add(100 * day), unhealthy, monthly, due(schedule.ReasonDeleted, time.Time{}, deadline)},
		{"unhealthy, manual", firstDay, unhealthy, manual, due(schedule.ReasonDeleted, time.Time{}, time.Time{})},
		{"nothing known but that it is gone", firstDay, schedule.Facts{Unhealthy: schedule.ReasonGone}, monthly, due(schedule.ReasonGone, time.Time{}, time.Time{})},

		// So is an expired one.
		{"a second before it expires, manual", made.ExpiresAt.Add(-second), made, manual, schedule.Verdict{}},
		{"expires now, manual", made.ExpiresAt, made, manual, due(schedule.ReasonExpired, made.ExpiresAt, time.Time{})},
		{"expired goes before before_expiry", made.ExpiresAt, made, life, due(schedule.ReasonExpired, made.ExpiresAt, deadline)},
		{"expired, though none was asked for", made.ExpiresAt, made, schedule.Policy{Never: true}, due(schedule.ReasonExpired, made.ExpiresAt, time.Time{})},
		{"will expire, though none was asked for", firstDay, made, schedule.Policy{Never: true}, schedule.Verdict{Next: made.ExpiresAt}},

		// Inside before_expiry the token is due, regardless of period and window.
		{"a second before the deadline", deadline.Add(-second), made, life, schedule.Verdict{Next: deadline, Deadline: deadline}},
		{"at the deadline", deadline, made, life, due(schedule.ReasonBefore, deadline, deadline)},
		{"a second after the deadline", deadline.Add(second), made, life, due(schedule.ReasonBefore, deadline, deadline)},
		{"before_expiry goes before the period", deadline, made, monthly, due(schedule.ReasonBefore, deadline, deadline)},
		{"no deadline without expiry", deadline, forever, life, schedule.Verdict{}},
		{"no deadline where before_expiry is off", deadline, made, schedule.Policy{Lifetime: 90 * day}, schedule.Verdict{Next: made.ExpiresAt}},
		{"the deadline goes before a window that is closed", deadline, made, weekly, missed(10, due(schedule.ReasonBefore, deadline, deadline))},
		{"and before one that is open", on(time.March, 23, 3, 17), made, weekly, missed(10, due(schedule.ReasonBefore, deadline, deadline))},

		// The period.
		{"new", firstDay, made, monthly, schedule.Verdict{Next: firstDay.Add(30 * day), Deadline: deadline}},
		{"a second before the period is over", firstDay.Add(30*day - second), made, monthly, schedule.Verdict{Next: firstDay.Add(30 * day), Deadline: deadline}},
		{"the period is over", firstDay.Add(30 * day), made, monthly, due(schedule.ReasonPeriod, firstDay.Add(30*day), deadline)},
		{"a second after the period is over", firstDay.Add(30*day + second), made, monthly, due(schedule.ReasonPeriod, firstDay.Add(30*day), deadline)},
		{"manual: no time counts", firstDay.Add(89 * day), made, manual, schedule.Verdict{}},

		// The window of a schedule.
		{"a second before the fire", fire.Add(-second), made, weekly, schedule.Verdict{Next: fire, Deadline: deadline}},
		{"the window opens", fire, made, weekly, due(schedule.ReasonSchedule, fire, deadline)},
		{"a second before it closes", fire.Add(2*time.Hour - second), made, weekly, due(schedule.ReasonSchedule, fire, deadline)},
		{"it closes: the next fire counts", fire.Add(2 * time.Hour), made, weekly, missed(1, schedule.Verdict{Next: fire.Add(7 * day), Deadline: deadline})},
		{"the third window is missed", fire.Add(20 * day), made, weekly, missed(3, schedule.Verdict{Next: fire.Add(21 * day), Deadline: deadline})},
		{"the next window opens after a missed one", fire.Add(7 * day), made, weekly, due(schedule.ReasonSchedule, fire.Add(7*day), deadline)},
		{"made at the fire: this window is served", fire, schedule.Facts{CreatedAt: fire}, unending, schedule.Verdict{Next: fire.Add(7 * day)}},
		{"made a second before the fire", fire, schedule.Facts{CreatedAt: fire.Add(-second)}, unending, due(schedule.ReasonSchedule, fire, time.Time{})},
		{"made inside the window", fire.Add(time.Hour), schedule.Facts{CreatedAt: fire.Add(time.Minute)}, unending, schedule.Verdict{Next: fire.Add(7 * day)}},
		{"more missed windows than are counted", firstDay.Add(1000 * day), forever, unending, missed(100, schedule.Verdict{Next: on(time.January, 5, 3, 17).Add(143 * 7 * day)})},

		// No window is left before the deadline.
		{
			"the last window before the deadline is open", on(time.March, 16, 3, 17), made, weekly,
			due(schedule.ReasonSchedule, on(time.March, 16, 3, 17), deadline),
		},
		{
			"it was missed: due at once", on(time.March, 16, 5, 17), made, weekly,
			missed(10, due(schedule.ReasonSchedule, on(time.March, 16, 3, 17), deadline)),
		},
		{
			"none was missed: the deadline will do", on(time.March, 16, 5, 17),
			schedule.Facts{CreatedAt: on(time.March, 16, 4, 0), ExpiresAt: made.ExpiresAt}, schedule.Policy{Lifetime: 90 * day, BeforeExpiry: 14 * day, Schedule: weekly.Schedule, Window: 2 * time.Hour},
			schedule.Verdict{Next: deadline, Deadline: deadline},
		},
		{
			"a fire at the very deadline is waited for", fire.Add(3 * time.Hour),
			schedule.Facts{CreatedAt: firstDay, ExpiresAt: fire.Add(7*day + 14*day)}, weekly,
			missed(1, schedule.Verdict{Next: fire.Add(7 * day), Deadline: fire.Add(7 * day)}),
		},

		// A fixed end.
		{"fixed end: no deadline", firstDay.Add(29 * day), made, noLonger, schedule.Verdict{Next: firstDay.Add(30 * day)}},
		{"fixed end: the period counts", firstDay.Add(30 * day), made, noLonger, due(schedule.ReasonPeriod, firstDay.Add(30*day), time.Time{})},
		{"fixed end before the period is over", firstDay, made, schedule.Policy{ExpiresAt: made.ExpiresAt, Period: 90 * day}, schedule.Verdict{}},
		{"fixed end before the next fire", firstDay, made, schedule.Policy{ExpiresAt: made.ExpiresAt, Schedule: cron(t, "0 0 1 6 *"), Window: day}, schedule.Verdict{}},
		{"fixed end in the past", made.ExpiresAt, made, noLonger, schedule.Verdict{}},
		{"fixed end in the past, unhealthy", made.ExpiresAt, unhealthy, noLonger, schedule.Verdict{}},
		{"fixed end a second ahead, unhealthy", made.ExpiresAt.Add(-second), unhealthy, noLonger, due(schedule.ReasonDeleted, time.Time{}, time.Time{})},
		{"less was granted than the fixed end", firstDay, made, schedule.Policy{ExpiresAt: made.ExpiresAt.Add(day)}, schedule.Verdict{Next: made.ExpiresAt}},
		{"it is over before the fixed end", made.ExpiresAt, made, schedule.Policy{ExpiresAt: made.ExpiresAt.Add(day)}, due(schedule.ReasonExpired, made.ExpiresAt, time.Time{})},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := schedule.Evaluate(tt.now, tt.f, tt.p); got != tt.want {
				t.Errorf("at %v\n got %+v\nwant %+v", tt.now, got, tt.want)
			}
		})
	}
}

// If the server grants a life shorter than before_expiry, new tokens must not be due at
// once.
func TestEvaluateWithLessLifeThanAskedFor(t *testing.T) {
	t.Parallel()
	p := schedule.Policy{Lifetime: 90 * day, BeforeExpiry: 30 * day}
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
		f := schedule.Facts{CreatedAt: firstDay, ExpiresAt: firstDay.Add(tt.granted)}
		if v := schedule.Evaluate(firstDay, f, p); v.Due || !v.Next.Equal(firstDay.Add(tt.dueAfter)) || !v.Deadline.Equal(v.Next) {
			t.Errorf("%v granted: %+v, want it due after %v", tt.granted, v, tt.dueAfter)
		}
		if v := schedule.Evaluate(firstDay.Add(tt.dueAfter), f, p); !v.Due || v.Reason != schedule.ReasonBefore {
			t.Errorf("%v granted: %+v after %v, want it due", tt.granted, v, tt.dueAfter)
		}
	}
	// If the creation time is unknown, the requested margin counts.
	f := schedule.Facts{ExpiresAt: firstDay.Add(3 * day)}
	if v := schedule.Evaluate(firstDay, f, p); !v.Due || v.Reason != schedule.ReasonBefore {
		t.Errorf("of unknown age: %+v, want it due", v)
	}
}

// The jitter of an entry delays fires and periods by an amount that is always the same.
// The end of a window does not move.
func TestEvaluateWithJitter(t *testing.T) {
	t.Parallel()
	weekly := schedule.Policy{Never: true, Schedule: cron(t, "17 3 * * 1"), Window: 6 * time.Hour, Jitter: 2 * time.Hour}
	f := schedule.Facts{CreatedAt: firstDay, Slot: "k3v7q2m6xtab"}
	delay, fire := delayOf(weekly, f.Slot), on(time.January, 12, 3, 17)
	if delay <= 0 || delay >= 2*time.Hour || delay%time.Second != 0 {
		t.Fatalf("delay %v", delay)
	}
	for _, tt := range []struct {
		name string
		now  time.Time
		f    schedule.Facts
		want schedule.Verdict
	}{
		{"the fire is not for this entry yet", fire, f, schedule.Verdict{Next: fire.Add(delay)}},
		{"a second early", fire.Add(delay - time.Second), f, schedule.Verdict{Next: fire.Add(delay)}},
		{"due", fire.Add(delay), f, due(schedule.ReasonSchedule, fire.Add(delay), time.Time{})},
		{"a second before the window ends", fire.Add(6*time.Hour - time.Second), f, due(schedule.ReasonSchedule, fire.Add(delay), time.Time{})},
		{"the window ends", fire.Add(6 * time.Hour), f, missed(1, schedule.Verdict{Next: fire.Add(7*day + delay)})},
		{"replaced between fire and delay", fire.Add(delay), schedule.Facts{CreatedAt: fire.Add(delay / 2), Slot: f.Slot}, schedule.Verdict{Next: fire.Add(7*day + delay)}},
	} {
		if got := schedule.Evaluate(tt.now, tt.f, weekly); got != tt.want {
			t.Errorf("%s: at %v\n got %+v\nwant %+v", tt.name, tt.now, got, tt.want)
		}
	}
	if other := delayOf(weekly, "anotherentry"); other == delay {
		t.Errorf("two entries share the delay %v", other)
	}
	weekly.Jitter = time.Millisecond // shorter than the resolution of the schedule
	if v := schedule.Evaluate(fire, f, weekly); !v.Due {
		t.Errorf("at %v: %+v", fire, v)
	}
}

// delayOf derives the delay of an entry from its effect on a period.
func delayOf(p schedule.Policy, slot string) time.Duration {
	probe := schedule.Policy{Never: true, Period: day, Jitter: p.Jitter}
	return schedule.Evaluate(firstDay, schedule.Facts{CreatedAt: firstDay, Slot: slot}, probe).Next.Sub(firstDay.Add(day))
}
