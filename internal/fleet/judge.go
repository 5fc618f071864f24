package fleet

import (
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

// task is what a run does about one entry, decided from its metadata alone.
type task struct {
	// outcome is set where there is nothing to run, else the zero value.
	outcome Outcome
	note    string // why the entry is skipped
	err     error  // why it cannot be judged
	request rotation.Request
	verdict schedule.Verdict
	overlap time.Duration
	window  time.Duration
}

// overdueAfter is how long a token may be due before somebody should know: a
// schedule that runs daily has missed it.
const overdueAfter = 24 * time.Hour

// judge is a pure function of what metadata shows.
func judge(at entry.Location, view rotation.View, force bool) task {
	skip := func(note string) task { return task{outcome: Skipped, note: note} }
	if view.Problem == nil {
		switch {
		case view.Foreign:
			return skip("paistrike did not write what is there")
		case view.Unhealthy == schedule.ReasonGone && view.Version > 0:
			return skip("closed: its token was destroyed by Terraform")
		case view.Unhealthy == schedule.ReasonGone:
			return skip("empty")
		case view.Stale && view.Mirror.TokenID == "":
			return skip("its custom metadata is missing; terraform apply writes it")
		}
	}
	text, policy, err := view.Schedule(at)
	if err != nil {
		return task{outcome: Failed, err: err}
	}
	t := task{
		request: rotation.Request{At: at, Policy: policy, Schedule: text, MayRepublish: true},
		verdict: view.Verdict(policy), overlap: policy.Overlap, window: policy.Window,
	}
	unclean := view.Ripe(policy) > 0 || view.Strays > 0
	switch ended := !policy.ExpiresAt.IsZero() && !view.Clock.Rotate().Before(policy.ExpiresAt); {
	case force && text.ExpiresIn == "" && (ended || !text.Scheduled()):
		return skip("its fixed end is Terraform's to change")
	case force:
		t.request.Wish, t.request.Reason = rotation.Rotate, schedule.ReasonForced
	case text.Scheduled() && (t.verdict.Due || view.Stale):
		t.request.Wish = rotation.IfDue
	case unclean:
		t.request.Wish = rotation.Settle
	case !text.Scheduled():
		t.outcome, t.note = Skipped, "no schedule"
	default:
		t.outcome = Current
	}
	return t
}

// overdue reports whether a token that is due should have been replaced before.
func overdue(now time.Time, v schedule.Verdict) bool {
	if !v.Due {
		return false
	}
	switch v.Reason {
	case schedule.ReasonPeriod, schedule.ReasonSchedule:
		return !now.Before(v.Next.Add(overdueAfter))
	default: // it ends soon, or does not work any more
		return true
	}
}
