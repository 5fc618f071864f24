// Package action_test runs the GitHub Action as a job does: with nektos/act as the runner, a
// real Vault server with the JWT login and minimal policies, an issuer on loopback that signs
// the identity tokens, and the sandbox as PAIStrike.
//
// The tests next to the action's program cover the cases of a single step. The tests here
// cover only what needs a whole job.
package action_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/testparts"
)

const (
	audience = "https://vault.example.com"
	workflow = "acme/app/.github/workflows/scan.yml@refs/heads/main"
)

// world contains the servers that a job uses.
type world struct {
	paistrike *testparts.Account
	api       string
	broker    string
	authority *testparts.Authority // signed Vault's certificate
	vault     *testparts.VaultServer
	issuer    *issuer
	program   string // the action's program, next to its digest
	node      string // Node.js for the actions; "" is the version of GitHub's runners
}

func newWorld(t *testing.T) *world { return newWorldAt(t, time.Time{}) }

// newWorldAt returns a world in which PAIStrike's clock starts at start, or at the real time
// if start is zero.
func newWorldAt(t *testing.T, start time.Time) *world {
	t.Helper()
	account := testparts.NewAccount(t, "broker of the pipelines", start)
	w := &world{paistrike: account, api: account.Listen(t, nil), broker: account.Management, issuer: newIssuer(t), program: build(t)}
	w.authority = testparts.NewAuthority(t)
	w.vault = testparts.NewVaultServer(t, w.authority, "vault.test")
	w.setUpVault(t)
	return w
}

// setUpVault configures Vault like the Terraform configuration in the README.
func (w *world) setUpVault(t *testing.T) {
	t.Helper()
	must := func(method, path string, body any) {
		t.Helper()
		w.vault.Must(t, method, path, w.vault.Token, body, nil)
	}
	must(http.MethodPost, "secret/data/ci/broker", map[string]any{"data": map[string]string{"token": w.broker}})
	must(http.MethodPost, "secret/data/ci/other", map[string]any{"data": map[string]string{"token": "another-secret"}})
	must(http.MethodPost, "secret/data/ci/paistrike", map[string]any{"data": map[string]string{"token": w.broker}})
	for _, name := range []string{"paistrike-mint", "paistrike-read"} {
		must(http.MethodPut, "sys/policies/acl/"+name, map[string]string{"policy": published(t, name)})
	}
	must(http.MethodPost, "sys/auth/jwt", map[string]string{"type": "jwt"})
	must(http.MethodPost, "auth/jwt/config", map[string]any{"jwks_url": w.issuer.url + "/jwks", "bound_issuer": w.issuer.url})
	for name, claims := range map[string]map[string]string{
		"paistrike-mint": {"repository_id": "7", "environment": "production", "job_workflow_ref": workflow},
		"paistrike-read": {"repository_id": "7"},
	} {
		must(http.MethodPost, "auth/jwt/role/"+name, map[string]any{
			"role_type": "jwt", "user_claim": "repository_id", "bound_audiences": []string{audience}, "bound_claims": claims,
			"token_policies": name, "token_ttl": "300", "token_max_ttl": "300", "token_type": "service",
		})
	}
}

