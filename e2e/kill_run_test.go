package e2e_test

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
)

// A program that runs the protocol without Terraform, such as a scheduled job, is killed at
// every step, with each store. The next run recovers.
func TestRunKilledAtEveryStep(t *testing.T) {
	t.Parallel()
	program := filepath.Join(buildMortal(t, "./e2e/testdata/rotate", "rotate"), "rotate")
	for _, k := range slices.Concat(
		killStory("first create", stepsOfMint),
		killStory("rotate", stepsOfRotate),
		killStory("heal", stepsOfMint),
		killStory("fence", stepsOfFence),
		killStory("destroy", stepsOfDestroy),
	) {
		for _, store := range stores() {
			t.Run(store.name+" "+k.story+" "+k.step, func(t *testing.T) {
				t.Parallel()
				j := job{world: store.start(t, "", sandbox.Options{Start: monday}), program: program}
				j.tell(t, k)
			})
		}
	}
}

// job is a program that runs the protocol once.
type job struct {
	*world
	program string
}

// run runs the job. If step is not empty, the job is killed there.
func (j job) run(t *testing.T, what, step string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), j.program, what) //nolint:gosec // built by this test
	cmd.Env = append(j.tf.Environ(), "PAISTRIKE_FAILPOINT="+step)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	err := cmd.Run()
	switch {
	case step == "" && err != nil:
		t.Fatalf("%s: %v\n%s", what, err, &said)
	case step != "" && (err == nil || err.Error() != "signal: killed"):
		t.Fatalf("%s was to be killed %s: %v\n%s", what, step, err, &said)
	}
	j.noSecretIn(t, said.String())
}

// tell runs one story.
func (j job) tell(t *testing.T, k killed) {
	t.Helper()
	what := map[string]string{"first create": "create", "rotate": "due", "heal": "due", "fence": "settle", "destroy": "destroy"}[k.story]
	if k.story != "first create" {
		j.run(t, "create", "")
	}
	switch k.story {
	case "rotate", "destroy":
		j.paistrike.Clock().Advance(30 * day)
		j.run(t, "due", "")
	case "heal":
		j.paistrike.Revoke(j.served(t).TokenID)
	case "fence": // a token that was minted a day ago and never published
		j.run(t, "now", "after mint")
		j.paistrike.Clock().Advance(25 * time.Hour)
	}
	if k.story == "rotate" { // due again, after the previous overlap has ended
		j.paistrike.Clock().Advance(30 * day)
	}
	j.run(t, what, k.step)
	j.afterKill(t, k)
	j.run(t, what, "")
	if k.gone {
		j.ended(t)
		k.count(t)
		return
	}
	j.converged(t, "after the next run")
	j.paistrike.Clock().Advance(25 * time.Hour)
	j.run(t, "settle", "")
	j.single(t)
	j.run(t, "destroy", "")
	j.ended(t)
	k.count(t)
}
