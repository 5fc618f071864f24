package e2e_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
	"github.com/paistrike/terraform-provider-paistrike/internal/testparts"
	"github.com/paistrike/terraform-provider-paistrike/internal/tfcli"
)

// judgment is the result of the published rules for a plan, sorted.
type judgment struct{ Deny, Review []string }

// judge evaluates the workspace's saved plan with Open Policy Agent.
func (w *world) judge(t *testing.T) judgment {
	t.Helper()
	shown, err := w.tf.Run(t.Context(), "show", "-json", tfcli.PlanFile)
	if err != nil {
		t.Fatal(err)
	}
	w.write(t, "plan.json", shown.Stdout)
	said := opa(t, "eval", "--format", "raw", "--data", filepath.Join("..", "examples", "opa"), "--input", filepath.Join(w.tf.Dir, "plan.json"), "data.paistrike")
	var found judgment
	if err := json.Unmarshal(said, &found); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	return found
}

func opa(t *testing.T, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), testparts.OPA(t), args...) //nolint:gosec // ours
	cmd.Stderr = os.Stderr
	said, err := cmd.Output()
	if err != nil {
		t.Fatalf("opa %v: %v\n%s", args, err, said)
	}
	return said
}

// The published rules pass their own tests, allow the guides' configuration, deny each
// violation in a plan of this provider, and require a review when someone acted outside of
// Terraform.
func TestPublishedPolicyJudgesPlans(t *testing.T) {
	t.Parallel()
	opa(t, "test", filepath.Join("..", "examples", "opa"))

	w := newWorld(t, firstCLI(t), sandbox.Options{Start: monday})
	w.write(t, "main.tf", published(t, "getting-started/main.tf"))
	if changes := w.plan(t); len(changes) != 1 {
		t.Fatalf("the plan creates %+v", changes)
	}
	if diff := cmp.Diff(judgment{Deny: []string{}, Review: []string{}}, w.judge(t)); diff != "" {
		t.Errorf("the guide's own configuration (+):\n%s", diff)
	}

	w.apply(t)
	for _, token := range w.paistrike.Tokens() {
		if token.ID != w.front.managementID {
			w.paistrike.Revoke(token.ID)
		}
	}
	w.write(t, "breaches.tf", `
resource "paistrike_api_token" "immortal" {
  name       = "Immortal"
  expires_in = "never"
  rotation   = { period = "30d", overlap = "7d" }
  vault      = { mount = "secret", path = "ci/immortal" }
}

resource "terraform_data" "path" {
  input = "ci/late"
}

resource "paistrike_api_token" "elsewhere" {
  name       = "Elsewhere"
  expires_in = "90d"
  vault      = { mount = "secret", path = "other/elsewhere" }
}

resource "paistrike_api_token" "late" {
  name       = "Late"
  expires_in = "90d"
  rotation   = { period = "30d" }
  vault      = { mount = "secret", path = terraform_data.path.output }
}
`)
	w.plan(t)
	want := judgment{
		Deny: []string{
			"paistrike_api_token.elsewhere has neither a rotation nor a fixed end",
			"paistrike_api_token.elsewhere is outside of vault/secret/ci/, aws/ci/",
			"paistrike_api_token.immortal does not expire within 90d",
			"paistrike_api_token.immortal keeps a replaced token alive for more than 48h",
			"paistrike_api_token.late is outside of vault/secret/ci/, aws/ci/",
		},
		Review: []string{"paistrike_api_token.ci is replaced because of revoked"},
	}
	if diff := cmp.Diff(want, w.judge(t)); diff != "" {
		t.Errorf("want (-), got (+):\n%s", diff)
	}
}
