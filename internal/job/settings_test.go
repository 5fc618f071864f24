package job

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"io/fs"
	"math/big"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/fleet"
	"github.com/paistrike/terraform-provider-paistrike/internal/input"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/vault"
)

// somePEM and someKey are a certificate and its key.
var somePEM, someKey = newPair()

func newPair() (certificate, key string) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Date(2120, 1, 1, 0, 0, 0, 0, time.UTC)}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		panic(err)
	}
	rawKey, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: rawKey}))
}

func otherKey() string { _, key := newPair(); return key }

// readNothing reads from a file system with a single file.
func readNothing(name string) ([]byte, error) {
	if name == "/etc/ca.pem" {
		return []byte(somePEM), nil
	}
	return nil, fs.ErrNotExist
}

// given returns the inputs of a minimal workflow with changes.
func given(changes ...string) input.Values {
	v := input.FromRunner(input.Token(), func(name string) string {
		return map[string]string{
			"INPUT_ENDPOINT": "https://paistrike.example.com", "INPUT_VAULT_ADDRESS": "https://vault.example.com:8200",
			"INPUT_VAULT_ROLE": "ci", "INPUT_VAULT_PATH": " ci/broker\n",
		}[name]
	})
	for _, change := range changes {
		name, value, _ := strings.Cut(change, "=")
		v[name] = value
	}
	return v
}

// parseGiven parses inputs of action/ with a file system of a single file.
func parseGiven(in input.Values) (settings, error) {
	return parseToken(&parser{in: in, inputs: input.Token(), github: true, readFile: readNothing})
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	s, err := parseGiven(given())
	if err != nil {
		t.Fatal(err)
	}
	if s.mode != modeMint || s.expiresIn != time.Hour || s.label != "gha" || s.envName != "PAISTRIKE_API_TOKEN" || !s.exportEnv || !s.revoke ||
		s.revokeOrFail || s.skipUntrusted || s.minRemaining != 15*time.Minute || !s.verify || !s.summary || s.timeout != 2*time.Minute || s.maxAttempts != 5 {
		t.Errorf("%+v", s)
	}
	if s.at.Mount != "secret" || s.at.Path != "ci/broker" || s.at.Key != "token" || s.audience != "https://vault.example.com:8200" {
		t.Errorf("%+v, audience %s", s.at, s.audience)
	}
	if !s.vault.AddToSystemRoots || s.vault.SkipTLSVerify || s.vault.MaxRetries != -1 || len(s.secrets) != 0 {
		t.Errorf("%+v", s.vault)
	}
}

