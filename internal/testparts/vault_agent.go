package testparts

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// VaultProxy starts a Vault Proxy in front of a Vault and returns the listener's URL. The
// proxy logs in with the token and adds it to each request that it forwards. kind is "proxy",
// or "agent" for a Vault Agent with a listener.
func VaultProxy(t testing.TB, kind, address, caFile, token string) string {
	t.Helper()
	listener := "api_proxy { use_auto_auth_token = \"force\" }\nlistener \"tcp\" {\n  address = \"127.0.0.1:0\"\n  tls_disable = true\n}\n"
	return startAgent(t, kind, AgentSettings(t, address, caFile, token)+listener, func(line string) (string, bool) {
		_, url, found := strings.Cut(line, "Api Address 1: ")
		return strings.TrimSpace(url), found
	})
}

// VaultAgent starts a Vault Agent with the given settings.
func VaultAgent(t testing.TB, settings string) {
	t.Helper()
	startAgent(t, "agent", settings, func(line string) (string, bool) { return line, strings.Contains(line, "Vault Agent started!") })
}

// AgentSettings returns settings for an agent that logs in to a Vault with a token. caFile
// may be "".
func AgentSettings(t testing.TB, address, caFile, token string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(token), 0o600); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("vault {\n  address = %q\n  ca_cert = %q\n}\nauto_auth {\n  method \"token_file\" {\n    config = { token_file_path = %q }\n  }\n}\n", address, caFile, file)
}

func startAgent(t testing.TB, kind, settings string, ready func(string) (string, bool)) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), kind+".hcl")
	if err := os.WriteFile(file, []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	found, err := start(t, ready, nil, VaultProgram(t), kind, "-config="+file)
	if err != nil {
		t.Fatal(err)
	}
	return found
}
