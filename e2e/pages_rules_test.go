package e2e_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/paistrike/terraform-provider-paistrike/internal/tfcli"
)

// Every documentation page starts with a description. The page of a resource, data source or
// other type contains a complete example, and a resource's page describes import.
func TestEveryPageHasWhatItsReaderLooksFor(t *testing.T) {
	t.Parallel()
	root, err := tfcli.Repository()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(root, "docs", "*", "*.md"))
	if err != nil || len(files) < 10 {
		t.Fatal(len(files), err)
	}
	// Decision records are for maintainers and are not in the registry.
	files = slices.DeleteFunc(files, func(file string) bool { return filepath.Base(filepath.Dir(file)) == "decisions" })
	sentence := regexp.MustCompile(`(?s)^# [^\n]+\n\n[A-Z][^\n]*[a-z]`)
	for _, file := range append(files, filepath.Join(root, "docs", "index.md")) {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		parts := strings.SplitN(string(raw), "\n---\n", 2)
		if len(parts) != 2 || !regexp.MustCompile(`(?s)description: \|-\n  [A-Z][^\n]+\.`).MatchString(parts[0]) {
			t.Errorf("%s has no description in its head", file)
			continue
		}
		page := strings.TrimSpace(parts[1])
		if !sentence.MatchString(page) {
			t.Errorf("%s does not begin with a sentence", file)
		}
		kind := filepath.Base(filepath.Dir(file))
		if kind != "guides" && !strings.Contains(page, "```terraform\n") && !strings.Contains(page, "```hcl\n") {
			t.Errorf("%s has no example", file)
		}
		if kind == "resources" && !strings.Contains(page, "\n## Import\n") {
			t.Errorf("%s does not say how to import", file)
		}
	}
}

// Every attribute for a secret describes how the secret is handled.
func TestEverySecretSaysWhatBecomesOfIt(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(filepath.Join("..", "testdata", "provider-schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	var schema any
	if err := json.Unmarshal(raw, &schema); err != nil {
		t.Fatal(err)
	}
	secrets := 0
	var walk func(path string, node any)
	walk = func(path string, node any) {
		fields, ok := node.(map[string]any)
		if !ok {
			return
		}
		if fields["sensitive"] == true {
			secrets++
			said, _ := fields["description"].(string)
			if !strings.Contains(said, "phemeral") && !strings.Contains(said, "Environment variable") {
				t.Errorf("%s does not say how to keep it out of state and plan: %q", path, said)
			}
		}
		for name, inner := range fields {
			walk(path+"."+name, inner)
		}
	}
	walk("", schema)
	if secrets < 6 {
		t.Errorf("only %d secrets were found", secrets)
	}
}
