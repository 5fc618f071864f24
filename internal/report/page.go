package report

import (
	"fmt"
	"strings"

	"github.com/paistrike/terraform-provider-paistrike/internal/fleet"
	"github.com/paistrike/terraform-provider-paistrike/internal/inert"
)

// pageLimit limits the Markdown of one run, in bytes: GitHub drops the entire summary of a
// step above 1 MiB.
const pageLimit = 900 << 10

// page is Markdown with a limited size.
type page struct {
	strings.Builder

	left int // rows omitted
}

// row appends a table row if it fits.
func (p *page) row(cells ...string) {
	line := "| " + strings.Join(cells, " | ") + " |\n"
	if p.Len()+len(line) > pageLimit {
		p.left++
		return
	}
	p.WriteString(line)
}

// more reports the number of omitted rows.
func (p *page) more() {
	if p.left > 0 {
		fmt.Fprintf(&p.Builder, "\n%d more rows are in the step's output `report`.\n", p.left)
	}
	p.left = 0
}

// RotationPage formats a report for the job summary.
func RotationPage(r fleet.Report, folder string) string {
	p := &page{}
	title := "PAIStrike token rotation"
	if r.DryRun {
		title += ", dry run"
	}
	fmt.Fprintf(&p.Builder, "### %s\n\n%s, %s.\n\n", title, inert.Code(folder), inert.Markdown(rotationCounts(r)))
	entries := byUrgency(r.Entries)
	p.WriteString(timeline(r.Time, entries))
	if r.Entries.Len() > 0 {
		p.WriteString("| | Entry | Token | Expires | Next rotation | |\n|---|---|---|---|---|---|\n")
	}
	for e := range entries {
		token := inert.Code(e.TokenID)
		if e.Replaced != "" {
			token = inert.Code(e.Replaced) + " → " + token
		}
		p.row(sign(e)+" "+string(e.Outcome), inert.Code(e.Path), token, expiry(e), orDashes(Stamp(e.NextAt)), inert.Markdown(remarks(e)))
	}
	p.more()
	return p.String()
}

// sign returns an emoji for the outcome.
func sign(e fleet.Entry) string {
	switch {
	case e.Outcome == fleet.Failed:
		return "❌"
	case e.Overdue:
		return "⏰"
	case e.Outcome == fleet.Rotated:
		return "🔄"
	case e.Outcome == fleet.Settled:
		return "🧹"
	case e.Outcome == fleet.Due:
		return "🔜"
	case e.Outcome == fleet.Skipped:
		return "➖"
	}
	return "✅"
}

// AuditPage formats a report for the job summary.
func AuditPage(r fleet.AuditReport, folder string) string {
	p := &page{}
	fmt.Fprintf(&p.Builder, "### PAIStrike token audit\n\n%s, %s.\n\n", inert.Code(folder), inert.Markdown(auditCounts(r)))
	if len(r.Findings) > 0 {
		p.WriteString("| | Finding | Entry | Token | Detail | Fix |\n|---|---|---|---|---|---|\n")
	}
	for _, f := range r.Findings {
		mark := "⚠️"
		if f.Severity == fleet.Error {
			mark = "❌"
		}
		p.row(mark+" "+string(f.Severity), inert.Markdown(string(f.Code)), inert.Code(f.Path), inert.Code(f.TokenID), inert.Markdown(whatIsSo(f)), inert.Markdown(f.Fix))
	}
	for _, e := range r.Entries.All() {
		if e.Outcome == fleet.Failed && e.Problem != nil {
			p.row("❌ failed", "", inert.Code(e.Path), inert.Code(e.TokenID), inert.Markdown(problem(*e.Problem)), "")
		}
	}
	p.more()
	p.WriteString("\n" + timeline(r.Time, byUrgency(r.Entries)))
	return p.String()
}
