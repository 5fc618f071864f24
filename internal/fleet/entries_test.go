package fleet_test

import (
	"bytes"
	"encoding/json"
	"io"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/paistrike/terraform-provider-paistrike/internal/fleet"
)

// someEntries returns entries of each sort, in the order of their paths.
func someEntries() []fleet.Entry {
	at := time.Date(2026, time.March, 1, 12, 0, 0, 123456789, time.UTC)
	plain := fleet.Entry{
		Path: "ci/a", Outcome: fleet.Current, Reason: "period", Note: `says "entries": []`, TokenID: "tok_1", TokenName: "A", Gen: 7,
		CreatedAt: at, ExpiresAt: at.AddDate(7000, 0, 0), NextAt: at.Add(time.Hour), Deadline: at.Add(2 * time.Hour), Window: time.Minute, Overdue: true,
	}
	elsewhere := fleet.Entry{Path: "ci/b", CreatedAt: at.In(time.FixedZone("", 3600))}
	rotated := plain
	rotated.Path, rotated.Outcome, rotated.Replaced = "ci/c", fleet.Rotated, "tok_0"
	rotated.Previous, rotated.Retired, rotated.Swept = []fleet.Previous{{ID: "tok_0", RevokeAfter: at, SupersededAt: at}}, []string{"tok_2"}, []string{"tok_3"}
	rotated.Warnings = []fleet.Problem{{Code: "PS111", Summary: "odd"}}
	return []fleet.Entry{plain, elsewhere, rotated, {Path: "ci/d", Outcome: fleet.Failed, Problem: &fleet.Problem{Summary: "refused"}}, {Path: "ci/e"}}
}

// A report keeps its entries in less memory than they would take, and returns each as it
// was added, in the order of their paths.
func TestEntriesAreReturnedAsTheyWere(t *testing.T) {
	t.Parallel()
	want := someEntries()
	entries := fleet.EntriesOf(want[3], want[0], want[4], want[2], want[1])
	if entries.Len() != len(want) {
		t.Fatalf("%d entries, want %d", entries.Len(), len(want))
	}
	for i, got := range entries.All() {
		if diff := cmp.Diff(want[i], got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", want[i].Path, diff)
		}
	}
}

// A report that is written entry by entry is the one that is written at once.
func TestReportsAreWrittenEntryByEntry(t *testing.T) {
	t.Parallel()
	all := someEntries()
	for n := range len(all) + 1 {
		entries := fleet.EntriesOf(all[:n]...)
		audit := fleet.AuditReport{Entries: entries, Findings: []fleet.Finding{{Detail: `"entries": []`}}}
		for _, report := range []interface{ WriteJSON(io.Writer) error }{fleet.Report{Entries: entries, Rotated: n}, audit} {
			var written, want bytes.Buffer
			if err := report.WriteJSON(&written); err != nil {
				t.Fatal(err)
			}
			encoder := json.NewEncoder(&want)
			encoder.SetIndent("", "  ")
			if err := encoder.Encode(report); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want.String(), written.String()); diff != "" {
				t.Errorf("%d entries (-want +got):\n%s", n, diff)
			}
		}
	}
}
