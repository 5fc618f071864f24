package report

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/fleet"
	"github.com/paistrike/terraform-provider-paistrike/internal/inert"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
)

// urgency orders entries by outcome, those that need attention first.
func urgency(e fleet.Entry) int {
	order := []fleet.Outcome{fleet.Failed, fleet.Due, fleet.Rotated, fleet.Settled, fleet.Current, fleet.Skipped}
	at := 2 * slices.Index(order, e.Outcome)
	if e.Overdue {
		at--
	}
	return at
}

// byUrgency returns the entries in the order in which they are shown, those that are
// equally urgent by path.
func byUrgency(entries fleet.Entries) iter.Seq[fleet.Entry] {
	type place struct{ urgency, at int }
	places := make([]place, 0, entries.Len())
	for i, e := range entries.All() {
		places = append(places, place{urgency(e), i})
	}
	slices.SortStableFunc(places, func(a, b place) int { return cmp.Compare(a.urgency, b.urgency) })
	return func(yield func(fleet.Entry) bool) {
		for _, p := range places {
			if !yield(entries.At(p.at)) {
				return
			}
		}
	}
}

// RotationTable returns the report as plain text, at most width columns wide (0 = unlimited).
func RotationTable(r fleet.Report, width int) string {
	entries := byUrgency(r.Entries)
	rows := func(yield func([]string) bool) {
		for e := range entries {
			row := []string{inert.Short(e.Path), string(e.Outcome), tokens(e), expiry(e), orDashes(Stamp(e.NextAt)), inert.Line(remarks(e), 1000)}
			if !yield(row) {
				return
			}
		}
	}
	return aligned([]string{"PATH", "OUTCOME", "TOKEN", "EXPIRES", "NEXT ROTATION", "NOTE"}, rows, width) + rotationCounts(r) + "\n"
}

// rotationCounts summarizes the report in one line.
func rotationCounts(r fleet.Report) string {
	text := fmt.Sprintf("%d rotated, %d retired, %d swept, %d failed", r.Rotated, r.Retired, r.Swept, r.Failed)
	if r.DryRun {
		text = fmt.Sprintf("dry run: %d to do, %d failed", r.Due, r.Failed)
	}
	if r.Overdue > 0 {
		text += fmt.Sprintf(", %d overdue", r.Overdue)
	}
	text += fmt.Sprintf("; %d not due, %d skipped", r.Current, r.Skipped)
	if !r.NextRotationAt.IsZero() {
		text += "; next rotation " + Stamp(r.NextRotationAt)
	}
	return text
}

// tokens shows the token and, if it was rotated, its predecessor.
func tokens(e fleet.Entry) string {
	if e.Replaced != "" {
		return e.Replaced + " → " + e.TokenID
	}
	return orDashes(e.TokenID)
}

func expiry(e fleet.Entry) string {
	if e.TokenID != "" && e.ExpiresAt.IsZero() {
		return "never"
	}
	return orDashes(Stamp(e.ExpiresAt))
}

// AbandonTable returns the report as plain text, at most width columns wide (0 = unlimited).
// An entry has one line for each token that was not revoked.
func AbandonTable(r fleet.AbandonReport, width int) string {
	var rows [][]string
	for _, e := range r.Entries {
		left := e.NotRevoked
		if len(left) == 0 {
			left = make([]fleet.Left, 1)
		}
		for _, token := range left {
			end := orDashes(Stamp(token.ExpiresAt))
			if token.ID != "" && token.ExpiresAt.IsZero() {
				end = "unknown expiry"
			}
			rows = append(rows, []string{inert.Short(e.Path), string(e.Outcome), orDashes(inert.Short(token.ID)), end, inert.Line(abandonRemarks(e), 1000)})
		}
	}
	return aligned([]string{"PATH", "OUTCOME", "NOT REVOKED", "EXPIRES", "NOTE"}, slices.Values(rows), width) + abandonCounts(r) + "\n"
}

func abandonRemarks(e fleet.AbandonedEntry) string {
	if e.Problem != nil {
		return problem(*e.Problem)
	}
	return e.Note
}

