package fleet

import (
	"context"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
)

// AuditOptions configures an audit.
type AuditOptions struct {
	Limits      Limits
	Concurrency int
	// Sweep revokes orphans, under the rules of the protocol.
	Sweep    bool
	Progress func(done, total int)
}

// AuditReport is the result of an audit. It contains no secret.
type AuditReport struct {
	Time     time.Time `json:"time"`   // PAIStrike's time
	Tokens   int       `json:"tokens"` // number of working tokens of the account
	Entries  Entries   `json:"entries"`
	Findings []Finding `json:"findings"`

	Errors   int `json:"errors"`
	Warnings int `json:"warnings"`
	Swept    int `json:"swept"`
	// Failed is the number of entries that could not be read or swept.
	Failed int `json:"failed"`
}

// Audit compares all tokens of the account with the entries. It makes one list, reads the
// metadata of each entry, and writes nothing. With Sweep, it also reads the record of each
// entry with an orphan and revokes the orphan.
func Audit(ctx context.Context, engine *rotation.Engine, entries []entry.Location, o AuditOptions) (AuditReport, error) {
	var report AuditReport
	tokens, err := engine.Tokens(ctx)
	if err != nil {
		return report, err
	}
	judge := newAuditor(o.Limits, len(entries))
	report.Entries.rows = make([]row, 0, len(entries)) // a slice that grows is in memory twice
	visit(entries, o.Concurrency, o.Progress,
		func(at entry.Location) looked { return look(ctx, engine, at, o.Sweep) },
		func(l looked) {
			judge.entry(l.held)
			report.Entries.add(l.entry)
		})
	report.Entries.sort()
	report.Time, _ = engine.ServerTime()
	report.Tokens, report.Findings = judge.account(report.Time, tokens)
	report.count()
	return report, nil
}

// looked is the result for one entry: the data for findings, and the report.
type looked struct {
	held  *held
	entry Entry
}

// look reads an entry and, if sweep is true, revokes its orphans.
func look(ctx context.Context, engine *rotation.Engine, at entry.Location, sweep bool) looked {
	seen, t, err := consider(ctx, engine, at, false)
	if err != nil {
		return looked{&held{path: at.Path}, Entry{Path: at.Path, Outcome: Failed, Problem: problemOf(err)}}
	}
	h, found := hold(seen, t), entryOf(seen, t)
	switch {
	case t.err != nil:
		found.Outcome = Skipped // reported as a finding
	case t.outcome == "" && t.note == noSchedule:
		found.Outcome = Skipped
	case t.outcome == "":
		found.Outcome = Due
	}
	if !sweep || seen.Strays() == 0 || t.err != nil {
		return looked{h, found}
	}
	request := rotation.Request{At: at, Seen: &seen, Stored: true, Wish: rotation.Sweep}
	result, err := engine.Run(ctx, request)
	found.Swept = result.Swept
	found.Warnings = append(found.Warnings, problemsOf(result.Notes)...)
	if err != nil {
		found.Outcome, found.Problem = Failed, problemOf(err)
	}
	return looked{h, found}
}

// count computes the counts and marks the findings whose token was swept.
func (r *AuditReport) count() {
	swept := map[string]bool{}
	for _, entry := range r.Entries.All() {
		for _, id := range entry.Swept {
			swept[id] = true
		}
		if entry.Outcome == Failed {
			r.Failed++
		}
	}
	r.Swept = len(swept)
	for i := range r.Findings {
		f := &r.Findings[i]
		f.Swept = swept[f.TokenID]
		if f.Severity == Error {
			r.Errors++
		} else {
			r.Warnings++
		}
	}
}
