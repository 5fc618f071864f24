package e2e_test

import (
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
	"github.com/paistrike/terraform-provider-paistrike/internal/tfcli"
)

// traceLog is the log file of Terraform and the provider.
const traceLog = "trace.log"

// canary collects everything that a test leaves behind.
type canary struct {
	*world
	evidence
	stateFile string // of the sandbox
}

func newCanary(t *testing.T, program string) *canary {
	t.Helper()
	file := filepath.Join(t.TempDir(), "sandbox.json")
	c := &canary{world: newWorld(t, program, sandbox.Options{Start: monday, StateFile: file}), evidence: evidence{}, stateFile: file}
	c.tf.Setenv("TF_LOG=TRACE", "TF_LOG_PATH="+filepath.Join(c.tf.Dir, traceLog))
	c.write(t, "main.tf", ci)
	return c
}

// look records the output of a command and all files after it.
func (c *canary) look(t *testing.T, step string, said ...tfcli.Output) {
	t.Helper()
	for _, out := range said {
		c.add(t, step+": stdout", out.Stdout)
		c.add(t, step+": stderr", out.Stderr)
	}
	c.addFiles(t, step, c.tf.Dir)
	c.addFiles(t, step+": sandbox", filepath.Dir(c.stateFile))
	c.add(t, step+": Vault custom metadata", c.get(t, c.vault+"/v1/secret/metadata/ci/paistrike"))
	c.add(t, step+": Vault journal", c.get(t, c.vault+"/_kv/journal"))
	journal, err := json.Marshal(c.paistrike.Journal())
	if err != nil {
		t.Fatal(err)
	}
	c.add(t, step+": PAIStrike journal", string(journal))
}

// run runs a command and records everything after it.
func (c *canary) run(t *testing.T, args ...string) tfcli.Output {
	t.Helper()
	out, err := c.tf.Run(t.Context(), args...)
	if err != nil {
		t.Fatal(err)
	}
	c.look(t, strings.Join(args, " "), out)
	return out
}

func (w *world) get(t *testing.T, url string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Vault-Token", w.root)
	client := http.Client{Timeout: time.Minute}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// A token's life leaves its secret in Vault's data and nowhere else.
func TestNoSecretIsLeftBehind(t *testing.T) {
	t.Parallel()
	eachCLI(t, func(t *testing.T, program string) {
		c := newCanary(t, program)
		c.run(t, "apply", "-auto-approve", "-no-color")
		c.run(t, "plan", "-no-color", "-json")
		c.paistrike.Clock().Advance(31 * day)
		c.run(t, "plan", "-no-color", "-out="+tfcli.PlanFile)
		c.run(t, "show", "-json", tfcli.PlanFile)
		c.run(t, "apply", "-no-color", "-json", tfcli.PlanFile)
		c.run(t, "show", "-json")
		data := c.get(t, c.vault+"/v1/secret/data/ci/paistrike")
		c.run(t, "apply", "-auto-approve", "-no-color", "-var", "incident=laptop lost")
		c.paistrike.Clock().Advance(2 * day)
		c.run(t, "apply", "-auto-approve", "-no-color", "-var", "incident=laptop lost")
		c.run(t, "state", "pull")
		c.run(t, "destroy", "-auto-approve", "-no-color", "-var", "incident=laptop lost")

		secrets := c.front.secrets()
		if len(secrets) != 4 {
			t.Fatalf("%d secrets were handed out, want the management token and three of the resource", len(secrets))
		}
		c.searchAll(t, append(secrets, c.root))
		for _, name := range []string{
			traceLog, "destroy -auto-approve -no-color -var incident=laptop lost: terraform.tfstate.backup",
			"plan -no-color -out=tfplan: tfplan / tfplan", "plan -no-color -out=tfplan: tfplan / tfstate", "show -json: stdout",
		} {
			if len(c.evidence[name]) < 100 {
				t.Errorf("%s was not searched", name)
			}
		}
		if len((evidence{"data": data}).leaks(secrets[2:3])) == 0 {
			t.Error("the search does not find the secret in Vault's data, where it is")
		}
	})
}

// The search finds a secret that is planted where a leak would be.
func TestSearchFindsWhatTerraformKeeps(t *testing.T) {
	t.Parallel()
	eachCLI(t, func(t *testing.T, program string) {
		c := newCanary(t, program)
		planted := c.front.management
		c.write(t, "main.tf", "variable \"planted\" {\n  type = string\n}\n\noutput \"planted\" {\n  value = var.planted\n}\n")
		argument := "planted=" + planted
		c.run(t, "apply", "-auto-approve", "-no-color", "-var", argument)
		c.run(t, "plan", "-no-color", "-var", "planted=nothing", "-out="+tfcli.PlanFile)
		c.run(t, "show", "-json", tfcli.PlanFile)

		leaks := c.leaks([]string{planted})
		for _, want := range []string{
			traceLog, "-var " + argument + ": stdout", "-var " + argument + ": terraform.tfstate",
			"tfplan: tfplan / tfstate-prev", "show -json tfplan: stdout",
		} {
			if !slices.ContainsFunc(leaks, func(leak string) bool { return strings.HasSuffix(leak, want) }) {
				t.Errorf("what was planted in %q was not found", want)
			}
		}
	})
}
