package e2e_test

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/proof"
	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
	"github.com/paistrike/terraform-provider-paistrike/internal/tfcli"
)

// A build with the tag "failpoints" kills itself, as kill -9 does, at the step named in
// PAISTRIKE_FAILPOINT. These tests kill it at every step of every kind of run, and check the
// state afterwards and the next run.

// Steps of each kind of run.
var (
	stepsOfMint    = []string{"after observe", "before mint", "after mint", "after verify", "after publish", "after clean", "after mirror"}
	stepsOfRotate  = append([]string{"after one revoke"}, stepsOfMint...) // including a token to retire
	stepsOfFence   = []string{"after observe", "after publish", "after one revoke", "after clean", "after mirror"}
	stepsOfDestroy = []string{"after observe", "after tombstone", "after one revoke", "after all revokes", "after delete"}
)

// killed is a story that is interrupted at a step.
type killed struct {
	story    string
	step     string
	unserved bool // there is no working token before the run, or none is expected after it
	gone     bool // the entry is expected to be deleted
}

// killStory returns one kind of run, interrupted at each of its steps.
func killStory(story string, steps []string) []killed {
	var all []killed
	for _, step := range steps {
		all = append(all, killed{
			story: story, step: step, gone: story == "destroy",
			unserved: slices.Contains([]string{"first create", "heal", "destroy", "destroy, then apply"}, story),
		})
	}
	return all
}

// failpoints matches the steps in the sources. Each must be one of the steps above.
var failpoints = regexp.MustCompile(`\bfailpoint\("([^"]+)"\)`)

func TestEveryFailpointIsAStepThatTheKillTestsKnow(t *testing.T) {
	t.Parallel()
	root, err := tfcli.Repository()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(root, "internal", "rotation", "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	known := slices.Concat(stepsOfRotate, stepsOfFence, stepsOfDestroy)
	found := 0
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range failpoints.FindAllStringSubmatch(string(source), -1) {
			if found++; !slices.Contains(known, match[1]) {
				t.Errorf("%s: nobody is killed %s", filepath.Base(file), match[1])
			}
		}
	}
	if found < 10 {
		t.Errorf("%d failpoints found", found)
	}
}

// buildMortal builds a package with failpoints.
func buildMortal(t *testing.T, pkg, name string) (dir string) {
	t.Helper()
	root, err := tfcli.Repository()
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	cmd := exec.CommandContext(t.Context(), "go", "build", "-tags", "failpoints", "-o", filepath.Join(dir, name), pkg)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building %s: %v\n%s", pkg, err, said)
	}
	return dir
}

// count adds a kill to the proof after its result is known.
func (k killed) count(t *testing.T) {
	t.Helper()
	tally := proof.Tally{Kind: proof.Kills, N: 1}
	if t.Failed() {
		tally.Violations = 1
	}
	proof.Add(t, tally)
}

// live returns the tokens that work, without the management token.
func (w *world) live() []sandbox.Token {
	return slices.DeleteFunc(w.paistrike.Tokens(), func(token sandbox.Token) bool {
		past := !token.ExpiresAt.IsZero() && !w.paistrike.Clock().Now().Before(token.ExpiresAt)
		return token.ID == w.front.managementID || token.Status != "active" || past
	})
}

// afterKill checks what consumers find after the process was killed.
func (w *world) afterKill(t *testing.T, k killed) {
	t.Helper()
	record := w.served(t)
	if k.unserved {
		return
	}
	if record == nil || w.use(t, record.Secret.Reveal()) != http.StatusOK {
		t.Errorf("killed %s: what the store serves does not work", k.step)
	}
}

// converged checks that the token in the store works, and that all other working tokens are
// within their overlap.
func (w *world) converged(t *testing.T, when string) {
	t.Helper()
	record := w.served(t)
	if record == nil || w.use(t, record.Secret.Reveal()) != http.StatusOK {
		t.Fatalf("%s: the store serves no working token", when)
	}
	for _, token := range w.live() {
		retiring := slices.ContainsFunc(record.Retiring, func(r entry.Retiring) bool { return r.ID == token.ID })
		if token.ID != record.TokenID && !retiring {
			t.Errorf("%s: token %s (%s) is left over", when, token.ID, token.Name)
		}
	}
}

// single checks that the token in the store is the only working one.
func (w *world) single(t *testing.T) {
	t.Helper()
	w.converged(t, "after the overlap")
	if live := w.live(); len(live) != 1 {
		t.Errorf("after the overlap %d tokens are live, want one", len(live))
	}
}

// ended checks that nothing is left.
func (w *world) ended(t *testing.T) {
	t.Helper()
	if record, live := w.served(t), w.live(); record != nil || len(live) > 0 {
		t.Errorf("after destroy the store serves %v and %d tokens are live", record, len(live))
	}
}

// noSecretIn searches the output of a killed program for every secret.
func (w *world) noSecretIn(t *testing.T, texts ...string) {
	t.Helper()
	e := evidence{"what the killed program said": strings.Join(texts, "\n")}
	for _, where := range e.leaks(append(w.front.secrets(), w.root)) {
		t.Errorf("a secret is in %s", where)
	}
}
