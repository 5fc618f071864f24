package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// running is a started command.
type running struct {
	*testing.T
	stdout, stderr *transcript
	env            map[string]string
	ended          chan error
	stop           context.CancelFunc
}

// transcript records the output of a command, and signals the first output.
type transcript struct {
	mu      sync.Mutex
	text    bytes.Buffer
	printed chan struct{} // closed at the first print
}

func newTranscript() *transcript { return &transcript{printed: make(chan struct{})} }

func (s *transcript) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.text.Len() == 0 {
		close(s.printed)
	}
	return s.text.Write(p)
}

func (s *transcript) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// start runs the command on free ports and waits for its announcement.
func start(t *testing.T, args ...string) *running {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	r := &running{T: t, stdout: newTranscript(), stderr: newTranscript(), env: map[string]string{}, ended: make(chan error, 1), stop: stop}
	go func() {
		r.ended <- run(ctx, append([]string{"-listen", "127.0.0.1:0", "-aws-listen", ""}, args...), r.stdout, r.stderr)
	}()
	select {
	case <-r.stdout.printed:
	case err := <-r.ended:
		t.Fatalf("ended at once: %v\n%s", err, r.stderr)
	}
	for line := range strings.Lines(r.stdout.String()) {
		if name, value, found := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "export "), "="); found {
			r.env[name] = value
		}
	}
	return r
}

// end stops the command as a signal does.
func (r *running) end() {
	r.Helper()
	r.stop()
	if err := <-r.ended; err != nil {
		r.Errorf("ended with %v", err)
	}
}

// reply is a response. Its status is 0 if the connection failed.
type reply struct {
	status int
	date   string
	body   string
}

func (r *running) call(method, url, body string, header ...string) reply {
	r.Helper()
	request, err := http.NewRequestWithContext(context.Background(), method, url, strings.NewReader(body))
	if err != nil {
		r.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return reply{}
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		r.Fatal(err)
	}
	return reply{response.StatusCode, response.Header.Get("Date"), string(content)}
}

func (r *running) self() reply {
	r.Helper()
	return r.call("GET", r.env["PAISTRIKE_ENDPOINT"]+"/api/v1/api-tokens/self", "", "Authorization", "Bearer "+r.env["PAISTRIKE_API_TOKEN"])
}

// engine returns the path of the real KV engine, or skips the test if it is not built.
func engine(t *testing.T) string { return built(t, "kv") }

func built(t *testing.T, name string) string {
	t.Helper()
	program := filepath.Join("..", "..", ".tools", name)
	if _, err := os.Stat(program); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("no %s: %v", name, err)
		}
		t.Skipf("SKIPPED, NOT TESTED: run `make tools` first: %v", err)
	}
	return program
}

