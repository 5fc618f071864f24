package e2e_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
	"github.com/paistrike/terraform-provider-paistrike/internal/tfcli"
)

// The provider is killed at every step of its operations. The same command then succeeds, the
// next plan is empty, and no token is lost or left behind. The stories alternate between
// stores and, if several are available, between programs.
func TestTerraformKilledAtEveryStep(t *testing.T) {
	t.Parallel()
	programs := clis(t)
	provider := buildMortal(t, ".", "terraform-provider-paistrike")
	turn := 0
	for _, steps := range [][]killed{
		killStory("first create", stepsOfMint),
		killStory("rotate", stepsOfRotate),
		killStory("heal", stepsOfMint),
		killStory("destroy", stepsOfDestroy),
		killStory("destroy, then apply", stepsOfDestroy),
	} {
		for _, k := range steps {
			store := stores()[turn%2]
			program := programs[turn/2%len(programs)]
			turn++
			t.Run(store.name+" "+k.story+" "+k.step, func(t *testing.T) {
				t.Parallel()
				w := store.start(t, program, sandbox.Options{Start: monday})
				w.useProvider(t, provider)
				w.write(t, "main.tf", store.configured)
				w.killTerraform(t, k)
			})
		}
	}
}

// useProvider recreates the workspace with the provider in the given folder.
func (w *world) useProvider(t *testing.T, dir string) {
	t.Helper()
	servers := slices.DeleteFunc(w.tf.Environ(), func(variable string) bool {
		return !slices.ContainsFunc([]string{"PAISTRIKE_", "VAULT_", "AWS_"}, func(prefix string) bool { return strings.HasPrefix(variable, prefix) })
	})
	tf, err := tfcli.New(w.tf.Program, dir, t.TempDir(), servers...)
	if err != nil {
		t.Fatal(err)
	}
	w.tf = tf
}

// killTerraform runs one story.
func (w *world) killTerraform(t *testing.T, k killed) {
	t.Helper()
	var incident []string // input of the last apply
	switch k.story {
	case "rotate": // with a token whose overlap has ended
		w.apply(t)
		w.apply(t, "-var", "incident=one")
		w.paistrike.Clock().Advance(25 * time.Hour)
		incident = []string{"-var", "incident=two"}
	case "heal":
		w.apply(t)
		w.paistrike.Revoke(w.served(t).TokenID)
	case "destroy", "destroy, then apply":
		w.apply(t)
		incident = []string{"-var", "incident=one"}
		w.apply(t, incident...)
	}
	w.kill(t, k, incident)
	w.afterKill(t, k)
	if k.gone {
		w.destroy(t, incident...)
		w.ended(t)
		if state, err := w.tf.State(t.Context()); err != nil || len(state) > 0 {
			t.Errorf("the state holds %v after destroy (%v)", state, err)
		}
		k.count(t)
		return
	}
	w.apply(t, incident...)
	w.converged(t, "after the next apply")
	w.planEmpty(t, incident...)
	w.paistrike.Clock().Advance(25 * time.Hour)
	w.apply(t, incident...)
	w.single(t)
	w.planEmpty(t, incident...)
	w.destroy(t, incident...)
	w.ended(t)
	k.count(t)
}

// kill runs the command during which the provider is killed.
func (w *world) kill(t *testing.T, k killed, args []string) {
	t.Helper()
	w.tf.Setenv("PAISTRIKE_FAILPOINT=" + k.step)
	defer w.tf.Setenv("PAISTRIKE_FAILPOINT=")
	do := w.tf.Apply
	if strings.HasPrefix(k.story, "destroy") {
		do = w.tf.Destroy
	}
	out, err := do(t.Context(), args...)
	// Terraform reports one or the other, depending on timing.
	died := strings.Contains(out.Stderr, "Plugin did not respond") || strings.Contains(out.Stderr, "Request cancelled")
	if err == nil || !died {
		t.Fatalf("the provider was to be killed %s: %v\n%s", k.step, err, out.Stderr)
	}
	w.noSecretIn(t, out.Stdout, out.Stderr)
}
