package report

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/paistrike/terraform-provider-paistrike/internal/fleet"
	"github.com/paistrike/terraform-provider-paistrike/internal/inert"
)

// Metrics returns an audit as OpenMetrics text, for example for the textfile collector of
// Prometheus' node exporter. It contains paths but no names of tokens.
func Metrics(r fleet.AuditReport, mount string) string {
	var b strings.Builder
	family(&b, "paistrike_tokens", "Tokens of the account, by state.")
	fmt.Fprintf(&b, "paistrike_tokens{state=\"active\"} %d\n", r.Tokens)
	family(&b, "paistrike_findings", "Findings of the audit, by kind.")
	counts := map[fleet.Code]int{}
	for _, f := range r.Findings {
		counts[f.Code]++
	}
	for _, code := range fleet.Codes() {
		fmt.Fprintf(&b, "paistrike_findings{code=\"%s\"} %d\n", code, counts[code])
	}
	family(&b, "paistrike_entry_days_to_expiry", "Days until the token of an entry expires.")
	for _, e := range r.Entries.All() {
		if e.TokenID != "" && !e.ExpiresAt.IsZero() {
			days := e.ExpiresAt.Sub(r.Time).Hours() / 24
			fmt.Fprintf(&b, "paistrike_entry_days_to_expiry{path=\"%s\"} %s\n", label(mount+"/"+e.Path), strconv.FormatFloat(days, 'f', 2, 64))
		}
	}
	family(&b, "paistrike_entry_overdue", "Whether the rotation of an entry is overdue.")
	for _, e := range r.Entries.All() {
		if e.TokenID != "" {
			fmt.Fprintf(&b, "paistrike_entry_overdue{path=\"%s\"} %d\n", label(mount+"/"+e.Path), bit(e.Overdue))
		}
	}
	family(&b, "paistrike_entries_failed", "Entries that could not be checked.")
	fmt.Fprintf(&b, "paistrike_entries_failed %d\n", r.Failed)
	family(&b, "paistrike_audit_time_seconds", "When the audit ran, as seconds since 1970.")
	fmt.Fprintf(&b, "paistrike_audit_time_seconds %d\n", r.Time.Unix())
	return b.String() + "# EOF\n"
}

func family(b *strings.Builder, name, help string) {
	fmt.Fprintf(b, "# TYPE %s gauge\n", name)
	if unit, ok := strings.CutPrefix(name, "paistrike_audit_time_"); ok {
		fmt.Fprintf(b, "# UNIT %s %s\n", name, unit)
	}
	fmt.Fprintf(b, "# HELP %s %s\n", name, help)
}

// label escapes the value of a label.
func label(text string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(inert.Line(text, 1000))
}

func bit(yes bool) int {
	if yes {
		return 1
	}
	return 0
}