// published returns a policy from the README.
func published(t *testing.T, name string) string {
	t.Helper()
	readme, err := os.ReadFile("../../action/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(readme), `name   = "`+name+`"`)
	_, rest, _ = strings.Cut(rest, "<<-EOT\n")
	rules, _, found := strings.Cut(rest, "EOT\n")
	if !found {
		t.Fatalf("the README has no policy %s", name)
	}
	return rules
}

// secrets returns the tokens created so far.
func (w *world) secrets() []string { return w.paistrike.Secrets() }

// use calls PAIStrike with a secret and returns the status.
func (w *world) use(t *testing.T, secret string) int {
	t.Helper()
	return testparts.Use(t, w.api, secret)
}

var (
	buildOnce sync.Once
	buildErr  error
	buildSaid []byte
	buildDir  string
)

func TestMain(m *testing.M) {
	code := m.Run()
	if buildDir != "" {
		_ = os.RemoveAll(buildDir)
	}
	os.Exit(code) //nolint:forbidigo // the main function of the tests
}

// build builds the action's program and its digest for the launcher.
func build(t *testing.T) string {
	t.Helper()
	buildOnce.Do(func() {
		if buildDir, buildErr = os.MkdirTemp("", "paistrike-action-"); buildErr != nil { //nolint:usetesting // all tests share it
			return
		}
		file := filepath.Join(buildDir, "paistrike-action")
		cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", file, "../../action") //nolint:noctx // it may take its minute
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if buildSaid, buildErr = cmd.CombinedOutput(); buildErr != nil {
			return
		}
		var raw []byte
		if raw, buildErr = os.ReadFile(file); buildErr != nil {
			return
		}
		digest := sha256.Sum256(raw)
		buildErr = os.WriteFile(file+".sha256", []byte(hex.EncodeToString(digest[:])+"\n"), 0o600) //nolint:gosec // a folder of the test
	})
	if buildErr != nil {
		t.Fatalf("%v\n%s", buildErr, buildSaid)
	}
	return filepath.Join(buildDir, "paistrike-action")
}

// issuer signs identity tokens as GitHub does.
type issuer struct {
	url, request string
	key          *rsa.PrivateKey

	mu     sync.Mutex
	issued []string
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	i := &issuer{key: key, request: "request-token-of-the-job-0815"}
	server := httptest.NewServer(i)
	t.Cleanup(server.Close)
	i.url = server.URL
	return i
}

// ServeHTTP serves the keys to Vault and tokens to the job.
func (i *issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/jwks" {
		_ = json.NewEncoder(w).Encode(i.keys())
		return
	}
	if r.Header.Get("Authorization") != "Bearer "+i.request {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	now := time.Now().Unix()
	token, err := i.sign(map[string]any{
		"iss": i.nameFor(r.URL.Query().Get("audience")), "aud": r.URL.Query().Get("audience"), "sub": "repo:acme@42/app@7:environment:production",
		"repository": "acme/app", "repository_id": "7", "repository_owner_id": "42", "environment": "production",
		"job_workflow_ref": workflow, "event_name": "push", "iat": now, "nbf": now - 60, "exp": now + 300,
	})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]string{"value": token})
}

// keys returns the key set that verifies the tokens (RFC 7517).
func (i *issuer) keys() map[string]any {
	encode := base64.RawURLEncoding.EncodeToString
	return map[string]any{"keys": []map[string]string{{
		"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "1",
		"n": encode(i.key.N.Bytes()), "e": encode(big.NewInt(int64(i.key.E)).Bytes()),
	}}}
}

// nameFor returns the issuer of a token for an audience. For AWS, it is the issuer in the
// published trust policy.
func (i *issuer) nameFor(audience string) string {
	if audience == testparts.AWSAudience {
		return testparts.GitHubIssuer
	}
	return i.url
}

// sign encodes claims as a JWT (RFC 7519) with RS256, and records it.
func (i *issuer) sign(claims map[string]any) (string, error) {
	var parts []string
	for _, part := range []map[string]any{{"alg": "RS256", "typ": "JWT", "kid": "1"}, claims} {
		raw, err := json.Marshal(part)
		if err != nil {
			return "", err
		}
		parts = append(parts, base64.RawURLEncoding.EncodeToString(raw))
	}
	digest := sha256.Sum256([]byte(strings.Join(parts, ".")))
	signature, err := rsa.SignPKCS1v15(rand.Reader, i.key, crypto.SHA256, digest[:])
	if err != nil {
		return "", err
	}
	token := strings.Join(append(parts, base64.RawURLEncoding.EncodeToString(signature)), ".")
	i.mu.Lock()
	defer i.mu.Unlock()
	i.issued = append(i.issued, token)
	return token, nil
}

func (i *issuer) tokens() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return append([]string(nil), i.issued...)
}
