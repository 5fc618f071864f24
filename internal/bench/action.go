package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
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

// action compares the action's whole main step, which logs in, mints and verifies, with
// an action of one empty line, both started as the runner starts them. The aim is 1.3.
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
	var empties, wholes []time.Duration
	for range actionRuns { // in turns, so that a busy moment meets both
		for script, into := range map[string]*[]time.Duration{empty: &empties, step.script: &wholes} {
			took, err := step.run(ctx, node, script)
			if err != nil {
				return err
			}
			*into = append(*into, took)
		}
	}
	nothing, whole := median(empties), median(wholes)
	r.add("action: an empty node action", nothing.Seconds(), "s")
	r.add("action: the whole main step, on loopback", whole.Seconds(), "s")
	r.add("action: the whole step takes this many times as long as the empty one (aim: at most 1.3)", whole.Seconds()/nothing.Seconds(), "times")
	return nil
}

func median(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}

// actionStep is the main step of a job that logs in to Vault with a token.
type actionStep struct {
	script string
	env    []string
	files  []string // the runner's command files, emptied before each run
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
	step := &actionStep{script: filepath.Join(root, "action", "main.js"), env: []string{
		"PATH=" + os.Getenv("PATH"), "RUNNER_TEMP=" + b.dir, "INPUT_BINARY_PATH=" + program, "INPUT_ENDPOINT=" + w.api.URL,
		"INPUT_VAULT_ADDRESS=" + w.vault, "INPUT_VAULT_AUTH_METHOD=token", "INPUT_VAULT_TOKEN=" + rootToken, "INPUT_VAULT_PATH=ci/broker",
	}}
	for _, name := range []string{"GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_STATE", "GITHUB_STEP_SUMMARY"} {
		file := filepath.Join(b.dir, name)
		step.files, step.env = append(step.files, file), append(step.env, name+"="+file)
	}
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
func (s *actionStep) run(ctx context.Context, node, script string) (time.Duration, error) {
	for _, file := range s.files {
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			return 0, err
		}
	}
	cmd := exec.CommandContext(ctx, node, script) //nolint:gosec // both are ours
	cmd.Env = s.env
	began := time.Now()
	said, err := cmd.CombinedOutput()
	took := time.Since(began)
	if err != nil {
		// What it said has masks in it, which name secrets.
		return 0, fmt.Errorf("%s: %w, after %d lines", filepath.Base(script), err, strings.Count(string(said), "\n"))
	}
	return took, nil
}