func TestInputsRefused(t *testing.T) {
	t.Parallel()
	approle := []string{"vault_auth_method=approle", "vault_role="}
	for _, test := range []struct {
		name string
		in   input.Values
		want string // part of the message
	}{
		{"no endpoint", given("endpoint="), "endpoint: is required"},
		{"endpoint in clear", given("endpoint=http://paistrike.example.com"), "endpoint: must begin with https://"},
		{"endpoint with a password", given("endpoint=https://u:hunter2@paistrike.example.com"), "endpoint: must not contain a username"},
		{"routes that are none", given(`api_routes={"colection":"/x"}`), "api_routes"},
		{"an auth that is none", given(`auth={"headers":"x"}`), "auth"},
		{"a route with a way out", given(`api_routes={"collection":"/../x"}`), "api_routes.collection"},
		{"no Vault", given("vault_address="), "vault_address: is required"},
		{"Vault in clear", given("vault_address=http://vault.example.com"), "vault_address: must begin with https://"},
		{"Vault with a password", given("vault_address=https://u:hunter2@vault.example.com"), "vault_address: must not contain"},
		{"Vault with a query", given("vault_address=https://vault.example.com?x=1"), "vault_address: must not contain"},
		{"no path", given("vault_path="), "vault_path: is required"},
		{"unknown mode", given("mode=rotate"), `mode: "rotate" is not one of mint, read`},
		{"boolean of YAML 1.1", given("export_env=yes"), `export_env: "yes" is neither true nor false`},
		{"boolean as a number", given("verify=1"), `verify: "1"`},
		{"no such method", given("vault_auth_method=ldap", "vault_role="), "vault_auth_method: "},
		{"no role", given("vault_role="), "vault_role: is required for vault_auth_method jwt"},
		{"a token beside jwt", given("vault_token=hvs.hunter2"), "vault_token: cannot be used with vault_auth_method jwt"},
		{"a role beside approle", given("vault_auth_method=approle", "vault_role_id=a", "vault_secret_id=b"), "vault_role: cannot be used with vault_auth_method approle"},
		{"no secret id", given(append(approle, "vault_role_id=a")...), "vault_secret_id: is empty"},
		{"a secret id of two lines", given(append(approle, "vault_role_id=a", "vault_secret_id=hunter2\nx")...), "vault_secret_id: contains characters"},
		{"a mount for a token", given("vault_auth_method=token", "vault_role=", "vault_token=x", "vault_auth_path=y"), "vault_auth_path: cannot be used"},
		{"a login elsewhere", given("vault_auth_path=../sys"), "vault_auth_path: leads elsewhere"},
		{"a duration that is none", given("expires_in=soon"), "expires_in: "},
		{"no time at all", given("timeout=0s"), "timeout: "},
		{"too many attempts", given("max_attempts=100"), "max_attempts: "},
		{"no attempts", given("max_attempts=0"), "max_attempts: "},
		{"a long label", given("label=" + strings.Repeat("x", 41)), "label: "},
		{"a label of two lines", given("label=a\nb"), "label: "},
		{"headers that are none", given("headers=hunter2"), "headers: each line"},
		{"our header", given("headers=Authorization: hunter2"), "headers: Authorization is set"},
		{"Vault's header", given("vault_headers=X-Vault-Token: hunter2"), "vault_headers: must not contain X-Vault-Token, which has a separate input"},
		{"a certificate without a key", given("vault_client_cert=" + somePEM), "vault_client_cert: must be set together"},
		{"a certificate that is none", given("vault_ca_cert=/etc/none.pem"), "vault_ca_cert: is not PEM"},
		{"a certificate that lost its end", given("vault_ca_cert=" + somePEM[:len(somePEM)-9]), "vault_ca_cert: is not valid PEM"},
		{"a certificate that lost a letter", given("vault_ca_cert=" + strings.Replace(somePEM, "\nMI", "\nM", 1)), "vault_ca_cert: is not valid PEM"},
		{"a key for a certificate", given("vault_ca_cert=" + someKey), "vault_ca_cert: contains a PRIVATE KEY instead of a certificate"},
		{"another key", given("vault_client_cert="+somePEM, "vault_client_key="+otherKey()), "vault_client_key: is not the private key of vault_client_cert"},
		{"no user name", given("vault_auth_method=userpass", "vault_role=", "vault_password=hunter2"), "vault_username: is required"},
		{"a path for an agent", given("vault_auth_method=agent", "vault_role=", "vault_auth_path=x"), "vault_auth_path: cannot be used"},
		{"an agent for an unknown Vault", given("vault_auth_method=agent", "vault_role="), "vault_identity: is required for vault_auth_method agent"},
		{"a key that is none", given("vault_client_cert="+somePEM, "vault_client_key=hunter2"), "vault_client_key: is not PEM"},
		{"on_untrusted", given("on_untrusted=ignore"), "on_untrusted: "},
		{"on_revoke_failure", given("on_revoke_failure=skip"), "on_revoke_failure: "},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := parseGiven(test.in)
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), "PSA001: ") {
				t.Fatalf("got %v", err)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("it repeats a secret: %v", err)
			}
		})
	}
}