// script returns a program that replaces the KV engine if the test needs different behavior.
func script(t *testing.T, body string) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("needs a shell")
	}
	path := filepath.Join(t.TempDir(), "kv")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+body+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestBothServersGoByOneClock(t *testing.T) {
	t.Parallel()
	envFile := filepath.Join(t.TempDir(), "sandbox.env")
	if err := os.WriteFile(envFile, []byte("export OLD=1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	r := start(t, "-kv", engine(t), "-vault-listen", "127.0.0.1:0", "-env-file", envFile, "-clock", "2026-03-01T12:00:00Z")

	written, err := os.ReadFile(envFile)
	if err != nil || !strings.HasSuffix(r.stdout.String(), "\n"+string(written)) {
		t.Errorf("the file has not what was printed: %v", err)
	}
	if info, err := os.Stat(envFile); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file has mode %v, %v", info.Mode(), err)
	}
	if got := r.self(); got.status != http.StatusOK {
		t.Fatalf("the management token is answered %d", got.status)
	}
	r.call("POST", r.env["PAISTRIKE_ENDPOINT"]+"/_sandbox/clock", `{"advance":"90d"}`)
	if got := r.self(); got.date != "Sat, 30 May 2026 12:00:00 GMT" {
		t.Errorf("the sandbox dates its answer %q", got.date)
	}
	if health := r.call("GET", r.env["VAULT_ADDR"]+"/v1/sys/health", ""); !strings.Contains(health.body, `"server_time_utc":1780142400`) {
		t.Errorf("the KV engine says %q", health.body)
	}
	if listed := r.call("GET", r.env["VAULT_ADDR"]+"/v1/secret/metadata/none", "", "X-Vault-Token", r.env["VAULT_TOKEN"]); listed.date != "Sat, 30 May 2026 12:00:00 GMT" {
		t.Errorf("the KV engine dates its answer %q", listed.date)
	}
	if lookup := r.call("GET", r.env["VAULT_ADDR"]+"/v1/auth/token/lookup-self", "", "X-Vault-Token", r.env["VAULT_TOKEN"]); lookup.status != http.StatusOK {
		t.Errorf("the Vault token is answered %d", lookup.status)
	}

	r.end()
	if r.self().status != 0 || r.call("GET", r.env["VAULT_ADDR"]+"/v1/sys/health", "").status != 0 {
		t.Error("something still listens")
	}
}

// The command prints the page's address, and an open page does not keep the command from
// stopping.
func TestPageIsAnnounced(t *testing.T) {
	t.Parallel()
	r := start(t, "-vault-listen", "")
	_, rest, found := strings.Cut(r.stdout.String(), "# page: ")
	page, _, _ := strings.Cut(rest, "\n")
	if !found || page != r.env["PAISTRIKE_ENDPOINT"]+"/" {
		t.Fatalf("the page is announced at %q", page)
	}
	got := r.call("GET", page, "")
	if got.status != http.StatusOK || !strings.Contains(got.body, "API Tokens") || !strings.Contains(got.body, managementToken) {
		t.Errorf("the page is answered %d", got.status)
	}
	looking := make(chan struct{})
	go func() {
		defer close(looking)
		for r.call("GET", page+"_page/live", "").status == http.StatusOK {
			continue
		}
	}()
	r.end()
	<-looking
}

func TestWithoutVault(t *testing.T) {
	t.Parallel()
	r := start(t, "-vault-listen", "", "-rate-per-minute", "1")
	if _, found := r.env["VAULT_ADDR"]; found {
		t.Error("VAULT_ADDR is announced")
	}
	if first, second := r.self(), r.self(); first.status != http.StatusOK || second.status != http.StatusTooManyRequests {
		t.Errorf("answered %d, then %d", first.status, second.status)
	}
	r.end()
}

func TestStateIsKept(t *testing.T) {
	t.Parallel()
	state := filepath.Join(t.TempDir(), "state.json")
	first := start(t, "-vault-listen", "", "-state", state)
	first.end()
	second := start(t, "-vault-listen", "", "-state", state)
	got := second.call("GET", second.env["PAISTRIKE_ENDPOINT"]+"/api/v1/api-tokens/self", "", "Authorization", "Bearer "+first.env["PAISTRIKE_API_TOKEN"])
	if got.status != http.StatusOK {
		t.Errorf("the first run's token is answered %d", got.status)
	}
	second.end()
}

func TestRunRefuses(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		args []string
		want string
	}{
		{"all interfaces", []string{"-listen", ":8765"}, "not a loopback address"},
		{"another interface", []string{"-listen", "192.0.2.1:8765"}, "not a loopback address"},
		{"another machine's name", []string{"-listen", "example.com:8765"}, "not a loopback address"},
		{"a remote Vault, in any case", []string{"-allow-remote", "-vault-listen", "0.0.0.0:8210"}, "serves no other"},
		{"a remote AWS", []string{"-aws-listen", "0.0.0.0:8220"}, "AWS Secrets Manager serves no other"},
		{"no engine", []string{"-listen", "127.0.0.1:0", "-aws-listen", "", "-kv", "no/such/program"}, "make tools"},
		{"an engine that ends at once", []string{"-listen", "127.0.0.1:0", "-aws-listen", "", "-kv", script(t, "exit 3")}, "exit status 3"},
		{"an engine that ends later", []string{"-listen", "127.0.0.1:0", "-aws-listen", "", "-kv", script(t, "echo kv: listening on http://127.0.0.1:1; exit 4")}, "exit status 4"},
		{"a clock that is no time", []string{"-clock", "tomorrow"}, "clock"},
		{"an unknown flag", []string{"-x"}, "-x"},
		{"an argument", []string{"x"}, "unexpected argument"},
		{"an unusable state", []string{"-listen", "127.0.0.1:0", "-aws-listen", "", "-state", t.TempDir()}, "state file"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			err := run(t.Context(), tc.args, io.Discard, io.Discard)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("ended with %v, want %q in it", err, tc.want)
			}
		})
	}
}

func TestHelpIsNoError(t *testing.T) {
	t.Parallel()
	help := newTranscript()
	if err := run(t.Context(), []string{"-h"}, io.Discard, help); err != nil || !strings.Contains(help.String(), "-vault-listen") {
		t.Errorf("%v: %s", err, help)
	}
}
