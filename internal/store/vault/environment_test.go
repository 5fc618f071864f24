package vault_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/paistrike/terraform-provider-paistrike/internal/store/vault"
)

// poison contains, for each variable that the vault/api module reads, a value that would
// change a run: another server, another token, no certificate check. {evil} is the address
// of another server.
var poison = map[string]string{
	"VAULT_ADDR": "{evil}", "VAULT_AGENT_ADDR": "{evil}", "VAULT_PROXY_ADDR": "{evil}", "VAULT_HTTP_PROXY": "{evil}",
	"VAULT_TOKEN": "evil", "VAULT_NAMESPACE": "evil", "VAULT_HEADERS": `{"X-Evil":"1"}`, "VAULT_MFA": "evil:1",
	"VAULT_SKIP_VERIFY": "true", "VAULT_TLS_SERVER_NAME": "evil", "VAULT_SRV_LOOKUP": "true",
	"VAULT_MAX_RETRIES": "9", "VAULT_CLIENT_TIMEOUT": "1ns", "VAULT_RATE_LIMIT": "0:0", "VAULT_WRAP_TTL": "60",
	"VAULT_CACERT": "/nowhere", "VAULT_CACERT_BYTES": "nothing", "VAULT_CAPATH": "/nowhere",
	"VAULT_CLIENT_CERT": "/nowhere", "VAULT_CLIENT_KEY": "/nowhere", "VAULT_DISABLE_REDIRECTS": "false",
}

// malformed is a value that makes the constructor of vault/api fail, in any variable.
const malformed = "{\x01perhaps"

// Whatever the environment contains, a request goes where the configuration says, with the
// configured token, and certificates are checked. These tests change the environment, so
// none of them is parallel.
func TestEnvironmentIsIgnored(t *testing.T) {
	evil := newFake(t, func(w http.ResponseWriter, _ *http.Request, _ seen) { say(w, 200, listed) })
	good := newFake(t, func(w http.ResponseWriter, _ *http.Request, _ seen) { say(w, 200, listed) })
	// check creates a client, and sends one request to a good server and one to a server
	// with an untrusted certificate.
	check := func(t *testing.T) {
		t.Helper()
		before := len(good.requests())
		if _, err := client(t, good.URL).List(t.Context(), "", "secret", ""); err != nil {
			t.Fatal(err)
		}
		if sent := len(good.requests()) - before; sent != 1 {
			t.Errorf("%d requests", sent)
		}
		got := good.last(t)
		if got.Token != "t" || got.Namespace != "" || got.Header.Get("X-Evil") != "" || got.Header.Get("X-Vault-Wrap-TTL") != "" || got.Header.Get("X-Vault-MFA") != "" {
			t.Errorf("the environment reached the request: %+v", got.Header)
		}
		if calls := evil.requests(); len(calls) != 0 {
			t.Errorf("the environment redirected %v", calls)
		}
		server := httptest.NewTLSServer(http.NotFoundHandler())
		defer server.Close()
		if _, err := client(t, server.URL).Metadata(t.Context(), at("x")); err == nil || vault.StatusOf(err) != 0 {
			t.Errorf("a certificate that nobody trusts was accepted: %v", err)
		}
	}
	for name, value := range poison {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, strings.ReplaceAll(value, "{evil}", evil.URL))
			check(t)
			t.Setenv(name, malformed)
			check(t)
		})
	}
	t.Run("all at once", func(t *testing.T) {
		for name, value := range poison {
			t.Setenv(name, strings.ReplaceAll(value, "{evil}", evil.URL))
		}
		check(t)
	})
}

// The table contains every variable that the pinned version of vault/api has a constant
// for.
func TestEveryVariableOfTheLibraryIsTried(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-f", "{{.Dir}}", "github.com/hashicorp/vault/api").Output()
	if err != nil {
		t.Fatal(err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(strings.TrimSpace(string(out)), "client.go"), nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		if text, ok := n.(*ast.BasicLit); ok && text.Kind == token.STRING {
			if value, err := strconv.Unquote(text.Value); err == nil && strings.HasPrefix(value, "VAULT_") && !strings.Contains(value, " ") {
				found[value] = true
			}
		}
		return true
	})
	for name := range found {
		if poison[name] == "" {
			t.Errorf("vault/api reads %s, which no test tries", name)
		}
	}
	for name := range poison {
		if !found[name] {
			t.Errorf("vault/api does not know %s", name)
		}
	}
}
