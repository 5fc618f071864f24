// Package ci_test runs the script of each example as the CI would, against a PAIStrike and a real
// Vault, with an identity token that the test signs.
package ci_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
	"github.com/paistrike/terraform-provider-paistrike/internal/testparts"
)

const (
	issuer   = "https://ci.example.com"
	audience = "https://vault.example.com"
)

// world contains the servers and programs that the scripts use.
type world struct {
	box   *sandbox.Server
	api   string
	vault string
	root  string
	key   *rsa.PrivateKey
	bin   string // folder with the program
}

func newWorld(t *testing.T) *world {
	t.Helper()
	box, err := sandbox.New(sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{box: box, bin: t.TempDir()}
	api := httptest.NewServer(box)
	t.Cleanup(api.Close)
	w.api = api.URL
	w.vault, w.root = testparts.Vault(t)
	build := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(w.bin, "paistrike-action"), "../../action") //nolint:gosec // fixed arguments
	if said, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	if w.key, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(&w.key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	_, broker := box.Mint("broker", time.Time{})
	w.put(t, "secret/data/broker/paistrike", map[string]any{"data": map[string]string{"token": broker + "\n"}}) // as a terminal writes it
	w.put(t, "secret/data/ci/app", map[string]any{"data": map[string]string{"token": "of someone else"}})
	w.policy(t, "rotator", "../policies/rotator.hcl")
	w.put(t, "sys/policies/acl/scan", map[string]string{"policy": `path "secret/data/broker/paistrike" { capabilities = ["read"] }`})
	w.put(t, "sys/auth/jwt", map[string]string{"type": "jwt"})
	w.put(t, "auth/jwt/config", map[string]any{
		"jwt_validation_pubkeys": []string{string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}))}, "bound_issuer": issuer,
	})
	for role, policy := range map[string]string{"paistrike-rotator": "rotator", "paistrike-scan": "scan"} {
		w.put(t, "auth/jwt/role/"+role, map[string]any{
			"role_type": "jwt", "user_claim": "sub", "bound_audiences": []string{audience}, "bound_claims": map[string]string{"project": "acme/tokens"},
			"token_policies": policy, "token_ttl": "20m",
		})
	}
	return w
}

func (w *world) put(t *testing.T, path string, body any) {
	t.Helper()
	testparts.Ask(t, http.MethodPost, w.vault+"/v1/"+path, w.root, body, nil)
}

func (w *world) policy(t *testing.T, name, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	w.put(t, "sys/policies/acl/"+name, map[string]string{"policy": string(text)})
}

// identity returns an identity token like a CI's: a JWT (RFC 7519) with RS256.
func (w *world) identity(t *testing.T) string {
	t.Helper()
	now := time.Now().Unix() //nolint:forbidigo // the real Vault has the real time
	var parts []string
	for _, part := range []map[string]any{{"alg": "RS256", "typ": "JWT"}, {
		"iss": issuer, "aud": audience, "sub": "project:acme/tokens", "project": "acme/tokens", "iat": now, "nbf": now - 60, "exp": now + 600,
	}} {
		raw, err := json.Marshal(part)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, base64.RawURLEncoding.EncodeToString(raw))
	}
	digest := sha256.Sum256([]byte(strings.Join(parts, ".")))
	signature, err := rsa.SignPKCS1v15(rand.Reader, w.key, crypto.SHA256, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(append(parts, base64.RawURLEncoding.EncodeToString(signature)), ".")
}

// appRole creates the login of the machine with cron.
func (w *world) appRole(t *testing.T) (roleID, secretID string) {
	t.Helper()
	return testparts.AppRole(t, testparts.AsRoot(t, w.vault, w.root), "rotator", map[string]any{"token_policies": "rotator", "token_ttl": "20m"})
}

// scan prints PAIStrike's answer to its token.
const scan = `#!/bin/sh
curl --silent --output /dev/null --write-out 'scan: %{http_code}\n' --header "Authorization: Bearer $PAISTRIKE_API_TOKEN" "$PAISTRIKE_ENDPOINT/api/v1/api-tokens/self"
`

// run runs a script as a CI would, in a folder with scan.sh.
func (w *world) run(t *testing.T, script string, env map[string]string) (said, dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "scan.sh"), []byte(scan), 0o700); err != nil { //nolint:gosec // it is to be run
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "bash", "-e", "-c", script) //nolint:gosec // the example's own
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + w.bin + ":" + os.Getenv("PATH"), "HOME=" + dir}
	for name, value := range env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	raw, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, raw)
	}
	return string(raw), dir
}

// variables returns the variables that the example sets, with the addresses of the test.
func (w *world) variables(text string) map[string]string {
	env := map[string]string{}
	for _, pair := range regexp.MustCompile(`(PAISTRIKE_[A-Z_]+)(?:: | = ')([^\s']+)`).FindAllStringSubmatch(text, -1) {
		env[pair[1]] = pair[2]
	}
	maps.Copy(env, map[string]string{"PAISTRIKE_ENDPOINT": w.api, "PAISTRIKE_VAULT_ADDRESS": w.vault})
	return env
}

// block returns the indented text below a line that ends with a mark.
func block(t *testing.T, text, mark string) string {
	t.Helper()
	lines := strings.Split(text, "\n")
	at := slices.IndexFunc(lines, func(line string) bool { return strings.HasSuffix(line, mark) })
	if at < 0 {
		t.Fatalf("there is no %q", mark)
	}
	indent := func(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }
	var script []string
	for _, line := range lines[at+1:] {
		if strings.TrimSpace(line) == "" || indent(line) < indent(lines[at+1]) || strings.HasPrefix(strings.TrimSpace(line), "'''") {
			break
		}
		script = append(script, strings.TrimSpace(line))
	}
	return strings.Join(script, "\n")
}

