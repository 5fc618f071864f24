// Package e2e_test tests the provider with real programs: the Terraform and OpenTofu CLIs,
// Vault's own KV engine, and a Vault server with TLS, policies, logins and an audit log.
// PAIStrike is the sandbox, because no other is available to tests. Everything runs on
// loopback.
//
// These tests cover only promises that need the whole system: Terraform writes no secret
// anywhere, the published policies suffice, and the published examples work as written.
//
// TF_CLIS names the programs to test, separated by colons.
package e2e_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
	"github.com/paistrike/terraform-provider-paistrike/internal/testparts"
	"github.com/paistrike/terraform-provider-paistrike/internal/tfcli"
)

// providerDir contains the provider that all tests use. TestMain builds it.
var providerDir string

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		code = 1
	}
	os.Exit(code) //nolint:forbidigo // the main function of the tests
}

func run(m *testing.M) (int, error) {
	dir, err := os.MkdirTemp("", "paistrike-e2e-") //nolint:usetesting // there is no test yet
	if err != nil {
		return 1, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := tfcli.BuildProvider(context.Background(), dir); err != nil {
		return 1, err
	}
	providerDir = dir
	return m.Run(), nil
}

// clis returns the available programs, at least one.
func clis(t *testing.T) []string {
	t.Helper()
	programs, err := tfcli.Programs()
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("NOT TESTED:", err)
	}
	return programs
}

// firstCLI returns the program for a test whose result does not depend on it.
func firstCLI(t *testing.T) string {
	t.Helper()
	return clis(t)[0]
}

// eachCLI runs a test for every available program.
func eachCLI(t *testing.T, test func(t *testing.T, program string)) {
	t.Helper()
	for _, program := range clis(t) {
		t.Run(filepath.Base(program), func(t *testing.T) {
			t.Parallel()
			test(t, program)
		})
	}
}

// monday is the initial time of the sandbox clock in tests that move it.
var monday = time.Date(2026, time.January, 5, 9, 0, 0, 0, time.UTC)

const day = 24 * time.Hour

// world is a PAIStrike, a secret store, and a Terraform workspace configured for both.
type world struct {
	paistrike *sandbox.Server
	front     *front
	api       string                    // URL of PAIStrike
	vault     string                    // URL of Vault
	root      string                    // root token of Vault, or secret access key for AWS
	aws       *testparts.SecretsManager // nil in a world with a Vault
	tf        *tfcli.Workspace
}

// newWorld starts the sandbox and the KV engine, and sets their addresses and credentials in
// the workspace's environment.
func newWorld(t *testing.T, program string, options sandbox.Options, engine ...testparts.KVOption) *world {
	t.Helper()
	w := newPAIStrike(t, options)
	w.vault, w.root = testparts.KV(t, append(engine, testparts.WithClock(w.api+"/_sandbox/clock"))...)
	w.tf = workspace(t, program,
		"PAISTRIKE_ENDPOINT="+w.api, "PAISTRIKE_API_TOKEN="+w.front.management,
		"VAULT_ADDR="+w.vault, "VAULT_TOKEN="+w.root, "VAULT_MAX_RETRIES=0")
	return w
}

// beside returns a second workspace with the same servers.
func (w *world) beside(t *testing.T) *world {
	t.Helper()
	second := *w
	tf := *w.tf
	second.tf, tf.Dir = &tf, t.TempDir()
	return &second
}

// newPAIStrike starts only the sandbox.
func newPAIStrike(t *testing.T, options sandbox.Options) *world {
	t.Helper()
	server, err := sandbox.New(options)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{paistrike: server, front: newFront(server)}
	listener := httptest.NewServer(w.front)
	t.Cleanup(listener.Close)
	w.api = listener.URL
	return w
}

func workspace(t *testing.T, program string, env ...string) *tfcli.Workspace {
	t.Helper()
	tf, err := tfcli.New(program, providerDir, t.TempDir(), env...)
	if err != nil {
		t.Fatal(err)
	}
	return tf
}

// mirrorSettings creates a mirror with the provider in a folder and returns the path of a CLI
// configuration that uses it.
func mirrorSettings(t *testing.T, dir string) string {
	t.Helper()
	mirror, file := filepath.Join(dir, "mirror"), filepath.Join(dir, "cli.tfrc")
	if err := tfcli.Mirror(mirror, filepath.Join(providerDir, "terraform-provider-paistrike"), nextVersion(t)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(tfcli.MirrorSettings(mirror)), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// write writes a configuration file in the workspace.
func (w *world) write(t *testing.T, name, content string) {
	t.Helper()
	if err := w.tf.Write(name, content); err != nil {
		t.Fatal(err)
	}
}

func (w *world) apply(t *testing.T, args ...string) tfcli.Output {
	t.Helper()
	out, err := w.tf.Apply(t.Context(), args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (w *world) plan(t *testing.T, args ...string) []tfcli.Change {
	t.Helper()
	changes, err := w.tf.Plan(t.Context(), args...)
	if err != nil {
		t.Fatal(err)
	}
	return changes
}

// planEmpty fails the test unless the plan is empty.
func (w *world) planEmpty(t *testing.T, args ...string) {
	t.Helper()
	if changes := w.plan(t, args...); len(changes) > 0 {
		t.Fatalf("the plan should be empty: %+v", changes)
	}
}

func (w *world) destroy(t *testing.T, args ...string) {
	t.Helper()
	if _, err := w.tf.Destroy(t.Context(), args...); err != nil {
		t.Fatal(err)
	}
}

// active returns the number of working tokens, without the management token.
func (w *world) active() int {
	now, count := w.paistrike.Clock().Now(), 0
	for _, token := range w.paistrike.Tokens() {
		if token.ID != w.front.managementID && token.Status == "active" && (token.ExpiresAt.IsZero() || now.Before(token.ExpiresAt)) {
			count++
		}
	}
	return count
}

// creates returns the number of create requests that PAIStrike received.
func (w *world) creates() int {
	count := 0
	for _, call := range w.paistrike.Journal() {
		if call.Method == "POST" {
			count++
		}
	}
	return count
}

// ci is the configuration of most tests: one token that is rotated over time or when
// var.incident changes.
const ci = `
terraform {
  required_providers {
    paistrike = { source = "paistrike/paistrike" }
  }
}

variable "incident" {
  type    = string
  default = "none"
}

variable "overlap" {
  type    = string
  default = "24h"
}

resource "paistrike_api_token" "ci" {
  name       = "CI/CD Pipeline"
  expires_in = "90d"
  rotation   = { period = "30d", overlap = var.overlap, triggers = { incident = var.incident } }
  vault      = { mount = "secret", path = "ci/paistrike" }
}
`
