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
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
	"github.com/paistrike/terraform-provider-paistrike/internal/testparts"
	"github.com/paistrike/terraform-provider-paistrike/internal/tfcli"
)

// notRun are the commands of the documentation that this test does not run as they are
// written, each with the reason. Every other one is run.
var notRun = map[string]string{
	"read -rs PAISTRIKE_API_TOKEN && export PAISTRIKE_API_TOKEN": "somebody types a secret; it is in the environment here",
	"read -rs VAULT_TOKEN && export VAULT_TOKEN":                 "somebody types a secret; it is in the environment here",

	"terraform apply -var incident=leak-2026-11": "the configuration is the reader's own; getting started has the same",

	"make demo":  "CI runs it by itself",
	"make build": "make test begins with it",
	"make test":  "it runs this test",
	"make fuzz":  "minutes; a workflow runs it every night",
	"make bench": "minutes; TestPromisesAreKept runs a part of it",
	".ci/run":    "it runs this test",

	"make help":          "a list of what follows",
	"make lint generate": "CI runs both by themselves",
	"make sandbox":       "it serves until it is interrupted; TestBothServersGoByOneClock of examples/sandbox runs it",

	"tools/build kv vault act tofu":                                    "CI runs it before this test",
	"terraform query -generate-config-out=adopted.tf":                  "TestPublishedQuery runs it, on CLIs that have it",
	"terraform import paistrike_api_token.ci tok_8fK2mQ4xW7ZbN1cR5tYp": "the id is made up; TestPublishedImports runs it with one that there is",
}

// skippedPrefixes are kinds of such commands.
var skippedPrefixes = map[string]string{
	"go test ":                   "this test is one of them",
	"TF_CLIS=/path/":             "the paths are the reader's own",
	"git ":                       "it needs a remote",
	"vault write ":               "the engine of this test has no logins; TestPublishedPoliciesAreEnough and the login tests make such roles on the real server",
	"vault auth enable":          "the engine of this test has no logins; examples/ci logs in to a real server",
	"v=1.2.3 ":                   "a release is downloaded; make release-check makes and installs one",
	"gh ":                        "a release is downloaded; make release-check makes and installs one",
	"sha256sum ":                 "a release is downloaded; make release-check makes and installs one",
	"tar -xzf ":                  "a release is downloaded; make release-check makes and installs one",
	"paistrike-action doctor --": "the vendor's document and the settings are the reader's own; internal/doctor examines nine shapes",
	"aws ":                       "it needs an account; TestPublishedPolicyOfAWS of provider runs the configuration that they belong to",
	"17 3 * * * ":                "a line of a crontab; TestCronExample of e2e/action runs it",
}

// page is a file of the documentation with commands in it.
type page struct {
	file     string
	commands []string
	config   string // the first Terraform configuration on it
}

// pages are all files that have commands.
func pages(t *testing.T) []page {
	t.Helper()
	root, err := tfcli.Repository()
	if err != nil {
		t.Fatal(err)
	}
	var all []page
	for _, pattern := range []string{"*.md", "action/*.md", "action/*/*.md", "examples/*/*.md", "tools/*.md", "docs/*.md", "docs/*/*.md"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			name, err := filepath.Rel(root, file)
			if err != nil {
				t.Fatal(err)
			}
			if p := readPage(filepath.ToSlash(name), string(text)); len(p.commands) > 0 {
				all = append(all, p)
			}
		}
	}
	return all
}

var fence = regexp.MustCompile("(?ms)^```([a-z]+)\n(.*?)^```$")

// readPage takes the commands out of a page: one for each line of a shell block, without
// the remark at its end.
func readPage(name, text string) page {
	p := page{file: name}
	for _, block := range fence.FindAllStringSubmatch(text, -1) {
		switch block[1] {
		case "sh", "shell", "bash", "console", "cron":
			for line := range strings.Lines(strings.ReplaceAll(block[2], "\\\n", "")) {
				line, _, _ = strings.Cut(strings.TrimSpace(line), " # ")
				if line = strings.TrimSpace(line); line != "" {
					p.commands = append(p.commands, line)
				}
			}
		case "terraform", "hcl":
			if p.config == "" && strings.Contains(block[2], `provider "paistrike"`) {
				p.config = block[2]
			}
		}
	}
	return p
}

// reasonNotToRun is why a command is not run, "" where it is.
func reasonNotToRun(command string) string {
	if reason := notRun[command]; reason != "" {
		return reason
	}
	for prefix, reason := range skippedPrefixes {
		if strings.HasPrefix(command, prefix) {
			return reason
		}
	}
	return ""
}

// Every command of the documentation does what it says on a machine that has what the
// page asks for: addresses as they are written, a management token, a Vault.
func TestCommandsOfTheDocumentation(t *testing.T) {
	t.Parallel()
	all := pages(t)
	if len(all) < 5 {
		t.Fatalf("only %d pages with commands were found", len(all))
	}
	programs, err := tfcli.Programs()
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("NOT TESTED:", err)
	}
	for _, p := range all {
		t.Run(p.file, func(t *testing.T) {
			t.Parallel()
			script := "set -e\n"
			run := 0
			for _, command := range p.commands {
				if reason := reasonNotToRun(command); reason != "" {
					t.Logf("not run: %s (%s)", command, reason)
					continue
				}
				run++
				script += fmt.Sprintf("echo %s\n%s\n", quoted("$ "+command), command)
			}
			if run == 0 {
				return
			}
			r := newReader(t, programs[0], p)
			r.run(t, script)
			if p.file == "docs/guides/getting-started.md" {
				r.gotThrough(t)
			}
		})
	}
}

