package report

import (
	"fmt"
	"strings"

	"github.com/paistrike/terraform-provider-paistrike/internal/fleet"
	"github.com/paistrike/terraform-provider-paistrike/internal/inert"
)

// Issue is the issue for one kind of finding.
type Issue struct {
	Title string
	// Body is Markdown. It is "" if there is no finding of this kind.
	Body string
}

// Issues returns one issue for each kind of finding, in the order of fleet's codes.
func Issues(r fleet.AuditReport, folder string) []Issue {
	var all []Issue
	for _, code := range fleet.Codes() {
		issue := Issue{Title: "PAIStrike audit: " + strings.ReplaceAll(string(code), "_", " ") + " (" + inert.Short(folder) + ")"}
		p := &page{}
		for _, f := range r.Findings {
			if f.Code == code {
				p.row(inert.Code(f.Path), inert.Code(f.TokenID), inert.Markdown(whatIsSo(f)), inert.Markdown(f.Fix))
			}
		}
		if rows := p.String(); rows != "" {
			issue.Body = fmt.Sprintf("Found below %s.\n\n| Entry | Token | Detail | Fix |\n|---|---|---|---|\n%s", inert.Code(folder), rows)
		}
		all = append(all, issue)
	}
	return all
}
