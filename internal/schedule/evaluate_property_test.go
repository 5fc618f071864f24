package schedule_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

// situation is a policy, a token under it, and a moment, all in whole seconds.
type situation struct {
	p   schedule.Policy
	f   schedule.Facts
	now time.Time
}

func situations() *rapid.Generator[situation] {
	return rapid.Custom(func(t *rapid.T) situation {
		s := situation{p: policies().Draw(t, "policy")}
		if !s.p.Schedule.IsZero() {
			s.p.Jitter = min(s.p.Jitter, s.p.Window) // otherwise an entry may never be due
		}
		s.f.CreatedAt = firstDay.Add(time.Duration(rapid.Int64Range(0, 4*365*86400).Draw(t, "made")) * time.Second)
		s.f.ExpiresAt, s.f.Slot = s.p.Expiry(s.f.CreatedAt), rapid.StringMatching(`[a-z]{0,2}`).Draw(t, "slot")
		switch rapid.IntRange(0, 5).Draw(t, "grant") {
		case 0: // the server granted less, or an expiry that was not requested
			s.f.ExpiresAt = s.f.CreatedAt.Add(durations().Draw(t, "granted"))
		case 1:
			s.f.ExpiresAt = time.Time{}
		}
		if rapid.IntRange(0, 7).Draw(t, "health") == 0 {
			s.f.Unhealthy = rapid.SampledFrom([]schedule.Reason{schedule.ReasonRevoked, schedule.ReasonDeleted, schedule.ReasonChanged, schedule.ReasonGone}).Draw(t, "unhealthy")
		}
		s.now = s.moment(t, "now")
		return s
	})
}

// moment draws a time after the token's creation, often close to a turning point.
func (s situation) moment(t *rapid.T, label string) time.Time {
	v := schedule.Evaluate(s.f.CreatedAt, s.f, s.p)
	turns := []time.Time{s.f.CreatedAt, s.f.CreatedAt.Add(s.p.Period), s.f.ExpiresAt, s.p.ExpiresAt, v.Deadline, v.Next}
	if fire, ok := s.p.Schedule.Next(s.f.CreatedAt.Add(time.Duration(rapid.Int64Range(0, 200).Draw(t, label+" fires later")) * day)); ok {
		turns = append(turns, fire, fire.Add(s.p.Window))
	}
	near := rapid.SampledFrom(turns).Draw(t, label+" near")
	if near.IsZero() || rapid.Bool().Draw(t, label+" anywhere") {
		return s.f.CreatedAt.Add(durations().Draw(t, label))
	}
	return near.Add(time.Duration(rapid.Int64Range(-1, 1).Draw(t, label+" seconds")) * time.Second)
}

func TestVerdictIsCoherent(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := situations().Draw(t, "situation")
		v := schedule.Evaluate(s.now, s.f, s.p)
		coherent(t, s.now, s.f, s.p, v)
		if again := schedule.Evaluate(s.now, s.f, s.p); again != v {
			t.Fatalf("asked twice: %+v and %+v", v, again)
		}
	})
}

// coherent checks what is true of every verdict, however unusual the token.
func coherent(t interface {
	Helper()
	Fatalf(format string, args ...any)
}, now time.Time, f schedule.Facts, p schedule.Policy, v schedule.Verdict,
) {
	t.Helper()
	switch {
	case v.Due != (v.Reason != schedule.ReasonNone):
		t.Fatalf("due and reason disagree: %+v", v)
	case !v.Due && !v.Next.IsZero() && !v.Next.After(now):
		t.Fatalf("not due at %v, and next at %v", now, v.Next)
	case v.Due && v.Next.After(now):
		t.Fatalf("due at %v since %v", now, v.Next)
	case v.Due && f.Unhealthy != schedule.ReasonNone && v.Reason != f.Unhealthy:
		t.Fatalf("unhealthy for %s, and due for %s", f.Unhealthy, v.Reason)
	case v.Due && f.Unhealthy == schedule.ReasonNone && p.Manual && v.Reason != schedule.ReasonExpired:
		t.Fatalf("manual, and due for %s", v.Reason)
	case v.Due && !p.ExpiresAt.IsZero() && !now.Before(p.ExpiresAt):
		t.Fatalf("due for %s after the fixed end", v.Reason)
	case v.MissedWindows < 0 || v.MissedWindows > 100:
		t.Fatalf("%d windows missed", v.MissedWindows)
	}
}