// Each problem is reported once, whichever store's settings are parsed.
func TestWrongInputIsNamedOnce(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]input.Values{
		"vault": given("max_attempts=100"),
		"aws":   given("store=aws", "aws_secret_id=ci/broker", "vault_address=", "vault_role=", "vault_path=", "max_attempts=100"),
	} {
		if _, err := parseGiven(in); err == nil || strings.Count(err.Error(), "max_attempts: ") != 1 {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestInputsTaken(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		in   input.Values
		good func(settings) bool
	}{
		{"loopback in clear", given("endpoint=http://127.0.0.1:8765", "vault_address=http://[::1]:8200"), func(settings) bool { return true }},
		{"booleans", given("export_env=False", "revoke=FALSE", "verify=false"), func(s settings) bool { return !s.exportEnv && !s.revoke && !s.verify }},
		{"no variable, any name", given("export_env=false", "env_name=PATH"), func(s settings) bool { return s.envName == "PATH" }},
		{"any time left", given("min_remaining=0"), func(s settings) bool { return s.minRemaining == 0 }},
		{"PEM", given("vault_ca_cert=" + somePEM), func(s settings) bool { return s.vault.CACertPEM == somePEM }},
		{"PEM in one line", given("vault_ca_cert=" + strings.ReplaceAll(somePEM, "\n", " ")), func(s settings) bool { return s.vault.CACertPEM == somePEM }},
		{"PEM with \\n", given("vault_ca_cert=" + strings.ReplaceAll(somePEM, "\n", `\n`)), func(s settings) bool { return s.vault.CACertPEM == somePEM }},
		{"PEM with \\r\\n", given("vault_ca_cert=" + strings.ReplaceAll(somePEM, "\n", `\r\n`)), func(s settings) bool { return s.vault.CACertPEM == somePEM }},
		{"a pair", given("vault_client_cert="+somePEM, "vault_client_key="+strings.ReplaceAll(someKey, "\n", "")), func(s settings) bool { return s.vault.ClientKeyPEM == someKey }},
		{"the page of Vault", given("vault_address=https://vault.example.com:8200/ui/vault/secrets"), func(s settings) bool { return s.vault.Address == "https://vault.example.com:8200" }},
		{"the API of Vault behind a prefix", given("vault_address=https://example.com/vault/v1/"), func(s settings) bool { return s.vault.Address == "https://example.com/vault" }},
		{"a prefix", given("vault_address=https://example.com/vault/"), func(s settings) bool { return s.vault.Address == "https://example.com/vault" }},
		{"userpass", given("vault_auth_method=userpass", "vault_role=", "vault_username=u", "vault_password=p w"), func(s settings) bool {
			return s.vault.Login.Username == "u" && s.vault.Login.Password.Reveal() == "p w" && len(s.secrets) == 1
		}},
		{"an agent", given("vault_auth_method=agent", "vault_role=", "vault_identity=production"), func(s settings) bool { return s.vault.Login.Method == "agent" }},
		{"PEM in base64", given("vault_ca_cert=" + base64.StdEncoding.EncodeToString([]byte(somePEM))), func(s settings) bool { return s.vault.CACertPEM == somePEM }},
		{"PEM in a file", given("vault_ca_cert=/etc/ca.pem"), func(s settings) bool { return s.vault.CACertPEM == somePEM }},
		{"headers", given("headers=X-Organization: 42\n\n X-Key:  a-long-secret "), func(s settings) bool {
			return s.api.Headers["X-Organization"] == "42" && len(s.secrets) == 1 && s.secrets[0].Reveal() == "a-long-secret"
		}},
		{"approle", given("vault_auth_method=approle", "vault_role=", "vault_role_id=r", "vault_secret_id=s", "vault_auth_path=/ci/approle/"), func(s settings) bool {
			return s.vault.Login.RoleID == "r" && s.vault.Login.SecretID.Reveal() == "s" && s.vault.Login.Mount == "ci/approle" && len(s.secrets) == 1
		}},
		{"kubernetes", given("vault_auth_method=kubernetes", "kubernetes_token_path=/run/token"), func(s settings) bool { return s.vault.Login.File == "/run/token" }},
		{"two namespaces", given("vault_namespace=team", "vault_auth_namespace=root"), func(s settings) bool {
			return s.vault.Namespace == "team" && s.vault.AuthNamespace == "root"
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s, err := parseGiven(test.in)
			if err != nil || !test.good(s) {
				t.Errorf("%v %+v", err, s)
			}
		})
	}
}

// A secret that a fork does not get is distinguished from an invalid input.
func TestMissingCredentials(t *testing.T) {
	t.Parallel()
	_, err := parseGiven(given("vault_auth_method=token", "vault_role="))
	if _, ok := errors.AsType[*missingCredentialError](err); !ok {
		t.Errorf("a missing token: %v", err)
	}
	_, err = parseGiven(given("vault_auth_method=token", "vault_role=", "mode=x"))
	if _, ok := errors.AsType[*missingCredentialError](err); ok || !strings.Contains(err.Error(), "vault_token") {
		t.Errorf("a missing token and a wrong mode: %v", err)
	}
}

func TestEnvNames(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"PAISTRIKE_API_TOKEN", "TOKEN", "_T0"} {
		if problem := checkEnvName(good); problem != "" {
			t.Errorf("%s: %s", good, problem)
		}
	}
	for _, bad := range []string{
		"", "token", "A-B", "A=B", "1A", "A B", "PATH", "LD_PRELOAD", "DYLD_INSERT_LIBRARIES", "NODE_OPTIONS", "BASH_ENV", "ENV", "IFS", "GITHUB_TOKEN",
		"GITHUB_ENV", "RUNNER_TEMP", "ACTIONS_ID_TOKEN_REQUEST_URL", "HTTPS_PROXY", "SSL_CERT_FILE", "GIT_SSH_COMMAND", "PYTHONPATH", "PERL5OPT",
		"RUBYOPT", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "PROMPT_COMMAND", "PS4", "CI", "VAULT_TOKEN", strings.Repeat("A", 101),
	} {
		if checkEnvName(bad) == "" {
			t.Errorf("%s is taken", bad)
		}
	}
}

