package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/tfcli"
)

// actionRuns is how often a step is run, of which the median counts.
const actionRuns = 15

const wholeStep = "the whole main step"

// actionAim is how many times as long as an empty action a whole step may take.
const actionAim = 1.3

// action compares the action's whole main step, which reads Vault, mints and verifies,
// with an action of one empty line, both started as the runner starts them. Beside it
// stand the post step, the program without the launcher, and one read of Vault.
func (b *bench) action(ctx context.Context, r *report) (err error) {
	node, err := exec.LookPath("node")
	if err != nil {
		r.notes = append(r.notes, "The action was not measured: there is no node.")
		return nil //nolint:nilerr // said in the report
	}
	w, err := b.newWorld(ctx, 1)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	step, err := b.newActionStep(ctx, w)
	if err != nil {
		return err
	}
	empty := filepath.Join(b.dir, "empty.js")
	if err := os.WriteFile(empty, []byte("'use strict';\n"), 0o600); err != nil {
		return err
	}
	measured := map[string][]time.Duration{}
	for range actionRuns { // in turns, so that a busy moment meets all
		for _, part := range []struct {
			name    string
			command []string
		}{
			{"an empty node action", []string{node, empty}},
			{wholeStep, []string{node, filepath.Join(step.scripts, "main.js")}},
			{"the whole post step", []string{node, filepath.Join(step.scripts, "post.js")}}, // which revokes what the step before has made
			{"the main step without the launcher", []string{step.program, "main"}},
		} {
			took, err := step.run(ctx, part.command)
			if err != nil {
				return err
			}
			measured[part.name] = append(measured[part.name], took)
		}
		took, err := w.readAlone(ctx)
		if err != nil {
			return err
		}
		measured["one read of Vault alone"] = append(measured["one read of Vault alone"], took)
	}
	for _, name := range slices.Sorted(maps.Keys(measured)) {
		r.add("action: "+name, median(measured[name]).Seconds(), "s")
	}
	whole, nothing := median(measured[wholeStep]), median(measured["an empty node action"])
	r.aim("action: the whole main step against the empty action", whole.Seconds()/nothing.Seconds(), "times", actionAim)
	return nil
}

// readAlone is how long one read of the entry takes on a connection of its own.
func (w *world) readAlone(ctx context.Context) (time.Duration, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.vault+"/v1/secret/data/ci/broker", nil)
	if err != nil {
		return 0, err
	}
	req.Header.Set("X-Vault-Token", rootToken)
	req.Close = true
	client := http.Client{Timeout: time.Minute, Transport: &http.Transport{}}
	began := time.Now()
	resp, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return time.Since(began), err
}

func median(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}

// actionStep is a step of a job that logs in to Vault with a token.
type actionStep struct {
	scripts, program string
	env              []string
	files            []string // the runner's command files, emptied before each run
	state            string   // that of files which the next step gets
}

func (b *bench) newActionStep(ctx context.Context, w *world) (*actionStep, error) {
	root, err := tfcli.Repository()
	if err != nil {
		return nil, err
	}
	program := filepath.Join(b.dir, "paistrike-action")
	if err := buildAction(ctx, program); err != nil {
		return nil, err
	}
	raw, err := os.ReadFile(program)
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256(raw)
	if err := os.WriteFile(program+".sha256", []byte(hex.EncodeToString(digest[:])), 0o600); err != nil { //nolint:gosec // our own folder
		return nil, err
	}
	if err := w.keepBroker(ctx); err != nil {
		return nil, err
	}
	step := &actionStep{scripts: filepath.Join(root, "action"), program: program, env: []string{
		"PATH=" + os.Getenv("PATH"), "RUNNER_TEMP=" + b.dir, "INPUT_BINARY_PATH=" + program, "INPUT_ENDPOINT=" + w.api.URL,
		"INPUT_VAULT_ADDRESS=" + w.vault, "INPUT_VAULT_AUTH_METHOD=token", "INPUT_VAULT_TOKEN=" + rootToken, "INPUT_VAULT_PATH=ci/broker",
	}}
	for _, name := range []string{"GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_STATE", "GITHUB_STEP_SUMMARY"} {
		file := filepath.Join(b.dir, name)
		step.files, step.env = append(step.files, file), append(step.env, name+"="+file)
	}
	step.state = filepath.Join(b.dir, "GITHUB_STATE")
	return step, nil
}

// buildAction builds the action's program as it ships.
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

// keepBroker puts a management token where the action looks for it.
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

// run runs one step and returns how long it took.
func (s *actionStep) run(ctx context.Context, command []string) (time.Duration, error) {
	kept, err := keptState(s.state)
	if err != nil {
		return 0, err
	}
	for _, file := range s.files {
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			return 0, err
		}
	}
	cmd := exec.CommandContext(ctx, command[0], command[1:]...) //nolint:gosec // both are ours
	cmd.Env = append(kept, s.env...)
	began := time.Now()
	said, err := cmd.CombinedOutput()
	took := time.Since(began)
	if err != nil {
		// What it said has masks in it, which name secrets.
		return 0, fmt.Errorf("%s: %w, after %d lines", filepath.Base(command[len(command)-1]), err, strings.Count(string(said), "\n"))
	}
	return took, nil
}

// keptState is what the step before has left for its post step, as the runner hands it
// on; nothing before the first.
func keptState(file string) ([]string, error) {
	raw, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	var variables []string
	lines := strings.Split(string(raw), "\n")
	for i := 0; i+2 < len(lines); i += 3 { // NAME<<DELIMITER, the value, DELIMITER
		name, _, _ := strings.Cut(lines[i], "<<")
		variables = append(variables, "STATE_"+name+"="+lines[i+1])
	}
	return variables, err
}
