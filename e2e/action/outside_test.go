package action_test

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/paistrike/terraform-provider-paistrike/internal/testparts"
)

// example returns the first code block of a kind after a text in the README.
func example(t *testing.T, after, kind string) string {
	t.Helper()
	readme, err := os.ReadFile("../../action/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(readme), after)
	_, rest, _ = strings.Cut(rest, "```"+kind+"\n")
	block, _, found := strings.Cut(rest, "```")
	if !found {
		t.Fatalf("the README has no %s after %q", kind, after)
	}
	return block
}

// appRole creates an AppRole with only the published policy.
func (w *world) appRole(t *testing.T) (roleID, secretID string) {
	t.Helper()
	return testparts.AppRole(t, w.vault.AsRoot(t), "scan", map[string]any{"token_policies": "paistrike-mint", "token_ttl": "300", "token_type": "service"})
}

// machine returns a home directory with a scan.sh that uses the token, and an environment
// with the program on PATH.
func (w *world) machine(t *testing.T) (home string, env []string) {
	t.Helper()
	home = t.TempDir()
	for name, text := range map[string]string{
		"call.js": call, "scan.sh": "#!/bin/sh\nexec node \"$(dirname \"$0\")/call.js\" " + w.api + "\n",
	} {
		if err := os.WriteFile(filepath.Join(home, name), []byte(text), 0o700); err != nil { //nolint:gosec // it is to be run
			t.Fatal(err)
		}
	}
	return home, []string{
		"HOME=" + home, "PATH=" + filepath.Dir(w.program) + string(os.PathListSeparator) + os.Getenv("PATH"), "PAISTRIKE_VAULT_CA_CERT=" + w.vault.CAFile,
	}
}

// shell runs a line as another CI does, and checks that its token worked and was revoked.
func (w *world) shell(t *testing.T, line, home string, env []string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-c", line)
	cmd.Dir, cmd.Env = home, env
	said, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(said), "PAIStrike answered 200") || !strings.Contains(string(said), "is revoked") {
		t.Fatalf("%v\n%s", err, said)
	}
	for _, secret := range w.secrets() {
		if status := w.use(t, secret); status != http.StatusUnauthorized {
			t.Errorf("after the command PAIStrike answers %d to its token", status)
		}
	}
	if len(w.secrets()) != 1 {
		t.Errorf("%d tokens were made, want one", len(w.secrets()))
	}
}

// The published example for GitLab works, with only addresses and IDs replaced.
func TestGitLabExample(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	roleID, secretID := w.appRole(t)
	home, env := w.machine(t)
	text := example(t, "GitLab CI, with an AppRole", "yaml")
	for _, variable := range regexp.MustCompile(`(?m)^    ([A-Z_]+): (\S+)$`).FindAllStringSubmatch(text, -1) {
		value, known := map[string]string{
			"PAISTRIKE_ENDPOINT": w.api, "PAISTRIKE_VAULT_ADDRESS": w.vault.URL, "PAISTRIKE_VAULT_AUTH_METHOD": variable[2], "PAISTRIKE_VAULT_ROLE_ID": roleID,
		}[variable[1]]
		if !known {
			t.Errorf("the example has a variable %s that is not tried here", variable[1])
		}
		env = append(env, variable[1]+"="+value)
	}
	_, script, found := strings.Cut(text, "    - ")
	if !found || len(env) != 7 {
		t.Fatalf("the example is not understood: %d variables\n%s", len(env)-3, text)
	}
	w.shell(t, strings.TrimSpace(script), home, append(env, "PAISTRIKE_VAULT_SECRET_ID="+secretID, "CI=true", "GITLAB_CI=true"))
}

// The published crontab line works in the minimal environment of cron.
func TestCronExample(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	roleID, secretID := w.appRole(t)
	home, env := w.machine(t)
	variables := strings.Join([]string{
		"export PAISTRIKE_ENDPOINT=" + w.api, "export PAISTRIKE_VAULT_ADDRESS=" + w.vault.URL, "export PAISTRIKE_VAULT_AUTH_METHOD=approle",
		"export PAISTRIKE_VAULT_ROLE_ID=" + roleID, "export PAISTRIKE_VAULT_SECRET_ID=" + secretID, "",
	}, "\n")
	if err := os.WriteFile(filepath.Join(home, ".paistrike.env"), []byte(variables), 0o600); err != nil {
		t.Fatal(err)
	}
	fields := strings.SplitN(strings.TrimSpace(example(t, "cron, with the same variables", "cron")), " ", 6)
	if len(fields) != 6 {
		t.Fatalf("the example is not understood: %q", fields)
	}
	w.shell(t, fields[5], home, env)
}

// A command that uses a Vault listener with automatic authentication gets its own token,
// which is revoked when it ends. Its environment contains no Vault credentials.
func TestCommandBehindAListenerOfVault(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var login struct {
		Auth struct {
			ClientToken string `json:"client_token"`
		}
	}
	w.vault.Must(t, http.MethodPost, "auth/token/create", w.vault.Token, map[string]any{"policies": []string{"paistrike-mint"}, "ttl": "5m"}, &login)
	for _, kind := range []string{"agent", "proxy"} {
		listener := testparts.VaultProxy(t, kind, w.vault.URL, w.vault.CAFile, login.Auth.ClientToken)
		home, env := w.machine(t)
		before := len(w.secrets())
		cmd := exec.CommandContext(t.Context(), w.program, "exec", "--endpoint", w.api, "--vault-address", listener, "--vault-auth-method", "agent", "--vault-identity", "vault", //nolint:gosec // ours
			"--vault-path", "ci/broker", "--", "./scan.sh")
		cmd.Dir, cmd.Env = home, env[:2] // without Vault's CA certificate, which only the listener needs
		said, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(said), "PAIStrike answered 200") {
			t.Fatalf("%s: %v\n%s", kind, err, said)
		}
		made := w.secrets()[before:]
		if len(made) != 1 || w.use(t, made[0]) != http.StatusUnauthorized {
			t.Errorf("%s: %d tokens were made, want one that is revoked", kind, len(made))
		}
	}
}
