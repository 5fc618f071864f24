package e2e_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
	"github.com/paistrike/terraform-provider-paistrike/internal/testparts"
	"github.com/paistrike/terraform-provider-paistrike/internal/tfcli"
)

// reader follows a page in an empty folder with its own home directory.
type reader struct {
	dir string
	env []string
}

// newReader sets up a page's prerequisites: the programs, the servers at the documented
// addresses, a management token, and a Vault.
func newReader(t *testing.T, program string, p page) *reader {
	t.Helper()
	w := newWorld(t, program, sandbox.Options{StateFile: tokenByHand(t)})
	n := newInternet(t)
	n.forward(t, paistrikeHost, "443", w.api)
	n.forward(t, vaultHost, "8200", w.vault)
	for _, path := range []string{"ci/broker", "broker/paistrike"} {
		body := map[string]any{"data": map[string]string{"token": w.front.management}}
		testparts.Ask(t, http.MethodPost, w.vault+"/v1/secret/data/"+path, w.root, body, nil)
	}
	r := &reader{dir: t.TempDir()}
	if p.config == "" {
		p.config = published(t, "getting-started/main.tf") // instead of the reader's own configuration
	}
	r.write(t, "main.tf", p.config)
	r.write(t, "scan.sh", "#!/bin/sh\ntest -n \"$PAISTRIKE_API_TOKEN\"\n")
	if slices.ContainsFunc(p.commands, func(command string) bool { return strings.HasPrefix(command, "opa ") }) {
		r.install(t, map[string]string{"opa": testparts.OPA(t)})
		if err := os.CopyFS(filepath.Join(r.dir, "policy"), os.DirFS(filepath.Join("..", "examples", "opa"))); err != nil {
			t.Fatal(err)
		}
	}
	r.install(t, map[string]string{"terraform": program, "vault": testparts.VaultProgram(t), "paistrike-action": actionProgram(t)})
	r.env = append(n.environment(), "HOME="+r.dir, "PATH="+filepath.Join(r.dir, "bin")+string(os.PathListSeparator)+os.Getenv("PATH"),
		"TF_CLI_CONFIG_FILE="+r.settings(t, p), "CHECKPOINT_DISABLE=1", "VAULT_MAX_RETRIES=0",
		"PAISTRIKE_ENDPOINT=https://"+paistrikeHost, "PAISTRIKE_API_TOKEN="+w.front.management, "VAULT_ADDR=https://"+vaultHost+":8200", "VAULT_TOKEN="+w.root,
		"typed_PAISTRIKE_API_TOKEN="+w.front.management, "typed_VAULT_TOKEN="+w.root)
	if slices.Contains(p.commands, "make sandbox") {
		r.startSandbox(t)
	}
	return r
}

// settings returns the CLI configuration for a page. If the page runs terraform init, the
// provider is installed as from a registry; otherwise it runs from the build directory.
func (r *reader) settings(t *testing.T, p page) string {
	t.Helper()
	if slices.Contains(p.commands, "terraform init") {
		return mirrorSettings(t, r.dir)
	}
	r.write(t, "cli.tfrc", tfcli.OverrideSettings(tfcli.Source, providerDir))
	return filepath.Join(r.dir, "cli.tfrc")
}

// startSandbox runs the command of `make sandbox` on other ports, as in the reader's second
// terminal. It ends with the test.
func (r *reader) startSandbox(t *testing.T) {
	t.Helper()
	makefile, err := os.ReadFile(filepath.Join("..", "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	recipe := regexp.MustCompile(`(?m)^\t@exec bin/sandbox (.+)$`).FindSubmatch(makefile)
	if recipe == nil {
		t.Fatal("the Makefile does not run bin/sandbox")
	}
	flags := strings.ReplaceAll(string(recipe[1]), "$(NEXT_VERSION)", nextVersion(t))
	flags = regexp.MustCompile(`127\.0\.0\.1:\d+`).ReplaceAllString(flags, "127.0.0.1:0")
	flags, _, _ = strings.Cut(flags, " $(if") // without the flags for OVERRIDES=1
	args := append(strings.Fields(flags), "-kv", testparts.KVProgram(t), "-aws", testparts.SecretsManagerProgram(t), "-provider", filepath.Join(providerDir, "terraform-provider-paistrike"))
	cmd := exec.CommandContext(t.Context(), sandboxProgram(t), args...) //nolint:gosec // the Makefile is ours
	cmd.Dir, cmd.WaitDelay = r.dir, time.Minute
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Wait() })
	if n, err := stdout.Read(make([]byte, 1)); n == 0 {
		t.Fatal("the sandbox does not start:", err) // it prints its addresses when it is ready
	}
	go func() { _, _ = bytes.NewBuffer(nil).ReadFrom(stdout) }()
}