// The post step uses the main step's inputs, and no secret is saved.
func TestInputsForPost(t *testing.T) {
	t.Parallel()
	then := given("vault_token=hunter2", "headers=X-Key: hunter2", "expires_in=5m", "binary_path=/x")
	kept := then.Plain()
	for name, value := range kept {
		if strings.Contains(value, "hunter2") || name == "binary_path" || name == "mode" {
			t.Errorf("%s is kept", name)
		}
	}
	now := given("endpoint=https://evil.example.com", "vault_token=renewed", "revoke=false", "vault_namespace=evil")
	got := now.Restore(kept)
	if got["endpoint"] != then["endpoint"] || got["revoke"] != "true" || got["vault_namespace"] != "" || got["expires_in"] != "5m" || got["vault_token"] != "renewed" {
		t.Errorf("%v", got)
	}
}

func TestTokenNames(t *testing.T) {
	t.Parallel()
	if got := nameOf("gha", "acme/app", "1001", "2", "scan", "abcdefghij"); got != "gha:acme/app:1001.2:scan:abcdefghij" {
		t.Error(got)
	}
	long := strings.Repeat("ä", 200)
	if got := nameOf(strings.Repeat("l", 40), long, "12345678901", "99", long, "abcdefghij"); len([]rune(got)) > maxName || !strings.HasSuffix(got, ":abcdefghij") {
		t.Errorf("%d characters: %s", len([]rune(got)), got)
	}
	if got := nameOf("gha", "", "", "", "a\nb c", "x"); got != "gha:-:-.-:a-b-c:x" {
		t.Error(got)
	}
}

