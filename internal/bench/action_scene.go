package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/tfcli"
)

// actionScene is a release of the action on a runner: its folder, a mirror and a tool cache
// with its program, and the runner's command files.
type actionScene struct {
	dir, scripts, empty string
	nodeProgram         string
	program             string
	vaultAction         string // script of hashicorp/vault-action; "" if not measured
	mirror              *httptest.Server
	env                 []string
	peerEnv             []string
	files               []string // the runner's command files, emptied before each step
	state               string   // the file whose contents the post step gets
}

const benchVersion = "0.0.0"

func (b *bench) newActionScene(ctx context.Context, w *world, node string) (*actionScene, error) {
	dir, err := os.MkdirTemp(b.dir, "action-")
	if err != nil {
		return nil, err
	}
	s := &actionScene{
		dir: dir, scripts: filepath.Join(dir, "action"), empty: filepath.Join(dir, "empty.js"), nodeProgram: node,
		program: filepath.Join(dir, "paistrike-action"), vaultAction: os.Getenv("BENCH_VAULT_ACTION"), state: filepath.Join(dir, "GITHUB_STATE"),
	}
	if err := buildAction(ctx, s.program); err != nil {
		return nil, err
	}
	if err := s.release(); err != nil {
		return nil, err
	}
	if err := w.keepBroker(ctx); err != nil {
		return nil, err
	}
	s.env = []string{
		"PATH=" + os.Getenv("PATH"), "RUNNER_TOOL_CACHE=" + filepath.Join(dir, "tools"), "INPUT_ENDPOINT=" + w.api.URL,
		"INPUT_VAULT_ADDRESS=" + w.vault, "INPUT_VAULT_AUTH_METHOD=token", "INPUT_VAULT_TOKEN=" + rootToken, "INPUT_VAULT_PATH=ci/broker",
	}
	s.peerEnv = []string{
		"PATH=" + os.Getenv("PATH"), "INPUT_URL=" + w.vault, "INPUT_METHOD=token", "INPUT_TOKEN=" + rootToken,
		"INPUT_SECRETS=secret/data/ci/broker token | PAISTRIKE_API_TOKEN", "INPUT_EXPORTENV=true",
	}
	for _, name := range []string{"GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_STATE", "GITHUB_STEP_SUMMARY"} {
		file := filepath.Join(dir, name)
		s.files = append(s.files, file)
		s.env, s.peerEnv = append(s.env, name+"="+file), append(s.peerEnv, name+"="+file)
	}
	return s, os.WriteFile(s.empty, []byte("'use strict';\n"), 0o600)
}

func (s *actionScene) close() { s.mirror.Close() }

// release copies the action's scripts as in a release, and puts the program into the tool
// cache and on a mirror.
func (s *actionScene) release() error {
	root, err := tfcli.Repository()
	if err != nil {
		return err
	}
	scripts, err := filepath.Glob(filepath.Join(root, "action", "*.js"))
	if err != nil || len(scripts) == 0 {
		return errors.Join(err, errors.New("the action has no scripts"))
	}
	for _, script := range scripts {
		if err := copyFile(script, filepath.Join(s.scripts, filepath.Base(script))); err != nil {
			return err
		}
	}
	raw, err := os.ReadFile(s.program)
	if err != nil {
		return err
	}
	digest, platform := sha256.Sum256(raw), runtime.GOOS+"_"+runtime.GOARCH
	released, err := json.Marshal(map[string]any{"version": benchVersion, "sha256": map[string]string{platform: hex.EncodeToString(digest[:])}})
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(s.scripts, "release.json"), released, 0o600); err != nil {
		return err
	}
	var packed bytes.Buffer
	pack := gzip.NewWriter(&packed)
	if _, err := pack.Write(raw); err != nil {
		return err
	}
	if err := pack.Close(); err != nil {
		return err
	}
	s.mirror = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(packed.Bytes()) }))
	return copyFile(s.program, filepath.Join(s.dir, "tools", "paistrike-action", benchVersion, platform, filepath.Base(s.program)))
}

func copyFile(from, to string) error {
	raw, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o750); err != nil {
		return err
	}
	return os.WriteFile(to, raw, 0o600) //nolint:gosec // both are ours
}

func (s *actionScene) script(name string) string { return filepath.Join(s.scripts, name) }

