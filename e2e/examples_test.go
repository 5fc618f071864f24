package e2e_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/examples"
	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
	"github.com/paistrike/terraform-provider-paistrike/internal/testparts"
)

// december is a day within 90 days of the fixed expiry in an example.
var december = time.Date(2026, time.December, 7, 9, 0, 0, 0, time.UTC)

const resources = "resources/paistrike_api_token/"

// published returns a published example.
func published(t *testing.T, name string) string {
	t.Helper()
	text, err := fs.ReadFile(examples.Files, name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// exampleWorld returns a world at the addresses in the examples.
func exampleWorld(t *testing.T, program string, options sandbox.Options) *world {
	t.Helper()
	w := newWorld(t, program, options)
	n := newInternet(t)
	n.forward(t, paistrikeHost, "443", w.api)
	n.forward(t, vaultHost, "8200", w.vault)
	w.tf = workspace(t, program, append(n.environment(), "PAISTRIKE_API_TOKEN="+w.front.management, "VAULT_TOKEN="+w.root)...)
	w.write(t, "provider.tf", published(t, "provider/provider.tf"))
	return w
}

// use calls PAIStrike with a secret, as its consumer would, and returns the status.
func (w *world) use(t *testing.T, secret string) int {
	t.Helper()
	return testparts.Use(t, w.api, secret)
}

// secret reads a field of a KV entry. It returns "" if the field does not exist.
func (w *world) secret(t *testing.T, mount, path, key string) string {
	t.Helper()
	var answer struct {
		Data struct{ Data map[string]any }
	}
	if err := json.Unmarshal([]byte(w.get(t, w.vault+"/v1/"+mount+"/data/"+path)), &answer); err != nil {
		t.Fatal(err)
	}
	value, _ := answer.Data.Data[key].(string)
	return value
}

// tokenByHand returns the state file of a PAIStrike with a token created on the page, with
// the ID in the examples. Its clock is stopped.
func tokenByHand(t *testing.T) (file string) {
	t.Helper()
	digest := sha256.Sum256([]byte("pstk_sbx_made_by_hand"))
	state, err := json.Marshal(map[string]any{
		"version": 1, "seq": 1, "clock": map[string]any{"still": monday, "offset": "0s"},
		"tokens": []map[string]any{{
			"id": importedID, "name": "CI/CD Pipeline", "created_at": monday.Add(-40 * day), "expires_at": monday.Add(300 * day),
			"sha256": hex.EncodeToString(digest[:]), "seq": 1,
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "sandbox.json")
	if err := os.WriteFile(file, state, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// Every example of the resource's page works as published: after apply the plan is empty and
// the secrets work, and destroy succeeds.
func TestPublishedExamples(t *testing.T) {
	t.Parallel()
	files, err := fs.Glob(examples.Files, resources+"resource*.tf")
	if err != nil || len(files) < 5 {
		t.Fatalf("%d examples found: %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(path.Base(file), ".tf"), func(t *testing.T) {
			t.Parallel()
			eachCLI(t, func(t *testing.T, program string) {
				w := exampleWorld(t, program, sandbox.Options{Start: december})
				w.write(t, "main.tf", published(t, file))
				w.apply(t)
				w.planEmpty(t)
				state, err := w.tf.State(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				tokens := 0
				for address, attributes := range state {
					at, ok := attributes["vault"].(map[string]any)
					if !ok {
						continue
					}
					tokens++
					secret := w.secret(t, text(at["mount"]), text(at["path"]), text(at["key"]))
					if status := w.use(t, secret); status != http.StatusOK {
						t.Errorf("%s: the secret in Vault gets %d", address, status)
					}
				}
				if tokens == 0 || w.active() != tokens {
					t.Errorf("%d tokens in the state, %d active", tokens, w.active())
				}
				w.destroy(t)
				if w.active() > 0 {
					t.Errorf("%d tokens are left", w.active())
				}
			})
		})
	}
}

func text(value any) string {
	s, _ := value.(string)
	return s
}

// importedID is the token ID in the published import examples.
const importedID = "tok_8fK2mQ4xW7ZbN1cR5tYp"

// importWorld returns a world with a token created on the page, with the ID in the examples.
func importWorld(t *testing.T, program string) *world {
	t.Helper()
	w := exampleWorld(t, program, sandbox.Options{StateFile: tokenByHand(t)})
	w.write(t, "main.tf", published(t, resources+"resource.tf"))
	return w
}

// A token created on the page is imported as documented. The next apply creates a new token
// in Vault, and both work during the overlap.
func TestPublishedImports(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"import.sh", "import-by-string-id.tf", "import-by-identity.tf"} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			eachCLI(t, func(t *testing.T, program string) {
				w := importWorld(t, program)
				switch {
				case file == "import-by-identity.tf" && !w.knowsIdentities(t):
					t.Skip("the CLI is older than identities: Terraform 1.12, OpenTofu 1.12")
				case strings.HasSuffix(file, ".sh"):
					w.shell(t, published(t, resources+file))
				default:
					w.write(t, "import.tf", published(t, resources+file))
				}
				changes := w.plan(t)
				if len(changes) != 1 || !slices.Equal(changes[0].Actions, []string{"update"}) || changes[0].After["rotation_reason"] != "imported" {
					t.Fatalf("the plan is not an import and one rotation: %+v", changes)
				}
				w.apply(t)
				w.planEmpty(t)
				if status := w.use(t, w.secret(t, "secret", "ci/paistrike", "token")); status != http.StatusOK {
					t.Errorf("the secret in Vault gets %d", status)
				}
				if w.active() != 2 {
					t.Errorf("%d tokens are active, want the new one and the imported one", w.active())
				}
				w.paistrike.Clock().Advance(25 * time.Hour)
				w.apply(t)
				if w.active() != 1 {
					t.Errorf("%d tokens are active after the overlap, want the new one", w.active())
				}
			})
		})
	}
}

// shell runs a published script in which terraform is the program under test.
func (w *world) shell(t *testing.T, script string) {
	t.Helper()
	bin := t.TempDir()
	if err := os.Symlink(w.tf.Program, filepath.Join(bin, "terraform")); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-euc", script)
	cmd.Dir, cmd.Env = w.tf.Dir, append(w.tf.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", script, err, said)
	}
}

// knowsIdentities reports whether the program supports import by identity.
func (w *world) knowsIdentities(t *testing.T) bool {
	t.Helper()
	out, err := w.tf.Run(t.Context(), "version", "-json")
	if err != nil {
		t.Fatal(err)
	}
	var version struct {
		Text string `json:"terraform_version"`
	}
	if err := json.Unmarshal([]byte(out.Stdout), &version); err != nil {
		t.Fatal(err)
	}
	var major, minor int
	if _, err := fmt.Sscanf(version.Text, "%d.%d", &major, &minor); err != nil {
		t.Fatal(err)
	}
	return major > 1 || minor >= 12
}
