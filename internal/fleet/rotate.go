package fleet

import (
	"context"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
)

// Options configures a run.
type Options struct {
	// Concurrency is the number of entries processed concurrently, at least 1.
	Concurrency int
	// DryRun only reports.
	DryRun bool
	// Force replaces every token, due or not.
	Force bool
	// Adopt accepts tokens that a store never published, and gives them their entry's
	// overlap.
	Adopt bool
	// RevokePrevious revokes replaced tokens without an overlap. It requires Force.
	RevokePrevious bool
	// OnlyDue omits entries without actions from the report. They are counted, but not kept
	// in memory.
	OnlyDue bool
	// Succeed allows RevokePrevious to revoke the token used for calls to PAIStrike, with the
	// token that replaces it. It is for a run over one entry.
	Succeed bool
	// Progress, if not nil, is called after each entry.
	Progress func(done, total int)
}

// Rotate examines entries and replaces the due tokens. The failure of an entry is in its
// report and does not affect other entries. Rotate returns an error only if PAIStrike's
// tokens cannot be listed. Apart from the calls of the protocol for due tokens, a run makes
// one list and reads the metadata of each entry; it does not read the secret of a token that
// it keeps.
func Rotate(ctx context.Context, engine *rotation.Engine, entries []entry.Location, o Options) (Report, error) {
	report := Report{DryRun: o.DryRun}
	if len(entries) == 0 {
		return report, nil
	}
	if _, err := engine.Tokens(ctx); err != nil {
		return report, err
	}
	visit(entries, o.Concurrency, o.Progress,
		func(at entry.Location) Entry { return tend(ctx, engine, at, o) },
		func(e Entry) { report.add(e, o.OnlyDue) })
	report.Time, _ = engine.ServerTime()
	report.Entries.sort()
	return report, nil
}

// tend performs the task of one entry.
func tend(ctx context.Context, engine *rotation.Engine, at entry.Location, o Options) Entry {
	if ctx.Err() != nil {
		return Entry{Path: at.Path, Outcome: Failed, Problem: notReached()}
	}
	seen, t, err := consider(ctx, engine, at, o.Force)
	if err != nil {
		return Entry{Path: at.Path, Outcome: Failed, Problem: problemOf(err)}
	}
	done := entryOf(seen, t)
	switch {
	case t.outcome != "":
		return done
	case o.DryRun && t.note == noSchedule:
		done.Outcome = Skipped
		return done
	case o.DryRun:
		done.Outcome = Due
		return done
	}
	t.request.Adopt, t.request.RevokePrevious, t.request.Succeed = o.Adopt, o.RevokePrevious, o.Succeed
	result, err := engine.Run(ctx, t.request)
	done.tell(result, seen, err)
	return done
}

// consider reads an entry and decides its task. The data in the walk's own list suffices only
// if there is nothing to do, because a list may be outdated.
func consider(ctx context.Context, engine *rotation.Engine, at entry.Location, force bool) (rotation.Sight, task, error) {
	if seen, ok, err := engine.Glimpse(ctx, at); ok && err == nil {
		if t := judge(seen, force); t.outcome == Current || t.outcome == Skipped {
			return seen, t, nil
		}
	}
	seen, err := engine.Look(ctx, at)
	if err != nil {
		return seen, task{}, err
	}
	return seen, judge(seen, force), nil
}

// entryOf returns the report of an entry before a run.
func entryOf(seen rotation.Sight, t task) Entry {
	e := Entry{
		Path: seen.At.Path, Outcome: t.outcome, Note: t.note, Gen: seen.Mirror.Of,
		TokenID: same(seen.Mirror.TokenID, seen.Current.ID), TokenName: same(seen.Mirror.TokenName, seen.Current.Name),
		CreatedAt: seen.Mirror.CreatedAt, ExpiresAt: seen.Mirror.ExpiresAt,
		NextAt: t.verdict.Next, Deadline: t.verdict.Deadline, Window: t.window,
		Overdue: overdue(seen.Clock.Rotate(), t.verdict),
	}
	if t.err != nil {
		e.Problem = problemOf(t.err)
	}
	switch t.request.Wish {
	case rotation.IfDue:
		e.Reason = t.verdict.Reason
	case rotation.Rotate:
		e.Reason = t.request.Reason
	case rotation.Settle:
		if t.outcome == "" && t.note == "" {
			e.Note = "older tokens can be revoked"
		}
	}
	for _, r := range seen.Retiring {
		e.Previous = append(e.Previous, Previous{ID: r.ID, RevokeAfter: r.RevokeAfter, SupersededAt: r.RevokeAfter.Add(-t.overlap)})
	}
	return e
}

// same returns text, and if another text says the same, that one: a run keeps both for each
// entry, so they should be one in memory.
func same(text, other string) string {
	if text == other {
		return other
	}
	return text
}

// tell adds the result of a run.
func (e *Entry) tell(result rotation.Result, seen rotation.Sight, err error) {
	e.Warnings = append(e.Warnings, problemsOf(result.Notes)...)
	e.Retired, e.Swept = result.Retired, result.Swept
	note := e.Note
	e.Note = ""
	if result.TokenID != "" {
		e.TokenID, e.TokenName, e.Gen = result.TokenID, result.TokenName, result.Gen
		e.CreatedAt, e.ExpiresAt = result.CreatedAt, result.ExpiresAt
		e.NextAt, e.Deadline = result.Verdict.Next, result.Verdict.Deadline
		e.Overdue = overdue(result.Clock.Rotate(), result.Verdict)
		e.Previous = nil
		for _, r := range result.Retiring {
			e.Previous = append(e.Previous, Previous{ID: r.ID, RevokeAfter: r.RevokeAfter, SupersededAt: r.SupersededAt})
		}
	}
	if result.Rotated {
		e.Replaced = seen.Mirror.TokenID
	}
	idle := len(result.Retired)+len(result.Swept) == 0 && !result.Mirrored && !result.Published
	switch {
	case err != nil:
		e.Outcome, e.Problem = Failed, problemOf(err)
		return
	case result.Closed:
		e.Outcome, e.Note = Skipped, "closed: Terraform destroyed its token"
	case result.Rotated:
		e.Outcome = Rotated
	case idle && note == noSchedule && !result.Schedule.Scheduled():
		e.Outcome, e.Note = Skipped, noSchedule
	case idle:
		e.Outcome = Current // another run was faster, or a replaced token is still held
	default:
		e.Outcome = Settled
	}
	e.Reason = result.Reason
}