// node measures a script without dependencies.
func (s *actionScene) node(script string) func(context.Context) (time.Duration, error) {
	return func(ctx context.Context) (time.Duration, error) {
		return s.run(ctx, s.env, s.nodeProgram, script)
	}
}

// read measures a step that reads the provisioned token.
func (s *actionScene) read(tools string) func(context.Context) (time.Duration, error) {
	return func(ctx context.Context) (time.Duration, error) {
		return s.run(ctx, append(s.job(), "INPUT_MODE=read", "RUNNER_TOOL_CACHE="+filepath.Join(s.dir, tools)), s.nodeProgram, s.script("main.js"))
	}
}

// cold measures the same in the first step of a job on a hosted runner.
func (s *actionScene) cold(ctx context.Context) (time.Duration, error) {
	return s.run(ctx, append(s.job(), "INPUT_MODE=read", "RUNNER_ENVIRONMENT=github-hosted", "RUNNER_TOOL_CACHE="+filepath.Join(s.dir, "empty"),
		"INPUT_BINARY_MIRROR="+s.mirror.URL), s.nodeProgram, s.script("main.js"))
}

// alone measures a read without Node.js.
func (s *actionScene) alone(ctx context.Context) (time.Duration, error) {
	return s.run(ctx, append(s.job(), "INPUT_MODE=read"), s.program, "main")
}

// mint measures a main step that mints a token, and runs the post step, which revokes it.
func (s *actionScene) mint(ctx context.Context) (time.Duration, error) {
	env := append(s.job(), "INPUT_MODE=mint")
	took, err := s.run(ctx, env, s.nodeProgram, s.script("main.js"))
	if err != nil {
		return 0, err
	}
	kept, err := keptState(s.state)
	if err != nil {
		return 0, err
	}
	_, err = s.run(ctx, append(env, kept...), s.nodeProgram, s.script("post.js"))
	return took, err
}

func (s *actionScene) peer(ctx context.Context) (time.Duration, error) {
	return s.run(ctx, s.peerEnv, s.nodeProgram, s.vaultAction)
}

// job returns the environment of a new job with an empty temporary folder.
func (s *actionScene) job() []string {
	temp := filepath.Join(s.dir, "temp")
	_ = os.RemoveAll(temp)
	_ = os.MkdirAll(temp, 0o750)
	return append(append([]string(nil), s.env...), "RUNNER_TEMP="+temp)
}

// run runs one step and returns how long it took.
func (s *actionScene) run(ctx context.Context, env []string, command ...string) (time.Duration, error) {
	for _, file := range s.files {
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			return 0, err
		}
	}
	cmd := exec.CommandContext(ctx, command[0], command[1:]...) //nolint:gosec // both are ours
	cmd.Env = env
	began := time.Now()
	said, err := cmd.CombinedOutput()
	took := time.Since(began)
	if err != nil {
		// The output is omitted, because its mask commands contain secrets.
		return 0, fmt.Errorf("%s: %w, after %d lines", filepath.Base(command[len(command)-1]), err, strings.Count(string(said), "\n"))
	}
	return took, nil
}

// keptState returns the state that a step has saved for its post step, as variables.
func keptState(file string) ([]string, error) {
	raw, err := os.ReadFile(file)
	var variables []string
	lines := strings.Split(string(raw), "\n")
	for i := 0; i+2 < len(lines); i += 3 { // NAME<<DELIMITER, the value, DELIMITER
		name, _, _ := strings.Cut(lines[i], "<<")
		variables = append(variables, "STATE_"+name+"="+lines[i+1])
	}
	return variables, err
}

// buildAction builds the action's program as for a release.
func buildAction(ctx context.Context, program string) error {
	root, err := tfcli.Repository()
	if err != nil {
		return err
	}
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", program, "./action") //nolint:gosec // fixed arguments
	build.Dir, build.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	if said, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("building the action: %w: %s", err, said)
	}
	return nil
}

// keepBroker writes a management token where the action reads it.
func (w *world) keepBroker(ctx context.Context) error {
	_, broker := w.paistrike.Mint("broker", time.Time{})
	body, err := json.Marshal(map[string]any{"data": map[string]string{"token": broker}})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.vault+"/v1/secret/data/ci/broker", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("X-Vault-Token", rootToken)
	client := http.Client{Timeout: time.Minute}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		return fmt.Errorf("writing the broker token: %s", resp.Status)
	}
	return nil
}
