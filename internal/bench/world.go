package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
	"github.com/paistrike/terraform-provider-paistrike/internal/tfcli"
)

// world is an empty PAIStrike and Vault, and a workspace with a number of tokens to create.
type world struct {
	paistrike *sandbox.Server
	api       *httptest.Server
	vault     string
	kv        *exec.Cmd
	kvInput   io.Closer
	tf        *tfcli.Workspace
}

const configuration = `
terraform {
  required_providers {
    paistrike = { source = "paistrike/paistrike" }
  }
}

variable "incident" {
  default = "none"
}

resource "paistrike_api_token" "bench" {
  count      = %d
  name       = "Integration ${count.index}"
  expires_in = "90d"
  rotation   = { period = "30d", overlap = "24h", triggers = { incident = var.incident } }
  vault      = { mount = "secret", path = "bench/${count.index}" }
}
`

const rootToken = "root-token-of-the-benchmark"

func (b *bench) newWorld(ctx context.Context, tokens int) (*world, error) {
	return b.newWorldAt(ctx, tokens, time.Time{})
}

// newWorldAt returns a world whose PAIStrike clock starts at start.
func (b *bench) newWorldAt(ctx context.Context, tokens int, start time.Time) (*world, error) {
	server, err := sandbox.New(sandbox.Options{Start: start})
	if err != nil {
		return nil, err
	}
	w := &world{paistrike: server, api: httptest.NewServer(server)}
	if err := w.prepare(ctx, b, tokens); err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

func (w *world) prepare(ctx context.Context, b *bench, tokens int) error {
	if err := w.startVault(ctx); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(b.dir, "workspace-")
	if err != nil {
		return err
	}
	_, management := w.paistrike.Mint("Terraform", time.Time{})
	w.tf, err = tfcli.New(b.program, b.dir, dir,
		"PAISTRIKE_ENDPOINT="+w.api.URL, "PAISTRIKE_API_TOKEN="+management, "VAULT_ADDR="+w.vault, "VAULT_TOKEN="+rootToken)
	if err != nil {
		return err
	}
	return w.tf.Write("main.tf", fmt.Sprintf(configuration, tokens))
}

// startVault starts the KV engine. It ends when its standard input does, so it never outlives
// this program.
func (w *world) startVault(ctx context.Context) error {
	root, err := tfcli.Repository()
	if err != nil {
		return err
	}
	program := filepath.Join(root, ".tools", "kv")
	if _, err := os.Stat(program); err != nil {
		return errors.New("Vault's KV engine is not built yet: run tools/build kv") //nolint:staticcheck // Vault is a name
	}
	w.kv = exec.CommandContext(ctx, program, "-listen", "127.0.0.1:0", "-exit-on-stdin-close") //nolint:gosec // built by tools/build
	w.kv.Env = append(os.Environ(), "KV_ROOT_TOKEN="+rootToken)
	w.kv.Stderr = os.Stderr
	if w.kvInput, err = w.kv.StdinPipe(); err != nil {
		return err
	}
	output, err := w.kv.StdoutPipe()
	if err != nil {
		return err
	}
	if err := w.kv.Start(); err != nil {
		return err
	}
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		return fmt.Errorf("starting Vault's KV engine: %w", err)
	}
	w.vault = strings.TrimSpace(strings.TrimPrefix(line, "kv: listening on "))
	return nil
}

func (w *world) close() error {
	w.api.Close()
	if w.kvInput == nil || w.kv.Process == nil {
		return nil
	}
	return errors.Join(w.kvInput.Close(), w.kv.Wait())
}

// slow adds the simulated latency to both servers.
func (w *world) slow(ctx context.Context) error {
	w.paistrike.AddFaults(sandbox.Fault{Delay: paistrikeDistance, Count: -1})
	return w.ask(ctx, http.MethodPost, "/_kv/faults", map[string]any{"delay_ms": vaultDistance.Milliseconds(), "count": -1}, nil)
}

// measure runs one command, and counts the requests that it makes.
func (w *world) measure(ctx context.Context, args ...string) (usage, calls, error) {
	if err := w.forget(ctx); err != nil {
		return usage{}, nil, err
	}
	before := w.processorTime()
	took, err := runMeasured(ctx, w.tf, args...)
	if err != nil {
		return usage{}, nil, err
	}
	took.serversCPU = w.processorTime() - before
	c, err := w.calls(ctx)
	return took, c, err
}

// processorTime returns the CPU time that PAIStrike, which runs in this process, and the KV engine have used
// so far. It holds what looking at the command costs, too.
func (w *world) processorTime() time.Duration {
	return processorTime(os.Getpid()) + processorTime(w.kv.Process.Pid)
}

// forget drops what was asked so far.
func (w *world) forget(ctx context.Context) error {
	w.paistrike.ResetJournal()
	return w.ask(ctx, http.MethodDelete, "/_kv/journal", nil, nil)
}

// calls counts what was asked since [world.forget].
func (w *world) calls(ctx context.Context) (calls, error) {
	c := calls{}
	for _, call := range w.paistrike.Journal() {
		c.countPAIStrike(call.Method, call.Path)
	}
	var journal []struct{ Method, Path, Query string }
	if err := w.ask(ctx, http.MethodGet, "/_kv/journal", nil, &journal); err != nil {
		return nil, err
	}
	for _, call := range journal {
		if strings.Contains(call.Query, "list=true") {
			c["Vault LIST"]++
			continue
		}
		c.countVault(call.Method, call.Path)
	}
	return c, nil
}

// ask sends a request to the KV engine's control paths.
func (w *world) ask(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, w.vault+path, body)
	if err != nil {
		return err
	}
	resp, err := w.api.Client().Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %s", method, path, resp.Status)
	}
	if out == nil {
		return nil
	}
	return json.NewDecoder(resp.Body).Decode(out)
}
