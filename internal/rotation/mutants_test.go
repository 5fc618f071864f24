package rotation_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/paistrike/terraform-provider-paistrike/internal/proof"
)

// mutant is one rule of the protocol broken on purpose.
type mutant struct {
	name string
	file string
	old  string // the text that keeps the rule, which stands in the file once
	new  string
	by   string // the tests that must notice
}

// proofs are the tests that together keep the protocol.
const (
	byExplorer = "^TestExplorer$"
	bySingles  = "^TestEverySingleFault$"
)

// mutants are the rules that the protocol rests on, each with the proof that
// notices when it is broken.
func mutants() []mutant {
	return []mutant{
		{"publish without check-and-set", "publish.go",
			"published, err = e.store.Publish(ctx, o.at, o.version(), record)\n\t\tif err == nil && published.Version == o.version()+1 {",
			"top, _ := e.store.Read(ctx, o.at, 0)\n\t\tpublished, err = e.store.Publish(ctx, o.at, top.Version, record)\n\t\tif err == nil {", byExplorer + "/^RR-"},
		{"revoke on an ambiguous write", "publish.go",
			"switch e.resolve(ctx, o, record.Op) {",
			"if minted.ID != \"\" {\n\t\t\treturn vault.Published{}, e.loseRace(ctx, o, minted, result)\n\t\t}\n\t\tswitch e.resolve(ctx, o, record.Op) {", bySingles},
		{"take a mismatch for a loss", "publish.go",
			"switch e.resolve(ctx, o, record.Op) {",
			"if vault.StatusOf(err) == 400 && minted.ID != \"\" {\n\t\t\treturn vault.Published{}, e.loseRace(ctx, o, minted, result)\n\t\t}\n\t\tswitch e.resolve(ctx, o, record.Op) {", byExplorer + "/^RR-"},
		{"give up, then revoke", "publish.go",
			"return vault.Published{}, publishUndecided(o, minted, err)\n}\n\n// resolve",
			"_ = e.revoke(ctx, minted.ID)\n\treturn vault.Published{}, publishUndecided(o, minted, err)\n}\n\n// resolve", byExplorer + "/^R-"},
		{"resolve by the newest version", "publish.go",
			"next, err := e.store.Read(ctx, o.at, o.version()+1)",
			"next, err := e.store.Read(ctx, o.at, 0)", byExplorer + "/^RR-"},
		{"resolve by who is referenced", "publish.go",
			"case next.Record != nil && next.Record.Op == op:",
			"case next.Record != nil && next.Record.TokenID == \"\":", bySingles},
		{"forget earlier retiring tokens", "retire.go",
			"list := slices.Clone(o.retiring)", "list := slices.Clone(o.retiring)[:0]", "^TestSecondRotationKeepsBothOverlaps$"},
		{"no overlap", "retire.go",
			"RevokeAfter: now.Add(overlap)", "RevokeAfter: now", bySingles},
		{"sweep without the base version", "retire.go",
			"if !ok || name.Base >= o.version() || !token.Usable", "if !ok || !token.Usable", byExplorer + "/^RS-"},
		{"destroy without a tombstone", "destroy.go",
			"if err := e.tombstone(critical, &o); err != nil {", "if err := error(nil); err != nil {", byExplorer + "/^RD-"},
		{"ignore the incarnation", "retire.go",
			"if unclaimed(token) && (name.Inc == o.entry.Record.Inc || o.abandoned(token)) {", "if true {", byExplorer + "/^RCX"},
		{"sweep what somebody uses", "observe.go",
			"return !token.LastUsedAt.After(token.CreatedAt.Add(claimGrace))", "return true", "^TestHistorySetBack$"},
		{"trust what a human wrote", "observe.go",
			"return o.kind == kindOurs && o.entry.Record.Base+1 == o.version() && !o.restored()", "return o.kind == kindOurs", "^TestHumanRollbackIsNeverSweptAgainst$"},
		{"fence over a human rollback", "decide.go",
			"if !o.active() || !o.trusted() || o.current.Status == paistrike.StatusRevoked {", "if !o.active() {", "^TestFenceNeverLaundersARollback$"},
		{"repeat a create blindly", "mint.go",
			"found, lookErr := e.resolveMint(ctx, name, result)", "found, lookErr := true, error(nil)", "^TestLostCreateIsResolvedInTheSameRun$"},
		{"retire on the later clock", "clock.go",
			"if !c.Vault.IsZero() && c.Vault.Before(c.PAIStrike) {", "if c.Vault.After(c.PAIStrike) {", "^TestOverlapEndsByTheEarlierClock$"},
		{"publish without verifying", "run.go",
			"if err := e.verify(critical, o, m.Minted); err != nil {", "if err := error(nil); err != nil {", "^TestRefusedTokenIsNotPublished$"},
		{"revoke the old token before publishing", "run.go",
			"adopt, astray := split(o, r.Keep)", "if o.active() {\n\t\t_ = e.revoke(critical, o.entry.Record.TokenID)\n\t}\n\tadopt, astray := split(o, r.Keep)", bySingles},
		{"adopt from an old list", "run.go",
			"if err := e.reload(ctx, true); err != nil {", "if err := e.load(ctx); err != nil {", byExplorer + "/^RRH"},
		{"believe that an entry is absent", "destroy.go",
			"if o.kind == kindVacant && o.version() > 0 {", "if o.kind == kindVacant {", byExplorer + "/^RD-"},
	}
}

// TestMutantsAreCaught breaks each rule in a copy of its source and runs the proof
// that must notice. A mutant that survives means that a rule has no test.
func TestMutantsAreCaught(t *testing.T) {
	t.Parallel()
	if os.Getenv("PAISTRIKE_MUTANT") != "" {
		t.Skip("this is a mutant")
	}
	for _, m := range mutants() {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			tally := proof.Tally{Kind: proof.Mutants, Of: 1}
			defer func() { proof.Add(t, tally) }()
			output, err := m.run(t)
			if err == nil {
				t.Fatalf("survives %s", m.by)
			}
			if !strings.Contains(output, "--- FAIL") {
				t.Fatalf("did not run: %s", output)
			}
			tally.N = 1
			t.Logf("caught: %s", firstViolation(output))
		})
	}
}

// run gives what the proof says about a mutant.
func (m mutant) run(t *testing.T) (string, error) {
	t.Helper()
	source, err := os.ReadFile(m.file)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(source), m.old); n != 1 {
		t.Fatalf("%s holds the text of the rule %d times, want once: the mutant must follow the code", m.file, n)
	}
	dir := t.TempDir()
	broken := filepath.Join(dir, m.file)
	//nolint:gosec // a file of this test's own folder
	if err := os.WriteFile(broken, []byte(strings.Replace(string(source), m.old, m.new, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	original, err := filepath.Abs(m.file)
	if err != nil {
		t.Fatal(err)
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{original: broken}})
	if err != nil {
		t.Fatal(err)
	}
	list := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(list, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", "test", "-vet=off", "-count=1", "-failfast", "-overlay", list, "-run", m.by, ".", "-args", "-states=60000")
	cmd.Env = append(os.Environ(), "PAISTRIKE_MUTANT="+m.name, proof.FileVariable+"=") // what it finds is no violation
	output, err := cmd.CombinedOutput()
	return string(output), err
}

var violationLine = regexp.MustCompile(`(?m)^.*_test\.go:\d+: (.*)$`)

func firstViolation(output string) string {
	if found := violationLine.FindStringSubmatch(output); found != nil {
		return found[1]
	}
	return "(no text)"
}
