package fleet

import (
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

// task is the decision about one entry, based only on its metadata.
type task struct {
	// outcome is set if no run is needed; otherwise it is the zero value.
	outcome Outcome
	note    string // why the entry is skipped, or the purpose of the run
	err     error  // why the entry cannot be judged
	request rotation.Request
	text    schedule.Schedule
	verdict schedule.Verdict
	overlap time.Duration
	window  time.Duration
}

// overdueAfter is how long a token may be due before it is reported. By then, a daily
// schedule has missed it.
const overdueAfter = 24 * time.Hour

// judge is a pure function of metadata. Metadata only decides whether a run reads the record:
// if it is damaged, or if it would leave an entry with a readable current version alone, the
// run reads the record.
func judge(seen rotation.Sight, force bool) task {
	skip := func(note string) task { return task{outcome: Skipped, note: note} }
	if err := seen.Obstacle(); err != nil {
		return task{outcome: Failed, err: err}
	}
	run := task{request: rotation.Request{At: seen.At, Seen: &seen, Stored: true, MayRepublish: true, Wish: rotation.IfDue}}
	switch unhealthy := seen.Unhealthy(); {
	case seen.Stale() && !force:
		run.note = "metadata is out of date; the run reads the record"
		return run
	case seen.Foreign():
		return skip(notOurs)
	case unhealthy == schedule.ReasonGone && seen.Revision != "":
		return skip("closed: Terraform destroyed its token")
	case unhealthy == schedule.ReasonGone:
		return skip("empty")
	}
	text, policy, err := seen.Schedule()
	if err != nil && !force {
		run.note = "metadata cannot be read; the run reads the record"
		return run
	}
	run.text, run.verdict, run.overlap, run.window = text, seen.Verdict(policy), policy.Overlap, policy.Window
	unclean := seen.Ripe(policy) > 0 || seen.Strays() > 0 || seen.Strangers() > 0
	switch ended := !policy.ExpiresAt.IsZero() && !seen.Clock.Rotate().Before(policy.ExpiresAt); {
	case force && err == nil && !seen.Stale() && text.ExpiresIn == "" && (ended || !text.Scheduled()):
		return skip("only Terraform can change its fixed expiry")
	case force:
		run.request.Wish, run.request.Reason = rotation.Rotate, schedule.ReasonForced
	case text.Scheduled() && run.verdict.Due:
	case unclean:
		run.request.Wish = rotation.Settle
	case !text.Scheduled():
		run.request.Wish = rotation.Settle // the record may contain a schedule
		run.note = noSchedule
	default:
		run.outcome = Current
	}
	return run
}

// notOurs is why an entry is left alone that holds someone's secret.
const notOurs = "not written by paistrike"

// noSchedule is why an entry is skipped of which the record, too, has no schedule.
const noSchedule = "no schedule"

// overdue reports whether a due token should already have been replaced.
func overdue(now time.Time, v schedule.Verdict) bool {
	if !v.Due {
		return false
	}
	switch v.Reason {
	case schedule.ReasonPeriod, schedule.ReasonSchedule:
		return !now.Before(v.Next.Add(overdueAfter))
	default: // it expires soon or no longer works
		return true
	}
}