// The table of what is not run has no line that no page has.
func TestNoCommandIsExcusedInVain(t *testing.T) {
	t.Parallel()
	var commands []string
	for _, p := range pages(t) {
		commands = append(commands, p.commands...)
	}
	for command := range notRun {
		if !slices.Contains(commands, command) {
			t.Errorf("no page has the command %q any more", command)
		}
	}
}

func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// gotThrough checks what getting started promises: a token was made, another took its
// place, and none is left.
func (r *reader) gotThrough(t *testing.T) {
	t.Helper()
	made := 0
	for _, call := range r.world.paistrike.Journal() {
		if call.Method == http.MethodPost {
			made++
		}
	}
	if made != 2 || r.world.active() != 0 {
		t.Errorf("%d tokens were made and %d are left, want 2 and none", made, r.world.active())
	}
}

// reader is somebody who follows a page on a machine of his own.
type reader struct {
	world *world
	dir   string
	env   []string
}

func newReader(t *testing.T, program string, p page) *reader {
	t.Helper()
	w := newWorld(t, program, sandbox.Options{})
	n := newInternet(t)
	n.forward(t, paistrikeHost, "443", w.api)
	n.forward(t, vaultHost, "8200", w.vault)
	for _, path := range []string{"ci/broker", "broker/paistrike"} {
		body := map[string]any{"data": map[string]string{"token": w.front.management}}
		testparts.Ask(t, http.MethodPost, w.vault+"/v1/secret/data/"+path, w.root, body, nil)
	}
	r := &reader{world: w, dir: t.TempDir()}
	bin := filepath.Join(r.dir, "bin")
	r.write(t, "main.tf", p.config)
	r.write(t, "scan.sh", "#!/bin/sh\ntest -n \"$PAISTRIKE_API_TOKEN\"\n")
	r.write(t, ".sandbox.env", fmt.Sprintf("export PAISTRIKE_ENDPOINT=%s PAISTRIKE_API_TOKEN=%s VAULT_ADDR=%s VAULT_TOKEN=%s\n", w.api, quoted(w.front.management), w.vault, quoted(w.root)))
	r.write(t, "cli.tfrc", fmt.Sprintf("provider_installation {\n  filesystem_mirror {\n    path = %q\n  }\n}\n", mirror(t)))
	for name, target := range map[string]string{"terraform": program, "vault": testparts.VaultProgram(t), "paistrike-action": actionProgram(t)} {
		if err := os.MkdirAll(bin, 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(target, filepath.Join(bin, name)); err != nil {
			t.Fatal(err)
		}
	}
	r.env = append(n.environment(), "HOME="+r.dir, "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"), "TF_CLI_CONFIG_FILE="+filepath.Join(r.dir, "cli.tfrc"),
		"CHECKPOINT_DISABLE=1", "PAISTRIKE_ENDPOINT=https://"+paistrikeHost, "VAULT_ADDR=https://"+vaultHost+":8200",
		"PAISTRIKE_API_TOKEN="+w.front.management, "VAULT_TOKEN="+w.root, "VAULT_MAX_RETRIES=0")
	return r
}

func (r *reader) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(r.dir, name), []byte(text), 0o700); err != nil { //nolint:gosec // some are to be run
		t.Fatal(err)
	}
}

// run runs the commands of a page in one shell. Whoever is asked says yes.
func (r *reader) run(t *testing.T, script string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", script) //nolint:gosec // the documentation is ours
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

// yes answers every question.
type yes struct{}

func (yes) Read(into []byte) (int, error) { return copy(into, "yes\n"), nil }

var (
	actionOnce sync.Once
	actionErr  error
)

// actionProgram is the action's program, built once.
func actionProgram(t *testing.T) string {
	t.Helper()
	file := filepath.Join(providerDir, "paistrike-action")
	actionOnce.Do(func() {
		cmd := exec.Command("go", "build", "-o", file, "../action") //nolint:noctx,gosec // it may take its minute
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if said, err := cmd.CombinedOutput(); err != nil {
			actionErr = fmt.Errorf("building the action: %w\n%s", err, said)
		}
	})
	if actionErr != nil {
		t.Fatal(actionErr)
	}
	return file
}

// mirror is a folder from which the provider of this checkout is installed, as from the
// registry.
func mirror(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	raw, err := os.ReadFile(filepath.Join(providerDir, "terraform-provider-paistrike"))
	if err != nil {
		t.Fatal(err)
	}
	for _, registry := range []string{"registry.terraform.io", "registry.opentofu.org"} {
		place := filepath.Join(dir, registry, "paistrike", "paistrike", "0.0.1", runtime.GOOS+"_"+runtime.GOARCH)
		if err := os.MkdirAll(place, 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(place, "terraform-provider-paistrike_v0.0.1"), raw, 0o700); err != nil { //nolint:gosec // it is to be run
			t.Fatal(err)
		}
	}
	return dir
}
