package e2e_test

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
	"github.com/paistrike/terraform-provider-paistrike/internal/testparts"
	"github.com/paistrike/terraform-provider-paistrike/internal/tfcli"
)

// mirrored returns a workspace in which terraform init installs the provider from a mirror,
// as terraform test and modules require.
func mirrored(t *testing.T, program string, env ...string) *tfcli.Workspace {
	t.Helper()
	dir := t.TempDir()
	return workspace(t, program, append(env, "TF_CLI_CONFIG_FILE="+mirrorSettings(t, dir))...)
}

// copyModule copies the module for many integrations into a folder.
func copyModule(t *testing.T, dir string) {
	t.Helper()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("..", "modules", "integrations"))); err != nil {
		t.Fatal(err)
	}
}

// The module's tests and those of the testing guide pass without a server.
func TestPublishedTestsWithMocks(t *testing.T) {
	t.Parallel()
	eachCLI(t, func(t *testing.T, program string) {
		w := &world{tf: mirrored(t, program)}
		w.needs(t, "1.7", "1.8")
		copyModule(t, filepath.Join(w.tf.Dir, "module"))
		w.write(t, "main.tf", published(t, "getting-started/main.tf"))
		w.write(t, "token.tftest.hcl", published(t, "testing/token.tftest.hcl"))
		for _, folder := range []string{".", "module"} {
			w.run(t, "-chdir="+folder, "init")
			if said := w.run(t, "-chdir="+folder, "test"); !strings.Contains(said, " passed, 0 failed.") || strings.Contains(said, " 0 passed") {
				t.Errorf("the tests in %s: %s", folder, said)
			}
		}
	})
}

// The published configuration creates 40 working tokens for the 40 integrations of the
// published list. Removing a line revokes only its token, and renaming one with a moved block
// revokes none.
func TestManyIntegrations(t *testing.T) {
	t.Parallel()
	w := newWorld(t, firstCLI(t), sandbox.Options{})
	w.tf.Setenv("TF_CLI_CONFIG_FILE=" + mirrorSettings(t, t.TempDir()))
	copyModule(t, filepath.Join(w.tf.Dir, "integrations"))
	source := "github.com/paistrike/terraform-provider-paistrike//modules/integrations?ref=v" + nextVersion(t)
	w.write(t, "main.tf", strings.Replace(published(t, "many-integrations/main.tf"), source, "./integrations", 1))
	list := published(t, "many-integrations/integrations.yaml")
	for i := range 35 {
		list += fmt.Sprintf("team-%02d: {}\n", i)
	}
	w.write(t, "integrations.yaml", list)
	w.run(t, "init")
	w.apply(t)
	w.planEmpty(t)
	if w.active() != 40 || w.creates() != 40 {
		t.Fatalf("%d tokens are active and %d creates were sent, want 40", w.active(), w.creates())
	}
	for path, key := range map[string]string{"ci/nightly-scan": "PAISTRIKE_API_TOKEN", "ci/team-34": "token"} {
		if status := w.use(t, w.secret(t, "secret", path, key)); status != http.StatusOK {
			t.Errorf("the secret at %s gets %d", path, status)
		}
	}
	w.write(t, "integrations.yaml", strings.NewReplacer("team-00: {}\n", "", "team-01: {}\n", "renamed: { name: team-01, path: team-01 }\n").Replace(list))
	w.write(t, "moved.tf", "moved {\n  from = module.integrations.paistrike_api_token.this[\"team-01\"]\n  to   = module.integrations.paistrike_api_token.this[\"renamed\"]\n}\n")
	changes := w.plan(t)
	if len(changes) != 1 || !slices.Equal(changes[0].Actions, []string{"delete"}) || !strings.Contains(changes[0].Address, "team-00") {
		t.Errorf("more than one line was to end: %+v", changes)
	}
	w.apply(t)
	if w.active() != 39 || w.creates() != 40 {
		t.Errorf("%d tokens are active and %d creates were sent, want 39 and 40", w.active(), w.creates())
	}
}