func (r *reader) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(r.dir, name), []byte(text), 0o700); err != nil { //nolint:gosec // some are to be run
		t.Fatal(err)
	}
}

// install adds programs to the reader's PATH.
func (r *reader) install(t *testing.T, programs map[string]string) {
	t.Helper()
	bin := filepath.Join(r.dir, "bin")
	if err := os.MkdirAll(bin, 0o750); err != nil {
		t.Fatal(err)
	}
	for name, target := range programs {
		if err := os.Symlink(target, filepath.Join(bin, name)); err != nil {
			t.Fatal(err)
		}
	}
}

// typing replaces the shell's `read -rs NAME` with the input that the test supplies.
const typing = "read() { shift; eval \"$1=\\$typed_$1\"; }\n"

// run runs the commands of a page in one shell and answers every question with yes.
func (r *reader) run(t *testing.T, script string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute) // enough for a busy machine
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", typing+script) //nolint:gosec // the documentation is ours
	cmd.Dir, cmd.Env = r.dir, r.env
	cmd.Stdin = yes{}
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, said.String())
	}
	if t.Failed() || testing.Verbose() {
		t.Log(said.String())
	}
}

// gotThrough checks the result of the getting-started page: tokens were created and replaced
// in the sandbox, and none still works.
func (r *reader) gotThrough(t *testing.T) {
	t.Helper()
	env, err := os.ReadFile(filepath.Join(r.dir, ".sandbox.env"))
	if err != nil {
		t.Fatal(err)
	}
	endpoint := regexp.MustCompile(`PAISTRIKE_ENDPOINT=(\S+)`).FindSubmatch(env)
	if endpoint == nil {
		t.Fatalf("no endpoint in %s", env)
	}
	var tokens struct {
		Tokens []struct{ Name, Status string }
	}
	testparts.Ask(t, http.MethodGet, string(endpoint[1])+"/_sandbox/tokens", "", nil, &tokens)
	made := 0
	for _, token := range tokens.Tokens {
		if strings.HasPrefix(token.Name, "CI/CD Pipeline-ps1-") {
			made++
			if token.Status != "revoked" {
				t.Errorf("%s is %s", token.Name, token.Status)
			}
		}
	}
	if made != 3 {
		t.Errorf("%d tokens were created, want one, its successor by trigger, and that one's by time: %+v", made, tokens)
	}
}

// yes answers every question.
type yes struct{}

func (yes) Read(into []byte) (int, error) { return copy(into, "yes\n"), nil }

// actionProgram and sandboxProgram are built once.
var (
	buildAction  = sync.OnceValues(func() (string, error) { return build("action") })
	buildSandbox = sync.OnceValues(func() (string, error) { return build("examples/sandbox") })
)

func actionProgram(t *testing.T) string {
	t.Helper()
	file, err := buildAction()
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func sandboxProgram(t *testing.T) string {
	t.Helper()
	file, err := buildSandbox()
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// build builds the program of a package.
func build(pkg string) (string, error) {
	file := filepath.Join(providerDir, "paistrike-"+filepath.Base(pkg))
	cmd := exec.Command("go", "build", "-o", file, "../"+pkg) //nolint:noctx,gosec // it may take its minute
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building %s: %w\n%s", pkg, err, said)
	}
	return file, nil
}

// nextVersion returns the version at the top of the changelog.
func nextVersion(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "CHANGELOG.md"))
	if err != nil {
		t.Fatal(err)
	}
	version := regexp.MustCompile(`(?m)^## (\d+\.\d+\.\d+) `).FindSubmatch(text)
	if version == nil {
		t.Fatal("the changelog begins with no version")
	}
	return string(version[1])
}
