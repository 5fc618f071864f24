package fleet

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
)

// AbandonOptions configures a run over entries whose PAIStrike no longer exists.
type AbandonOptions struct {
	// Endpoint is the PAIStrike that no longer exists, as in records: scheme, host, port and
	// prefix.
	Endpoint    string
	Concurrency int
	// DryRun only reports.
	DryRun   bool
	Progress func(done, total int)
}

// AbandonReport lists the closed entries, and the tokens that were not revoked. It contains
// no secret.
type AbandonReport struct {
	DryRun   bool             `json:"dry_run"`
	Endpoint string           `json:"endpoint"` // of the PAIStrike that no longer exists
	Entries  []AbandonedEntry `json:"entries"`

	Closed  int `json:"closed"`
	Due     int `json:"due"`     // would be closed without dry_run
	Current int `json:"current"` // were already closed
	Skipped int `json:"skipped"`
	Failed  int `json:"failed"`
	// NotRevoked is the number of tokens of all entries that were not revoked and have not
	// expired.
	NotRevoked int `json:"not_revoked"`
}

// AbandonedEntry is one entry in an [AbandonReport].
type AbandonedEntry struct {
	Path    string  `json:"path"`
	Outcome Outcome `json:"outcome"`
	Note    string  `json:"note,omitempty"`
	// Endpoint is the PAIStrike of the entry.
	Endpoint   string    `json:"endpoint,omitempty"`
	NotRevoked []Left    `json:"not_revoked,omitempty"`
	Problem    *Problem  `json:"problem,omitempty"`
	Warnings   []Problem `json:"warnings,omitempty"`

	elsewhere bool // the entry belongs to another PAIStrike
}

// Left is a token that was not revoked.
type Left struct {
	ID        string    `json:"token_id"`
	Name      string    `json:"token_name,omitempty"`
	ExpiresAt time.Time `json:"expires_at,omitzero"` // zero: never, or unknown
}

// Abandon closes entries whose PAIStrike no longer exists, with an engine without PAIStrike.
// The failure of an entry is in its report and does not affect other entries.
func Abandon(ctx context.Context, engine *rotation.Engine, entries []entry.Location, o AbandonOptions) AbandonReport {
	report := AbandonReport{DryRun: o.DryRun, Endpoint: o.Endpoint, Entries: make([]AbandonedEntry, 0, len(entries))}
	visit(entries, o.Concurrency, o.Progress, func(at entry.Location) AbandonedEntry { return abandon(ctx, engine, at, o) }, report.add)
	slices.SortFunc(report.Entries, func(a, b AbandonedEntry) int { return strings.Compare(a.Path, b.Path) })
	return report
}

// abandon closes one entry.
func abandon(ctx context.Context, engine *rotation.Engine, at entry.Location, o AbandonOptions) AbandonedEntry {
	if ctx.Err() != nil {
		return AbandonedEntry{Path: at.Path, Outcome: Failed, Problem: notReached()}
	}
	result, err := engine.Abandon(ctx, rotation.AbandonRequest{At: at, Endpoint: o.Endpoint, DryRun: o.DryRun})
	e := AbandonedEntry{Path: at.Path, Endpoint: result.Endpoint, Warnings: problemsOf(result.Notes)}
	for _, token := range result.Left {
		e.NotRevoked = append(e.NotRevoked, Left{ID: token.ID, Name: token.Name, ExpiresAt: token.ExpiresAt})
	}
	if err != nil {
		e.Outcome, e.Problem = Failed, problemOf(err)
		return e
	}
	e.stand(result, o.DryRun)
	return e
}

// stand sets the outcome from the entry's previous state.
func (e *AbandonedEntry) stand(result rotation.Abandoned, dryRun bool) {
	switch result.Standing {
	case rotation.StandingOpen, rotation.StandingUnfinished:
		e.Outcome = Closed
		if dryRun {
			e.Outcome = Due
		}
	case rotation.StandingClosed:
		e.Outcome, e.Note = Current, "closed before"
	case rotation.StandingEmpty:
		e.Outcome, e.Note = Skipped, "empty"
	case rotation.StandingForeign:
		e.Outcome, e.Note = Skipped, notOurs
	case rotation.StandingOtherPlace:
		e.Outcome, e.Note, e.elsewhere = Skipped, fmt.Sprintf("belongs to a different PAIStrike, %s", result.Endpoint), true
	}
}

// add counts an entry, and keeps it.
func (r *AbandonReport) add(e AbandonedEntry) {
	r.Entries = append(r.Entries, e)
	switch e.Outcome {
	case Closed:
		r.Closed++
	case Due:
		r.Due++
	case Current:
		r.Current++
	case Skipped:
		r.Skipped++
	case Failed:
		r.Failed++
	case Rotated, Settled:
	}
	r.NotRevoked += len(e.NotRevoked)
}

// Elsewhere returns the PAIStrike of an entry, and true if no entry belongs to the given
// endpoint but some belong to others: then the endpoint or the folder is misspelled.
func (r AbandonReport) Elsewhere() (endpoint string, all bool) {
	for _, e := range r.Entries {
		switch {
		case e.elsewhere:
			endpoint = e.Endpoint
		case e.Outcome != Skipped:
			return "", false
		}
	}
	return endpoint, endpoint != ""
}
