package report

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/paistrike/terraform-provider-paistrike/internal/fleet"
	"github.com/paistrike/terraform-provider-paistrike/internal/testparts"
)

var update = flag.Bool("update", false, "write the files in testdata")

// account returns the audit of an account with malicious names.
func account() fleet.AuditReport {
	return fleet.AuditReport{
		Time: now, Tokens: 4, Failed: 1, Errors: 1, Warnings: 2,
		Entries: fleet.EntriesOf([]fleet.Entry{
			{Path: "ci/b \"quoted\"", TokenID: "tok_2", ExpiresAt: now.Add(36 * time.Hour), Overdue: true},
			{Path: "ci/a", TokenID: "tok_1", ExpiresAt: now.AddDate(0, 0, 90)},
			{Path: "ci/foreign", Outcome: fleet.Skipped},
			{Path: "ci/never", TokenID: "tok_3"},
		}...),
		Findings: []fleet.Finding{
			{Code: fleet.Overdue, Severity: fleet.Error, Path: "ci/b \"quoted\"", TokenID: "tok_2", TokenName: "Scan [x](https://evil.example.com)", Detail: "Its rotation is overdue.", Fix: "See why the schedule does not run."},
			{Code: fleet.NoExpiry, Severity: fleet.Warning, Path: "ci/never", TokenID: "tok_3", Detail: "It never expires.", Fix: "Set expires_in."},
			{Code: fleet.NoExpiry, Severity: fleet.Warning, TokenID: "tok_4", TokenName: "Old laptop @octocat", Detail: "It never expires.", Fix: "Revoke it."},
		},
	}
}

// All notifications match their golden files.
func TestNotices(t *testing.T) {
	t.Parallel()
	sarif, err := json.MarshalIndent(SARIF(account(), "secret", "1.2.3"), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	issues, err := json.MarshalIndent(Issues(account(), "secret/ci"), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string]string{"audit.sarif": string(sarif) + "\n", "audit.prom": Metrics(account(), "secret"), "issues.json": string(issues) + "\n"} {
		file := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil || got != string(want) {
			t.Errorf("%s: %v\n%s", name, err, got)
		}
	}
}

// An audit without findings is a valid log without results, and closes every issue.
func TestNoticesOfNothing(t *testing.T) {
	t.Parallel()
	raw, err := json.Marshal(SARIF(fleet.AuditReport{}, "secret", "1"))
	if err != nil {
		t.Fatal(err)
	}
	var log struct{ Runs []struct{ Results []any } }
	if err := json.Unmarshal(raw, &log); err != nil || len(log.Runs) != 1 || log.Runs[0].Results == nil {
		t.Errorf("%v: %s", err, raw)
	}
	for _, issue := range Issues(fleet.AuditReport{}, "secret/ci") {
		if issue.Body != "" {
			t.Errorf("%+v", issue)
		}
	}
}

// The SARIF output satisfies the schema that OASIS publishes, which gosec includes unchanged
// for its own tests. The schema rejects an invalid log.
func TestSARIFSatisfiesItsSchema(t *testing.T) {
	t.Parallel()
	schema := testparts.Schema(t, testparts.Published(t, "github.com/securego/gosec/v2", "report/sarif/testdata/sarif-schema-2.1.0.json"))
	valid := func(raw string) error {
		document, err := jsonschema.UnmarshalJSON(strings.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		return schema.Validate(document)
	}
	odd := account()
	odd.Findings[0].Path = "ci/100% \u202e[x](y)\n/ü?#"
	odd.Findings[1].TokenName = strings.Repeat("x", 5000)
	for name, r := range map[string]fleet.AuditReport{"of an account": account(), "of nothing": {}, "of odd names": odd} {
		var out bytes.Buffer
		if err := json.NewEncoder(&out).Encode(SARIF(r, "secret", "")); err != nil {
			t.Fatal(err)
		}
		if err := valid(out.String()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for what, broken := range map[string]string{
			"another level":    strings.ReplaceAll(out.String(), `"level":"error"`, `"level":"bad"`),
			"another property": strings.ReplaceAll(out.String(), `"columnKind"`, `"columnSort"`),
		} {
			if broken != out.String() && valid(broken) == nil {
				t.Errorf("%s: %s is not noticed", name, what)
			}
		}
	}
}