func example(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestExamples(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("NOT TESTED: the scripts are for bash")
	}
	w := newWorld(t)
	scanned := func(t *testing.T, said, project string) {
		t.Helper()
		if !strings.Contains(said, "scan: 200\n") || !regexp.MustCompile(`\(exec:`+project+`:[^ ]+\) is revoked\.`).MatchString(said) {
			t.Error(said)
		}
	}
	rotated := func(t *testing.T, said string) {
		t.Helper()
		if !strings.Contains(said, "0 rotated, 0 retired, 0 swept, 0 failed; 0 not due, 1 skipped") {
			t.Error(said)
		}
	}
	t.Cleanup(func() {
		for _, token := range w.box.Tokens() {
			if strings.HasPrefix(token.Name, "exec:") && token.Status == "active" {
				t.Errorf("%s is left", token.Name)
			}
		}
	})
	for name, run := range map[string]func(*testing.T){
		"GitLab": func(t *testing.T) {
			text := example(t, "gitlab-ci.yml")
			env := w.variables(text)
			env["PAISTRIKE_VAULT_JWT"] = w.identity(t)
			said, dir := w.run(t, block(t, text, "- |"), env)
			rotated(t, said)
			var report struct{ Findings []any }
			if raw, err := os.ReadFile(filepath.Join(dir, "audit.json")); err != nil || json.Unmarshal(raw, &report) != nil {
				t.Errorf("%v: %s", err, raw)
			}
		},
		"CircleCI": func(t *testing.T) {
			text := example(t, "circleci.yml")
			env := w.variables(text)
			maps.Copy(env, map[string]string{"CIRCLE_OIDC_TOKEN_V2": w.identity(t), "CIRCLE_PROJECT_REPONAME": "app", "CIRCLE_BUILD_NUM": "7", "CIRCLE_JOB": "scan"})
			said, _ := w.run(t, block(t, text, "command: |"), env)
			scanned(t, said, "app:7.-:scan")
		},
		"Buildkite": func(t *testing.T) {
			text := example(t, "buildkite.yml")
			agent := "#!/bin/sh\n[ \"$*\" = 'oidc request-token --audience " + audience + "' ] && echo '" + w.identity(t) + "'\n"
			if err := os.WriteFile(filepath.Join(w.bin, "buildkite-agent"), []byte(agent), 0o700); err != nil { //nolint:gosec // it is to be run
				t.Fatal(err)
			}
			env := w.variables(text)
			maps.Copy(env, map[string]string{"BUILDKITE_PIPELINE_SLUG": "app", "BUILDKITE_BUILD_NUMBER": "7", "BUILDKITE_STEP_KEY": "scan"})
			said, _ := w.run(t, block(t, text, "command: |"), env)
			scanned(t, said, "app:7.-:scan")
		},
		"Azure Pipelines": func(t *testing.T) {
			text := example(t, "azure-pipelines.yml")
			service := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
				if r.Method != http.MethodPost || r.Header.Get("Authorization") != "Bearer of-the-job" || r.URL.Query().Get("serviceConnectionId") != "42" {
					out.WriteHeader(http.StatusForbidden)
					return
				}
				_ = json.NewEncoder(out).Encode(map[string]string{"oidcToken": w.identity(t)})
			}))
			defer service.Close()
			env := w.variables(text)
			maps.Copy(env, map[string]string{
				"SYSTEM_OIDCREQUESTURI": service.URL, "SYSTEM_ACCESSTOKEN": "of-the-job", "SERVICE_CONNECTION_ID": "42", "BUILD_REPOSITORY_NAME": "app", "BUILD_BUILDID": "7",
			})
			said, _ := w.run(t, block(t, text, "- bash: |"), env)
			scanned(t, said, "app:7.-:-")
		},
		"Jenkins": func(t *testing.T) {
			text := example(t, "Jenkinsfile")
			file := filepath.Join(t.TempDir(), "id-token")
			if err := os.WriteFile(file, []byte(w.identity(t)+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			env := w.variables(text)
			env["PAISTRIKE_VAULT_JWT_FILE"] = file
			said, _ := w.run(t, block(t, text, "sh '''"), env)
			rotated(t, said)
		},
		"cron": func(t *testing.T) {
			line := strings.Split(strings.TrimSpace(example(t, "cron")), "\n")
			_, command, found := strings.Cut(line[len(line)-1], " paistrike ")
			if !found {
				t.Fatal("there is no user")
			}
			roleID, secretID := w.appRole(t)
			file := filepath.Join(t.TempDir(), "rotate.env")
			settings := "PAISTRIKE_ENDPOINT=" + w.api + "\nVAULT_ADDR=" + w.vault + "\nPAISTRIKE_VAULT_ROLE_ID=" + roleID + "\nPAISTRIKE_VAULT_SECRET_ID=" + secretID + "\n"
			if err := os.WriteFile(file, []byte(settings), 0o600); err != nil {
				t.Fatal(err)
			}
			command = strings.ReplaceAll(strings.ReplaceAll(command, "/etc/paistrike/rotate.env", file), " >/dev/null", "")
			said, _ := w.run(t, command, nil)
			rotated(t, said)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t)
		})
	}
}
