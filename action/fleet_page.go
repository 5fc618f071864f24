package main

import (
	"fmt"
	"strings"

	"github.com/paistrike/terraform-provider-paistrike/internal/fleet"
)

// pageLimit is how much Markdown one run writes, in bytes: GitHub drops the whole
// summary of a step that is above 1 MiB.
const pageLimit = 900 << 10

// page is Markdown that stops in time.
type page struct {
	strings.Builder

	left int // rows that had no room
}

// row writes a line of a table if there is room for it.
func (p *page) row(cells ...string) {
	line := "| " + strings.Join(cells, " | ") + " |\n"
	if p.Len()+len(line) > pageLimit {
		p.left++
		return
	}
	p.WriteString(line)
}

// more says what is missing.
func (p *page) more() {
	if p.left > 0 {
		fmt.Fprintf(&p.Builder, "\n%d more rows are in the report, which is an output of the step.\n", p.left)
	}
	p.left = 0
}

func code(text string) string {
	if text == "" {
		return ""
	}
	return "<code>" + escape(text) + "</code>"
}

// rotationPage is the report for the page of the run.
func rotationPage(r fleet.Report, set fleetSettings) string {
	p := &page{}
	title := "PAIStrike token rotation"
	if r.DryRun {
		title += ", dry run"
	}
	fmt.Fprintf(&p.Builder, "### %s\n\n%s, %s.\n\n", title, code(set.folder.Mount+"/"+set.folder.Path), escape(rotationCounts(r)))
	p.WriteString(timeline(r.Time, byUrgency(r.Entries)))
	if len(r.Entries) > 0 {
		p.WriteString("| | Vault | Token | Expires | Next rotation | |\n|---|---|---|---|---|---|\n")
	}
	for _, e := range byUrgency(r.Entries) {
		token := code(e.TokenID)
		if e.Replaced != "" {
			token = code(e.Replaced) + " → " + token
		}
		p.row(sign(e)+" "+string(e.Outcome), code(e.Path), token, expiry(e), orDashes(stamp(e.NextAt)), escape(remarks(e)))
	}
	p.more()
	return p.String()
}

// sign is what the eye finds first.
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

// auditPage is the report for the page of the run.
func auditPage(r fleet.AuditReport, set fleetSettings) string {
	p := &page{}
	fmt.Fprintf(&p.Builder, "### PAIStrike token audit\n\n%s, %s.\n\n", code(set.folder.Mount+"/"+set.folder.Path), escape(auditCounts(r)))
	if len(r.Findings) > 0 {
		p.WriteString("| | Finding | Vault | Token | What | Fix |\n|---|---|---|---|---|---|\n")
	}
	for _, f := range r.Findings {
		mark := "⚠️"
		if f.Severity == fleet.Error {
			mark = "❌"
		}
		p.row(mark+" "+string(f.Severity), escape(string(f.Code)), code(f.Path), code(f.TokenID), escape(whatIsSo(f)), escape(f.Fix))
	}
	for _, e := range r.Entries {
		if e.Outcome == fleet.Failed && e.Problem != nil {
			p.row("❌ failed", "", code(e.Path), code(e.TokenID), escape(problem(*e.Problem)), "")
		}
	}
	p.more()
	p.WriteString("\n" + timeline(r.Time, byUrgency(r.Entries)))
	return p.String()
}
