package consumers_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/testparts"
)

// A Vault Agent runs with its published settings, and also renders the templates of the other
// recipes: consul-template and Nomad use the same library. Each template is rendered once per
// rotation, and not when the replaced token is revoked.
func TestTemplates(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("NOT TESTED: the commands are for a shell")
	}
	w := newWorld(t)
	dir := t.TempDir()
	testparts.VaultAgent(t, w.settings(t, dir))
	outputs := map[string]string{"agent": "%s", "consul-template": "PAISTRIKE_API_TOKEN=%s\n", "nomad": "PAISTRIKE_API_TOKEN=%s\n", "injector": "%s\n"}
	rendered := func(round int) {
		t.Helper()
		token := w.fields(t, "secret/data/ci/paistrike")["token"]
		for name, form := range outputs {
			file := filepath.Join(dir, name)
			want := fmt.Sprintf(form, token)
			if !eventually(t, func() bool { raw, _ := os.ReadFile(file); return string(raw) == want }) {
				t.Fatalf("%s is %q, want %q", name, read(t, file), want)
			}
			if !eventually(t, func() bool { told, _ := os.ReadFile(file + ".told"); return len(told) >= round }) {
				t.Errorf("%s told nobody", name)
			}
			if told := read(t, file+".told"); len(told) != round {
				t.Errorf("%s told %d times of %d tokens", name, len(told), round)
			}
		}
		if !w.works(t, token) {
			t.Error("PAIStrike refuses the token")
		}
	}
	rendered(1)
	if t.Failed() {
		return
	}
	first := w.fields(t, "secret/data/ci/paistrike")["token"]
	w.run(t, rotation.Rotate)
	if !w.works(t, first) {
		t.Error("the token before is refused in its overlap")
	}
	rendered(2)
	if !eventually(t, func() bool { w.run(t, rotation.Settle); return !w.works(t, first) }) {
		t.Error("the token before was not revoked")
	}
	w.run(t, rotation.Rotate)
	rendered(3)
}

// settings returns the settings of the recipe with the paths and addresses of the test, and the
// templates of the others.
func (w *world) settings(t *testing.T, dir string) string {
	t.Helper()
	text := read(t, "vault-agent.hcl")
	roleID, secretID := w.appRole(t)
	for name, value := range map[string]string{"role-id": roleID, "secret-id": secretID} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(value), 0o600); err != nil {
			t.Fatal(err)
		}
		text = strings.Replace(text, "/etc/vault-agent/"+name, file, 1)
	}
	settings, own, found := strings.Cut(text, "\ntemplate {")
	if !found {
		t.Fatal("the agent has no template")
	}
	settings = strings.NewReplacer("https://vault.example.com:8200", w.vault, `"5m"`, `"1s"`).Replace(settings)
	_, other, _ := strings.Cut(read(t, "consul-template.hcl"), "\ntemplate {")
	stanza := func(contents string) string {
		return fmt.Sprintf(" destination = \"\"\n contents = <<EOF\n%s\nEOF\n exec { command = [] }\n}\n", strings.TrimSuffix(contents, "\n"))
	}
	job := regexp.MustCompile(`(?s)data\s+= <<EOF\n(.*?)\nEOF`).FindStringSubmatch(read(t, "nomad.hcl"))
	annotation := regexp.MustCompile(`(?s)agent-inject-template-paistrike: \|\n\s+(.*?)\n`).FindStringSubmatch(read(t, "agent-injector.yaml"))
	if job == nil || annotation == nil {
		t.Fatal("a template was not found")
	}
	for name, template := range map[string]string{"agent": own, "consul-template": other, "nomad": stanza(job[1]), "injector": stanza(annotation[1])} {
		file := filepath.Join(dir, name)
		template = regexp.MustCompile(`destination\s+= ".*"`).ReplaceAllString(template, fmt.Sprintf("destination = %q", file))
		template = regexp.MustCompile(`command\s*= \[.*\]`).ReplaceAllString(template, fmt.Sprintf(`command = ["sh", "-c", "printf x >>%s.told"]`, file))
		settings += "\ntemplate {" + template
	}
	return settings
}

// appRole creates a login with the published policy.
func (w *world) appRole(t *testing.T) (roleID, secretID string) {
	t.Helper()
	return testparts.AppRole(t, testparts.AsRoot(t, w.vault, w.root), "scanner", map[string]any{"token_policies": "consumer"})
}

// eventually waits until so returns true, as long as an agent may take.
func eventually(t *testing.T, so func() bool) bool {
	t.Helper()
	const patience = time.Minute // enough for a busy machine
	deadline := time.After(patience)
	for !so() {
		select {
		case <-time.After(50 * time.Millisecond):
		case <-deadline:
			return false
		}
	}
	return true
}
