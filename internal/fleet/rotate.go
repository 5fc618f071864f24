package fleet

import (
	"context"

	"golang.org/x/sync/errgroup"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
)

// Options are what a run may do.
type Options struct {
	// Concurrency is how many entries are looked at at once, 1 at least.
	Concurrency int
	// DryRun reports and writes nothing.
	DryRun bool
	// Force replaces every token, due or not.
	Force bool
	// Last is the path of the entry that comes after all others: the one that holds
	// the token which PAIStrike is called with.
	Last string
	// Progress is told of every entry that is done; it may be nil.
	Progress func(done, total int)
}

// Rotate looks at entries and replaces the tokens that are due. A failure at one entry
// is in its place of the report and stops no other. An error is one that concerns all:
// PAIStrike's tokens cannot be listed. Beside what the protocol needs for the tokens
// that are due, a run makes one list and one read of metadata for each entry; the
// secret of a token that stays is not read.
func Rotate(ctx context.Context, engine *rotation.Engine, entries []entry.Location, o Options) (Report, error) {
	report := Report{DryRun: o.DryRun}
	if len(entries) == 0 {
		return report, nil
	}
	if _, err := engine.Tokens(ctx); err != nil {
		return report, err
	}
	done := make([]Entry, len(entries))
	steps := newSteps(len(entries), o.Progress)
	var last []int
	var group errgroup.Group
	group.SetLimit(max(o.Concurrency, 1))
	for i, at := range entries {
		if at.Path == o.Last {
			last = append(last, i)
			continue
		}
		group.Go(func() error {
			done[i] = tend(ctx, engine, at, o)
			steps.step()
			return nil
		})
	}
	_ = group.Wait() // no entry stops the others
	for _, i := range last {
		done[i] = tend(ctx, engine, entries[i], o)
		steps.step()
	}
	report.Time, _ = engine.ServerTime()
	for _, entry := range done {
		report.add(entry)
	}
	return report, nil
}

// tend does what is to be done about one entry.
func tend(ctx context.Context, engine *rotation.Engine, at entry.Location, o Options) Entry {
	if ctx.Err() != nil {
		return Entry{Path: at.Path, Outcome: Failed, Problem: &Problem{Summary: "not reached before the run ended"}}
	}
	view, err := engine.Inspect(ctx, at)
	if err != nil {
		return Entry{Path: at.Path, Outcome: Failed, Problem: problemOf(err)}
	}
	t := judge(at, view, o.Force)
	entry := entryOf(at, view, t)
	if t.outcome != "" || o.DryRun {
		engine.Forget(at)
		if t.outcome == "" {
			entry.Outcome = Due
		}
		return entry
	}
	result, err := engine.Run(ctx, t.request)
	entry.tell(result, view, err)
	return entry
}

// entryOf is an entry as it was found.
func entryOf(at entry.Location, view rotation.View, t task) Entry {
	e := Entry{
		Path: at.Path, Outcome: t.outcome, Note: t.note, Version: view.Version,
		TokenID: view.Mirror.TokenID, TokenName: view.Mirror.TokenName,
		CreatedAt: view.Mirror.CreatedAt, ExpiresAt: view.Mirror.ExpiresAt,
		NextAt: t.verdict.Next, Deadline: t.verdict.Deadline, Window: t.window,
		Overdue: overdue(view.Clock.Rotate(), t.verdict),
	}
	if t.err != nil {
		e.Problem = problemOf(t.err)
	}
	switch t.request.Wish {
	case rotation.IfDue:
		e.Reason = t.verdict.Reason
		if view.Stale {
			e.Note = "custom metadata is behind; the run reads the record"
		}
	case rotation.Rotate:
		e.Reason = t.request.Reason
	case rotation.Settle:
		if t.outcome == "" {
			e.Note = "older tokens are ready to be revoked"
		}
	}
	for _, r := range view.Retiring {
		e.Previous = append(e.Previous, Previous{ID: r.ID, RevokeAfter: r.RevokeAfter, SupersededAt: r.RevokeAfter.Add(-t.overlap)})
	}
	return e
}

// tell adds what a run did.
func (e *Entry) tell(result rotation.Result, view rotation.View, err error) {
	for _, note := range result.Notes {
		e.Warnings = append(e.Warnings, Problem{Code: note.Code, Summary: note.Summary, Detail: note.Detail})
	}
	e.Retired, e.Swept = result.Retired, result.Swept
	if err != nil {
		e.Outcome, e.Problem = Failed, problemOf(err)
		return
	}
	e.Outcome, e.Note, e.Reason = Settled, "", result.Reason
	switch {
	case result.Rotated:
		e.Outcome, e.Replaced = Rotated, view.Mirror.TokenID
	case len(result.Retired)+len(result.Swept) == 0 && !result.Mirrored:
		e.Outcome = Current // another run was first, or a replaced token is still held
	}
	e.TokenID, e.TokenName, e.Version = result.TokenID, result.TokenName, result.Version
	e.CreatedAt, e.ExpiresAt = result.CreatedAt, result.ExpiresAt
	e.NextAt, e.Deadline = result.Verdict.Next, result.Verdict.Deadline
	e.Overdue = overdue(result.Clock.Rotate(), result.Verdict)
	e.Previous = nil
	for _, r := range result.Retiring {
		e.Previous = append(e.Previous, Previous{ID: r.ID, RevokeAfter: r.RevokeAfter, SupersededAt: r.SupersededAt})
	}
}