// A configuration is split as the guide describes: the new one adopts the entry with the same
// token, and the old one can neither end nor reclaim it.
func TestSplitOfAConfiguration(t *testing.T) {
	t.Parallel()
	w := newWorld(t, firstCLI(t), sandbox.Options{})
	w.needs(t, "1.7", "1.7")
	w.write(t, "main.tf", ci)
	w.apply(t)
	secret := w.secret(t, "secret", "ci/paistrike", "token")

	newer := w.beside(t)
	newer.write(t, "main.tf", ci)
	newer.write(t, "import.tf", published(t, "refactoring/import.tf"))
	newer.apply(t)
	newer.planEmpty(t)

	before, _, _ := strings.Cut(ci, `resource "paistrike_api_token"`)
	w.write(t, "main.tf", before+published(t, "refactoring/removed.tf"))
	w.apply(t)
	newer.planEmpty(t)
	if got := w.secret(t, "secret", "ci/paistrike", "token"); got != secret || w.creates() != 1 || w.use(t, got) != http.StatusOK {
		t.Errorf("the split replaced the token: %d creates", w.creates())
	}
}

// The published example of two accounts creates one token in each.
func TestTwoAccounts(t *testing.T) {
	t.Parallel()
	production, staging := newWorld(t, firstCLI(t), sandbox.Options{}), newPAIStrike(t, sandbox.Options{})
	n := newInternet(t)
	n.forward(t, paistrikeHost, "443", production.api)
	n.forward(t, "paistrike.staging.example.com", "443", staging.api)
	n.forward(t, vaultHost, "8200", production.vault)
	production.tf = workspace(t, production.tf.Program, append(n.environment(), "VAULT_TOKEN="+production.root,
		"TF_VAR_production_token="+production.front.management, "TF_VAR_staging_token="+staging.front.management)...)
	production.needs(t, "1.10", "1.11")
	production.write(t, "main.tf", published(t, "two-accounts/main.tf"))
	production.apply(t)
	production.planEmpty(t)
	if production.active() != 1 || staging.active() != 1 {
		t.Errorf("%d and %d tokens are active, want one in each account", production.active(), staging.active())
	}
	for path, account := range map[string]*world{"production/paistrike": production, "staging/paistrike": staging} {
		if status := account.use(t, production.secret(t, "secret", path, "token")); status != http.StatusOK {
			t.Errorf("the secret at %s gets %d", path, status)
		}
	}
	production.destroy(t)
	if production.active()+staging.active() != 0 {
		t.Error("tokens are left")
	}
}

// After a scheduled rotation, the plan changes no resource. Only an output that shows the
// token changes, until an apply updates the state.
func TestPlanAfterAScheduledRotation(t *testing.T) {
	t.Parallel()
	w := newWorld(t, firstCLI(t), sandbox.Options{Start: monday})
	w.write(t, "main.tf", published(t, "getting-started/main.tf"))
	w.apply(t)
	w.paistrike.Clock().Advance(31 * day)
	rotate := exec.CommandContext(t.Context(), actionProgram(t), "rotate", "--vault-prefix", "ci") //nolint:gosec // ours
	rotate.Env = append(w.tf.Environ(), "PAISTRIKE_VAULT_AUTH_METHOD=token")
	if said, err := rotate.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	if w.active() != 2 {
		t.Fatalf("%d tokens are active after the rotation, want the new one and the old one in its overlap", w.active())
	}
	said := w.run(t, "plan")
	says(t, said, "Changes to Outputs: ~ next_rotation")
	says(t, said, "without changing any real infrastructure")
	w.apply(t)
	w.run(t, "plan", "-detailed-exitcode")
	if w.creates() != 2 {
		t.Errorf("%d creates, want the first and the scheduled one", w.creates())
	}
}

// A plan that moves a token to a path with someone else's secret warns that the apply would
// fail, and creates no token. A free path causes no warning.
func TestPlanOfAMoveLooksAtItsTarget(t *testing.T) {
	t.Parallel()
	w := newWorld(t, firstCLI(t), sandbox.Options{})
	w.write(t, "main.tf", ci)
	w.apply(t)
	testparts.Ask(t, http.MethodPost, w.vault+"/v1/secret/data/ci/taken", w.root, map[string]any{"data": map[string]string{"token": "someone's own"}}, nil)
	w.write(t, "main.tf", strings.Replace(ci, `"ci/paistrike"`, `"ci/taken"`, 1))
	said := w.run(t, "plan")
	says(t, said, "Warning: Token cannot be moved: Entry is not managed by paistrike")
	says(t, said, "An apply of this plan fails. PS208: secret/ci/taken contains a secret that paistrike did not write.")
	w.write(t, "main.tf", strings.Replace(ci, `"ci/paistrike"`, `"ci/free"`, 1))
	if said := w.run(t, "plan"); strings.Contains(said, "Token cannot be moved") {
		t.Error(said)
	}
	if w.creates() != 1 {
		t.Errorf("%d creates, want the first one alone", w.creates())
	}
}
