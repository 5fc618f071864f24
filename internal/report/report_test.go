package report

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/fleet"
)

var now = time.Date(2026, time.January, 5, 9, 0, 0, 0, time.UTC)

// fleetOf returns a report on many entries with malicious names.
func fleetOf(entries int) fleet.Report {
	var all []fleet.Entry
	for i := range entries {
		e := fleet.Entry{
			Path: "ci/a|b `c` <img src=x> [link](https://evil.example.com) :crit, ; %% \nsection x" + strings.Repeat("x", i%50), Outcome: fleet.Current,
			TokenID: "tok_1", TokenName: "A", CreatedAt: now, ExpiresAt: now.AddDate(0, 3, 0), NextAt: now.AddDate(0, 1, 0),
			Previous: []fleet.Previous{{ID: "tok_0", SupersededAt: now, RevokeAfter: now.AddDate(0, 0, 1)}},
		}
		if i == entries-1 {
			e.Outcome, e.Problem = fleet.Failed, &fleet.Problem{Code: "PS311", Summary: "no\nschedule"}
		}
		all = append(all, e)
	}
	return fleet.Report{Time: now, Entries: fleet.EntriesOf(all...)}
}

// A page stays below GitHub's limits of 1 MiB for a summary and 50,000 characters for a
// diagram.
func TestPageFitsTheRunner(t *testing.T) {
	t.Parallel()
	text := RotationPage(fleetOf(20_000), "secret/ci")
	if len(text) > 1<<20 || !strings.Contains(text, " more rows are in the step's output `report`.") || !strings.Contains(text, "more are in the table") {
		t.Errorf("%d bytes, ending in %q", len(text), text[len(text)-100:])
	}
	picture, _, found := strings.Cut(strings.SplitN(text, "```mermaid\n", 2)[1], "```")
	if !found || len(picture) > 50_000 || strings.Count(picture, "    section ") != timelineRows {
		t.Errorf("a picture of %d characters and %d sections", len(picture), strings.Count(picture, "    section "))
	}
	if first := strings.Index(text, "| ❌ failed |"); first < 0 || first > strings.Index(text, "| ✅ current |") {
		t.Error("what failed does not come first")
	}
}

// A malicious name has no effect in the table, the diagram or the log.
func TestNamesAreOnlyNames(t *testing.T) {
	t.Parallel()
	text := RotationPage(fleetOf(3), "secret/ci")
	_, rest, _ := strings.Cut(text, "```mermaid\n")
	picture, table, _ := strings.Cut(rest, "```")
	for _, bad := range []string{"<img", "](https", "`c`", "a|b", "\nsection x"} {
		if strings.Contains(table, bad) {
			t.Errorf("the table has %q:\n%s", bad, table)
		}
	}
	for line := range strings.Lines(picture) {
		if name, ok := strings.CutPrefix(line, "    section "); ok && strings.ContainsAny(name, ":;%#<>[]`|") {
			t.Errorf("the picture has a section %q", name)
		}
	}
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "| ") && strings.Count(line, " | ") != 5 {
			t.Errorf("a row with another number of cells: %s", line)
		}
	}
	if got := strings.Count(RotationTable(fleetOf(3), 0), "\n"); got != 5 {
		t.Errorf("a table of %d lines, want a head, 3 rows and the counts", got)
	}
}

// The diagram's syntax is valid (tested with Mermaid 11.17 in Chromium).
func TestTimeline(t *testing.T) {
	t.Parallel()
	entries := slices.Values([]fleet.Entry{
		{
			Path: "ci/a", TokenID: "tok_2", CreatedAt: now, ExpiresAt: now.AddDate(0, 0, 90), NextAt: now.AddDate(0, 0, 30), Deadline: now.AddDate(0, 0, 60),
			Previous: []fleet.Previous{{ID: "tok_1", SupersededAt: now, RevokeAfter: now.AddDate(0, 0, 1)}},
		},
		{Path: "ci/b", TokenID: "tok_3", CreatedAt: now, NextAt: now.AddDate(0, 0, 7), Window: 48 * time.Hour},
		{Path: "ci/foreign"},
	})
	want := "```mermaid\n%%{init: {\"gantt\": {\"leftPadding\": 220}}}%%\ngantt\n    title Token lifetimes\n    dateFormat x\n    axisFormat %d %b\n" +
		"    section ci/a\n    lifetime :active, 1767603600000, 1775379600000\n    rotation :crit, 1770195600000, 1772787600000\n    overlap of tok_1 :done, 1767603600000, 1767690000000\n" +
		"    section ci/b\n    lifetime, no expiry :active, 1767603600000, 1775379600000\n    rotation :crit, 1768208400000, 1768381200000\n```\n\n"
	if got := timeline(now, entries); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

// No name adds a line or a field to the diagram.
func FuzzTimelineNames(f *testing.F) {
	f.Add("ci/a :crit, 1, 2\nsection b")
	f.Add("%%{init: {}}%%\r\n`#;")
	f.Fuzz(func(t *testing.T, name string) {
		e := fleet.Entry{
			Path: name, TokenID: "tok_2", CreatedAt: now, ExpiresAt: now.AddDate(0, 0, 90), NextAt: now.AddDate(0, 0, 30),
			Previous: []fleet.Previous{{ID: name, SupersededAt: now, RevokeAfter: now.AddDate(0, 0, 1)}},
		}
		picture := timeline(now, slices.Values([]fleet.Entry{e}))
		if lines := strings.Count(strings.TrimSpace(picture), "\n"); lines != 10 {
			t.Fatalf("%d lines:\n%s", lines, picture)
		}
		if colons := strings.Count(picture, ":"); colons != 3+3 { // 3 in the settings, and 1 for each bar
			t.Fatalf("%d colons:\n%s", colons, picture)
		}
	})
}