// abandonCounts summarizes the report in two lines: the actions of the run, and the resulting
// state.
func abandonCounts(r fleet.AbandonReport) string {
	text := fmt.Sprintf("%d closed, %d failed", r.Closed, r.Failed)
	switch {
	case r.DryRun:
		text = fmt.Sprintf("dry run: %d to close, %d failed", r.Due, r.Failed)
	case r.Closed+r.Failed == 0 && r.Current > 0:
		text = "nothing to do"
	}
	text += fmt.Sprintf("; %d closed before, %d skipped", r.Current, r.Skipped)
	switch {
	case r.NotRevoked == 0:
		return text
	case r.DryRun:
		return text + "\n" + Count(r.NotRevoked, "token", "tokens") + " would not be revoked: if that PAIStrike still exists, they work there until they expire."
	}
	return text + "\nClosed entries no longer serve a token. " + Count(r.NotRevoked, "token was", "tokens were") + " not revoked: if that PAIStrike still exists, they work there until they expire."
}

// Count returns a number with its noun in the singular or plural.
func Count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func orDashes(text string) string { return cmp.Or(text, "-") }

// remarks returns further information about an entry in one line.
func remarks(e fleet.Entry) string {
	var parts []string
	if e.Overdue {
		parts = append(parts, "overdue")
	}
	if e.Reason != "" {
		parts = append(parts, string(e.Reason))
	}
	if e.Note != "" {
		parts = append(parts, e.Note)
	}
	if n := len(e.Retired); n > 0 {
		parts = append(parts, fmt.Sprintf("%d retired", n))
	}
	if n := len(e.Swept); n > 0 {
		parts = append(parts, fmt.Sprintf("%d swept", n))
	}
	if n := len(e.Previous); n > 0 {
		parts = append(parts, fmt.Sprintf("%d in overlap until %s", n, Stamp(lastRevocation(e))))
	}
	if e.Problem != nil {
		parts = append(parts, problem(*e.Problem))
	}
	for _, warning := range e.Warnings {
		parts = append(parts, problem(warning))
	}
	return strings.Join(parts, "; ")
}

func lastRevocation(e fleet.Entry) time.Time {
	var last time.Time
	for _, p := range e.Previous {
		if p.RevokeAfter.After(last) {
			last = p.RevokeAfter
		}
	}
	return last
}

func problem(p fleet.Problem) string {
	text := p.Summary
	if p.Code != "" {
		text = p.Code + " " + text
	}
	if p.Detail != "" {
		text += ": " + p.Detail
	}
	return text
}

// AuditTable returns the report as plain text, at most width columns wide (0 = unlimited).
func AuditTable(r fleet.AuditReport, width int) string {
	rows := func(yield func([]string) bool) {
		for _, f := range r.Findings {
			row := []string{string(f.Severity), string(f.Code), orDashes(inert.Short(f.Path)), orDashes(inert.Short(f.TokenID)), inert.Line(whatIsSo(f), 1000), f.Fix}
			if !yield(row) {
				return
			}
		}
		for _, e := range r.Entries.All() {
			if e.Outcome == fleet.Failed && e.Problem != nil &&
				!yield([]string{"failed", "-", inert.Short(e.Path), orDashes(inert.Short(e.TokenID)), inert.Line(problem(*e.Problem), 1000), ""}) {
				return
			}
		}
	}
	return aligned([]string{"SEVERITY", "FINDING", "ENTRY", "TOKEN", "DETAIL", "FIX"}, rows, width) + auditCounts(r) + "\n"
}

// whatIsSo returns a finding's detail with the name of its token.
func whatIsSo(f fleet.Finding) string {
	text := f.Detail
	name := f.TokenName
	if managed, ok := rotation.ParseName(name); ok {
		name = managed.Label // the suffix is meaningless to users
	}
	if name != "" {
		text = name + ": " + text
	}
	if f.Swept {
		text += " Revoked by this run."
	}
	return text
}

func auditCounts(r fleet.AuditReport) string {
	text := fmt.Sprintf("%s, %s: %s, %s", Count(r.Tokens, "token", "tokens"), Count(r.Entries.Len(), "entry", "entries"),
		Count(r.Errors, "error", "errors"), Count(r.Warnings, "warning", "warnings"))
	if r.Swept > 0 {
		text += fmt.Sprintf(", %d swept", r.Swept)
	}
	if r.Failed > 0 {
		text += fmt.Sprintf(", %d failed", r.Failed)
	}
	return text
}

// Stamp returns a time in RFC 3339 and UTC, "" for the zero time, which means never.
func Stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
