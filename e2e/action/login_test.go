package action_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// read is a workflow that reads the token that Terraform manages.
const read = `
on: push
permissions:
  id-token: write
  contents: read
jobs:
  scan:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: ./action
        id: paistrike
        with:
          mode: read
          endpoint: %q
          vault_address: %q
          vault_role: paistrike-read
          vault_path: ci/paistrike
          vault_ca_cert: %q
          audience: %q
          binary_path: %q
      - run: node call.js %s
      - run: echo "source=${{ steps.paistrike.outputs.source }} version=${{ steps.paistrike.outputs.secret_version }}"
`

// A job reads the token that Terraform manages with a policy for this one entry. The token is
// masked and is not revoked at the end of the job.
func TestJobThatReads(t *testing.T) {
	t.Parallel()
	eachNode(t, func(t *testing.T, w *world) {
		log, err := w.act(t, fmt.Sprintf(read, w.api, w.vault.URL, w.vault.CAFile, audience, w.program, w.api), nothing)
		if err != nil {
			t.Fatalf("%v\n%s", err, log)
		}
		for _, want := range []string{"PAIStrike answered 200 to ***", "source=read version="} {
			if !strings.Contains(log, want) {
				t.Errorf("the log lacks %q\n%s", want, log)
			}
		}
		if n := len(w.secrets()); n != 0 {
			t.Errorf("%d tokens were made", n)
		}
		if status := w.use(t, w.broker); status != http.StatusOK {
			t.Errorf("after the job PAIStrike answers %d to the provisioned token", status)
		}
		w.spotless(t, log)
	})
}

// With every login method, under the same policy of a real Vault, the step hands over the
// same token.
func TestLoginsOfTheAction(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	roleID, secretID := w.appRole(t)
	var token struct {
		Auth struct {
			ClientToken string `json:"client_token"`
		}
	}
	w.vault.Must(t, http.MethodPost, "auth/token/create", w.vault.Token, map[string]any{"policies": []string{"paistrike-mint"}, "ttl": "5m"}, &token)
	for name, inputs := range map[string][]string{
		"approle":    {"INPUT_VAULT_ROLE_ID=" + roleID, "INPUT_VAULT_SECRET_ID=" + secretID, "INPUT_VAULT_ROLE="},
		"token":      {"INPUT_VAULT_TOKEN=" + token.Auth.ClientToken, "INPUT_VAULT_ROLE="},
		"kubernetes": {"INPUT_KUBERNETES_TOKEN_PATH=" + w.pod(t), "INPUT_VAULT_ROLE=pod"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, name := range []string{"GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_STATE", "GITHUB_STEP_SUMMARY"} {
				inputs = append(inputs, name+"="+file(t))
			}
			said, err := w.step(t, append(inputs, "INPUT_VAULT_AUTH_METHOD="+name, "INPUT_AUDIENCE=")...)
			if err != nil || !strings.Contains(said, "minted, is available to later steps as PAISTRIKE_API_TOKEN") {
				t.Errorf("%v\n%s", err, said)
			}
			w.spotless(t, unmasked(said))
		})
	}
}

// file returns one of the runner's command files.
func file(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "commands")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// pod returns the file of a service account token that Vault accepts at auth/kubernetes. The
// method there is Vault's JWT method, as HashiCorp recommends when Vault cannot reach the
// cluster; the action sends the same request.
func (w *world) pod(t *testing.T) string {
	t.Helper()
	const claims = "system:serviceaccount:ci:scan"
	w.vault.Must(t, http.MethodPost, "sys/auth/kubernetes", w.vault.Token, map[string]string{"type": "jwt"}, nil)
	w.vault.Must(t, http.MethodPost, "auth/kubernetes/config", w.vault.Token, map[string]any{"jwks_url": w.issuer.url + "/jwks", "bound_issuer": w.issuer.url}, nil)
	w.vault.Must(t, http.MethodPost, "auth/kubernetes/role/pod", w.vault.Token, map[string]any{
		"role_type": "jwt", "user_claim": "sub", "bound_subject": claims, "bound_audiences": []string{"vault"}, "token_policies": "paistrike-mint", "token_ttl": "300",
	}, nil)
	token, err := w.issuer.sign(map[string]any{"iss": w.issuer.url, "aud": "vault", "sub": claims, "iat": 1_700_000_000, "nbf": 1_700_000_000, "exp": 4_000_000_000})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte(token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