// The audit recognizes the names of tokens that the action creates for jobs.
func TestAuditKnowsTheNamesOfJobs(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		nameOf("gha", "acme/app", "1001", "1", "scan", "abcdefghij"),
		nameOf("exec", "", "", "", "", "abcdefghij"),
		nameOf("exec", "host.example.com", "", "", "", "abcdefghij"),
		nameOf("", "acme/app", "1.2", "1", "scan", "abcdefghij"),
		nameOf("a:b", "acme/app", "1001", "1", "scan", "abcdefghij"),
		nameOf("a label", strings.Repeat("acme/long", 20), "1001", "12", strings.Repeat("job", 20), "0123456789"),
	} {
		if !fleet.IsJobToken(name) {
			t.Errorf("%q is not known", name)
		}
	}
	for _, name := range []string{"CI/CD Pipeline", "gha", "a:b:c", "CI-ps1-k3v7q2m6xtab-7h2k5q-12-w5c2m4pa"} {
		if fleet.IsJobToken(name) {
			t.Errorf("%q passes for a job's", name)
		}
	}
}

// Outside GitHub, a CI passes its own identity token, and a user has logged in with the Vault
// CLI.
func TestLoginsOutsideGitHub(t *testing.T) {
	t.Parallel()
	parse := func(changes ...string) (settings, error) {
		in := given(changes...)
		for _, gone := range []string{"mode", "audience", "min_remaining"} {
			delete(in, gone)
		}
		read := func(name string) ([]byte, error) {
			if name == filepath.Join("home", ".vault-token") {
				return []byte("hvs.of-vault-login\n"), nil
			}
			return nil, fs.ErrNotExist
		}
		return parseExec(&parser{in: in, inputs: input.Exec(), home: "home", readFile: read})
	}
	for _, test := range []struct {
		name    string
		changes []string
		good    func(vault.Login) bool
		bad     string
	}{
		{"a JWT", []string{"vault_jwt=a.b.c"}, func(l vault.Login) bool { return l.JWT.Reveal() == "a.b.c" && l.Role == "ci" }, ""},
		{"a JWT in a file", []string{"vault_jwt_file=/run/jwt"}, func(l vault.Login) bool { return l.File == "/run/jwt" }, ""},
		{"no JWT", nil, nil, "vault_jwt: is required for vault_auth_method jwt, unless vault_jwt_file is set"},
		{"two JWTs", []string{"vault_jwt=a.b.c", "vault_jwt_file=/run/jwt"}, nil, "vault_jwt_file: cannot be combined with vault_jwt"},
		{"the file of vault login", []string{"vault_auth_method=token", "vault_role="}, func(l vault.Login) bool {
			return l.Method == vault.MethodTokenFile && l.File == filepath.Join("home", ".vault-token")
		}, ""},
		{"a token comes first", []string{"vault_auth_method=token", "vault_role=", "vault_token=hvs.x"}, func(l vault.Login) bool { return l.Token.Reveal() == "hvs.x" }, ""},
	} {
		s, err := parse(test.changes...)
		if test.bad != "" && (err == nil || !strings.Contains(err.Error(), test.bad)) || test.bad == "" && (err != nil || !test.good(s.vault.Login)) {
			t.Errorf("%s: %v %+v", test.name, err, s.vault.Login)
		}
	}
	s, err := parse("api_token=pstk_management", "vault_path=", "vault_jwt=a.b.c")
	if err != nil || s.management.Reveal() != "pstk_management" {
		t.Errorf("a management token of its own: %v", err)
	}
}

// A terminal adds a line break to typed input. One line break is removed.
func TestOneLineBreakIsNotPartOfAToken(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"a": "a", "a\n": "a", "a\r\n": "a", "a\n\n": "a\n", "a\nb": "a\nb", "\n": ""} {
		if got := withoutBreak(secret.New(in)).Reveal(); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}