// Without a schedule and a fixed end, a due token stays due.
func TestDueStaysDue(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := situations().Draw(t, "situation")
		s.p.Schedule, s.p.ExpiresAt = schedule.Cron{}, time.Time{}
		if !schedule.Evaluate(s.now, s.f, s.p).Due {
			return
		}
		later := s.now.Add(durations().Draw(t, "later"))
		if v := schedule.Evaluate(later, s.f, s.p); !v.Due {
			t.Fatalf("due at %v and no more at %v: %+v", s.now, later, v)
		}
	})
}

// Next is exact: the token is not due before it, and due at that moment.
func TestNextIsWhenItBecomesDue(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := situations().Draw(t, "situation")
		v := schedule.Evaluate(s.now, s.f, s.p)
		if v.Due || s.p.Manual {
			return
		}
		if v.Next.IsZero() {
			later := s.now.Add(durations().Draw(t, "later"))
			if v := schedule.Evaluate(later, s.f, s.p); v.Due {
				t.Fatalf("no time makes it due, and at %v it is: %+v", later, v)
			}
			return
		}
		between := s.now.Add(time.Duration(rapid.Int64Range(0, int64(v.Next.Sub(s.now))-1).Draw(t, "between")))
		if early := schedule.Evaluate(between, s.f, s.p); early.Due || !early.Next.Equal(v.Next) {
			t.Fatalf("due next at %v, and at %v: %+v", v.Next, between, early)
		}
		if then := schedule.Evaluate(v.Next, s.f, s.p); !then.Due || !then.Next.Equal(v.Next) {
			t.Fatalf("due next at %v, and then: %+v", v.Next, then)
		}
	})
}

// A schedule rotates inside its windows, or if none is left before the deadline.
func TestScheduleRotatesInsideItsWindows(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := situations().Filter(func(s situation) bool { return !s.p.Schedule.IsZero() }).Draw(t, "situation")
		s.f.Unhealthy = schedule.ReasonNone
		v := schedule.Evaluate(s.now, s.f, s.p)
		if !v.Due || v.Reason == schedule.ReasonExpired {
			return
		}
		last, _ := s.p.Schedule.Last(s.now)
		next, more := s.p.Schedule.Next(s.now)
		inside := last.After(s.f.CreatedAt) && s.now.Before(last.Add(s.p.Window))
		pressed := !v.Deadline.IsZero() && !s.now.Before(v.Deadline)
		none := !v.Deadline.IsZero() && v.MissedWindows > 0 && (!more || next.After(v.Deadline))
		if !inside && !pressed && !none {
			t.Fatalf("due at %v, last fire %v, next %v: %+v", s.now, last, next, v)
		}
	})
}

func FuzzEvaluate(f *testing.F) {
	const year = 365 * 86400
	f.Add(int64(0), int64(0), int64(90*86400), int64(0), int64(0), int64(14*86400), int64(7200), "17 3 * * 1", false, "")
	f.Add(int64(30*86400), int64(0), int64(90*86400), int64(0), int64(30*86400), int64(14*86400), int64(0), "", false, "")
	f.Add(int64(year), int64(0), int64(0), int64(year), int64(0), int64(0), int64(3600), "0 0 29 2 *", false, "revoked")
	f.Add(int64(-year), int64(5*year), int64(-1), int64(1), int64(1), int64(1<<40), int64(-5), "* * * * *", true, "x")
	f.Fuzz(func(t *testing.T, now, created, expires, fixed, period, before, window int64, expr string, manual bool, unhealthy string) {
		const most = 100 * year // the maximum that the parsers accept
		at := func(seconds int64) time.Time {
			if seconds == 0 {
				return time.Time{}
			}
			return firstDay.Add(time.Duration(seconds%most) * time.Second)
		}
		span := func(seconds int64) time.Duration { return time.Duration(max(seconds%most, 0)) * time.Second }
		facts := schedule.Facts{Unhealthy: schedule.Reason(unhealthy), CreatedAt: at(created), ExpiresAt: at(expires)}
		p := schedule.Policy{ExpiresAt: at(fixed), Period: span(period), BeforeExpiry: span(before), Window: span(window), Manual: manual}
		p.Schedule, _ = schedule.ParseCron(expr)
		coherent(t, at(now), facts, p, schedule.Evaluate(at(now), facts, p))
	})
}
