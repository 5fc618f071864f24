package schedule_test

import (
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

// history is the verdict of a person with a calendar on one token: for each minute,
// whether it is due and why.
type history struct {
	start   time.Time
	reasons []schedule.Reason
	missed  []int
	next    []int // the first minute from this one on at which it is due, or -1
}

// slotFor returns a slot whose delay is a whole number of minutes.
func slotFor(p schedule.Policy) string {
	for i := 0; ; i++ {
		if slot := strconv.Itoa(i); delayOf(p, slot)%time.Minute == 0 {
			return slot
		}
	}
}

// chronicle computes the history of a token from start on. All times of the token and its
// policy are whole minutes, and the token expires before the end. It finds future fires
// only by checking every minute.
func chronicle(start time.Time, days int, f schedule.Facts, p schedule.Policy) history {
	minutes := days * 24 * 60
	h := history{start: start, reasons: make([]schedule.Reason, minutes), missed: make([]int, minutes), next: make([]int, minutes)}
	deadline := expected(f, p)
	var fires []int // since the token's creation
	if !p.Schedule.IsZero() {
		for _, fire := range newOracle(p.Schedule.String()).fires(start, days) {
			if h.at(fire).After(f.CreatedAt) {
				fires = append(fires, fire)
			}
		}
	}
	window, delay := int(p.Window/time.Minute), int(delayOf(p, f.Slot)/time.Minute)
	fired, closed := 0, 0 // the numbers of past fires and of closed windows
	for m := range minutes {
		for fired < len(fires) && fires[fired]+delay <= m {
			fired++
		}
		for closed < fired && fires[closed]+window <= m {
			closed++
		}
		late := closed == fired && fired > 0 && !deadline.IsZero() && (fired == len(fires) || h.at(fires[fired]+delay).After(deadline))
		h.reasons[m] = judge(h.at(m), f, p, deadline, fired > closed || late)
		if counted(h.reasons[m], late, h.at(m), p) {
			h.missed[m] = min(closed, 100)
		}
	}
	next := -1
	for m := minutes - 1; m >= 0; m-- {
		if h.reasons[m] != schedule.ReasonNone {
			next = m
		}
		h.next[m] = next
	}
	return h
}

func (h history) at(minute int) time.Time { return h.start.Add(time.Duration(minute) * time.Minute) }

// expected returns the moment at which before_expiry makes a token due.
func expected(f schedule.Facts, p schedule.Policy) time.Time {
	life := f.ExpiresAt.Sub(f.CreatedAt)
	switch {
	case p.Manual, p.BeforeExpiry == 0, f.ExpiresAt.IsZero(), !p.ExpiresAt.IsZero():
		return time.Time{}
	case life <= p.BeforeExpiry:
		return f.ExpiresAt.Add((-life / 3).Truncate(time.Second))
	}
	return f.ExpiresAt.Add(-p.BeforeExpiry)
}

// judge implements the order of precedence.
func judge(now time.Time, f schedule.Facts, p schedule.Policy, deadline time.Time, open bool) schedule.Reason {
	over := func(t time.Time) bool { return !t.IsZero() && !t.After(now) }
	switch {
	case over(p.ExpiresAt):
		return schedule.ReasonNone
	case f.Unhealthy != schedule.ReasonNone:
		return f.Unhealthy
	case over(f.ExpiresAt):
		return schedule.ReasonExpired
	case p.Manual:
		return schedule.ReasonNone
	case over(deadline):
		return schedule.ReasonBefore
	case p.Period > 0 && over(f.CreatedAt.Add(p.Period+delayOf(p, f.Slot))):
		return schedule.ReasonPeriod
	case p.Period == 0 && open:
		return schedule.ReasonSchedule
	}
	return schedule.ReasonNone
}

// counted reports whether missed windows count: not while a window is open, and not if no
// schedule decides.
func counted(reason schedule.Reason, late bool, now time.Time, p schedule.Policy) bool {
	if p.Manual || p.Schedule.IsZero() || p.Period > 0 || (!p.ExpiresAt.IsZero() && !now.Before(p.ExpiresAt)) {
		return false
	}
	return reason == schedule.ReasonNone || reason == schedule.ReasonBefore || reason == schedule.ReasonSchedule && late
}

// compare compares Evaluate with the history at one minute.
func (h history) compare(t interface {
	Helper()
	Fatalf(format string, args ...any)
}, minute int, f schedule.Facts, p schedule.Policy,
) {
	t.Helper()
	now := h.at(minute)
	v := schedule.Evaluate(now, f, p)
	if v.Due != (h.reasons[minute] != schedule.ReasonNone) || v.Reason != h.reasons[minute] || v.MissedWindows != h.missed[minute] {
		t.Fatalf("at %v it is due for %q with %d windows missed; Evaluate says %+v", now, h.reasons[minute], h.missed[minute], v)
	}
	switch next := h.next[minute]; {
	case v.Due || p.Manual:
	case next >= 0 && !v.Next.Equal(h.at(next)):
		t.Fatalf("at %v it is due next at %v; Evaluate says %+v", now, h.at(next), v)
	case next < 0 && !v.Next.IsZero() && v.Next.Before(h.at(len(h.next))):
		t.Fatalf("at %v it is not due in the time to come; Evaluate says %+v", now, v)
	}
}

func TestEvaluateAgreesWithEveryMinuteOfFiveYears(t *testing.T) {
	t.Parallel()
	start := time.Date(2024, time.January, 1, 0, 0, 0, 0, time.UTC)
	const days = 5*365 + 2 // includes the leap days of 2024 and 2028
	at := func(year int, month time.Month, dayOfMonth int) time.Time {
		return time.Date(year, month, dayOfMonth, 9, 0, 0, 0, time.UTC)
	}
	unending := schedule.Facts{CreatedAt: at(2024, time.January, 10)}
	until := func(end time.Time) schedule.Facts {
		return schedule.Facts{CreatedAt: at(2024, time.February, 1), ExpiresAt: end}
	}
	leap := cron(t, "30 12 29 2 *")
	for _, tt := range []struct {
		name string
		f    schedule.Facts
		p    schedule.Policy
	}{
		{"weekly", unending, schedule.Policy{Never: true, Schedule: cron(t, "17 3 * * 1"), Window: day}},
		{"weekly with jitter", unending, schedule.Policy{Never: true, Schedule: cron(t, "17 3 * * 1"), Window: day, Jitter: 10 * time.Hour}},
		{"jitter about a midnight", unending, schedule.Policy{Never: true, Schedule: cron(t, "50 23 28-31 * *"), Window: 3 * time.Hour, Jitter: 2 * time.Hour}},
		{"period with jitter", unending, schedule.Policy{Never: true, Period: 400 * day, Jitter: 9 * day}},
		{"windows that touch", unending, schedule.Policy{Never: true, Schedule: cron(t, "0 3 * * *"), Window: day}},
		{"windows that overlap", unending, schedule.Policy{Never: true, Schedule: cron(t, "0 9-17 * * 1-5"), Window: 150 * time.Minute}},
		{"twice a month or on Fridays", until(at(2028, time.June, 1)), schedule.Policy{Lifetime: 1000 * day, BeforeExpiry: 100 * day, Schedule: cron(t, "5 4 1,15 * 5"), Window: time.Hour}},
		{"on leap days", unending, schedule.Policy{Never: true, Schedule: leap, Window: 2 * day}},
		{"leap day missed, none before expiry", until(at(2028, time.January, 1)), schedule.Policy{Lifetime: 1400 * day, BeforeExpiry: 30 * day, Schedule: leap, Window: time.Hour}},
		{"leap day missed, one left", until(at(2028, time.June, 1)), schedule.Policy{Lifetime: 1600 * day, BeforeExpiry: 30 * day, Schedule: leap, Window: time.Hour}},
		{"no leap day before expiry", schedule.Facts{CreatedAt: at(2024, time.March, 1), ExpiresAt: at(2027, time.March, 1)}, schedule.Policy{Lifetime: 1095 * day, BeforeExpiry: 60 * day, Schedule: leap, Window: time.Hour}},
		{"less life than before_expiry", until(at(2024, time.May, 1)), schedule.Policy{Lifetime: 360 * day, BeforeExpiry: 120 * day, Period: 80 * day}},
		{"period", unending, schedule.Policy{Never: true, Period: 400 * day}},
		{"period and expiry", until(at(2027, time.February, 1)), schedule.Policy{Lifetime: 1096 * day, BeforeExpiry: 700 * day, Period: 500 * day}},
		{"fixed end", until(at(2025, time.February, 1)), schedule.Policy{ExpiresAt: at(2025, time.February, 1), Schedule: cron(t, "0 0 1 * *"), Window: day}},
		{"manual", until(at(2025, time.February, 1)), schedule.Policy{Lifetime: 366 * day, BeforeExpiry: 100 * day, Manual: true}},
		{"unhealthy", schedule.Facts{CreatedAt: at(2024, time.February, 1), Unhealthy: schedule.ReasonRevoked}, schedule.Policy{ExpiresAt: at(2026, time.February, 1)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.f.Slot = slotFor(tt.p)
			h := chronicle(start, days, tt.f, tt.p)
			made := int(tt.f.CreatedAt.Sub(start) / time.Minute)
			changes := 0
			for m := made; m < len(h.reasons); m++ {
				turn := h.reasons[m] != h.reasons[m-1] || h.missed[m] != h.missed[m-1]
				if turn {
					h.compare(t, m-1, tt.f, tt.p)
					changes++
				}
				if turn || m%1009 == 0 { // every change, and a sample every 17 hours in between
					h.compare(t, m, tt.f, tt.p)
				}
			}
			if changes == 0 {
				t.Error("nothing ever happened: the story tells nothing")
			}
		})
	}
}

func TestEvaluateAgreesWithEveryMinuteOfAnyPolicy(t *testing.T) {
	t.Parallel()
	const days = 60
	minutes := func(most int) *rapid.Generator[time.Duration] {
		return rapid.Map(rapid.IntRange(1, most), func(n int) time.Duration { return time.Duration(n) * time.Minute })
	}
	rapid.Check(t, func(t *rapid.T) {
		start := time.Date(2027, time.December, 20, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 100).Draw(t, "day"))
		f := schedule.Facts{CreatedAt: start.Add(minutes(5*24*60).Draw(t, "made"))}
		if rapid.Bool().Draw(t, "expires") {
			f.ExpiresAt = f.CreatedAt.Add(3 * minutes(20*24*60).Draw(t, "a third of its life"))
		}
		p := schedule.Policy{Manual: rapid.IntRange(0, 9).Draw(t, "manual") == 0, BeforeExpiry: minutes(40*24*60).Draw(t, "before_expiry")}
		if rapid.IntRange(0, 3).Draw(t, "fixed") == 0 {
			p.ExpiresAt = f.CreatedAt.Add(minutes(60*24*60).Draw(t, "end"))
		}
		if rapid.IntRange(0, 2).Draw(t, "rhythm") == 0 {
			p.Period = minutes(60*24*60).Draw(t, "period")
		} else {
			p.Schedule = cron(t, expressions().Draw(t, "schedule"))
			p.Window = minutes(3*24*60).Draw(t, "window")
		}
		if rapid.IntRange(0, 2).Draw(t, "jitter") == 0 {
			p.Jitter = time.Duration(rapid.Int64Range(0, int64(max(p.Period, p.Window)/time.Second)).Draw(t, "jitter seconds")) * time.Second
			f.Slot = slotFor(p)
		}
		h := chronicle(start, days+10, f, p)
		first := int(f.CreatedAt.Sub(start) / time.Minute)
		for m := first; m < days*24*60; m++ {
			if h.reasons[m] != h.reasons[m-1] || m%97 == 0 {
				h.compare(t, m-1, f, p)
				h.compare(t, m, f, p)
			}
		}
	})
}
