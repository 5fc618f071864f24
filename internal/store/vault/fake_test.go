package vault_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/vault"
)

// seen is one request as it reached the fake.
type seen struct {
	Method, Path, Query   string
	Token, Namespace      string
	ContentType, Body     string
	UserAgent, VaultIndex string
	Header                http.Header
}

// fake is a Vault whose responses the test defines.
type fake struct {
	*httptest.Server
	mu    sync.Mutex
	calls []seen
}

// newFake passes each request to handle.
func newFake(t *testing.T, handle func(w http.ResponseWriter, r *http.Request, call seen)) *fake {
	t.Helper()
	f := &fake{}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		call := seen{
			Method: r.Method, Path: strings.TrimPrefix(r.URL.Path, "/v1/"), Query: r.URL.RawQuery,
			Token: r.Header.Get("X-Vault-Token"), Namespace: r.Header.Get("X-Vault-Namespace"),
			ContentType: r.Header.Get("Content-Type"), Body: string(body),
			UserAgent: r.Header.Get("User-Agent"), VaultIndex: r.Header.Get("X-Vault-Index"), Header: r.Header,
		}
		f.mu.Lock()
		f.calls = append(f.calls, call)
		f.mu.Unlock()
		handle(w, r, call)
	}))
	t.Cleanup(f.Close)
	return f
}

// requests returns the requests so far as "METHOD path" lines.
func (f *fake) requests() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	lines := []string{}
	for _, call := range f.calls {
		lines = append(lines, call.Method+" "+call.Path)
	}
	return lines
}

func (f *fake) last(t *testing.T) seen {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.calls) == 0 {
		t.Fatal("no request was made")
	}
	return f.calls[len(f.calls)-1]
}

// say responds with a status and a JSON text.
func say(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

func forbid(w http.ResponseWriter) { say(w, http.StatusForbidden, `{"errors":["permission denied"]}`) }

// waits records the pauses that a client asked for, without waiting.
type waits struct {
	mu   sync.Mutex
	list []time.Duration
}

func (w *waits) sleep(_ context.Context, d time.Duration) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.list = append(w.list, d)
	return nil
}

func (w *waits) all() []time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]time.Duration{}, w.list...)
}

// client returns a client that does not wait. Its token is "t" by default.
func client(t *testing.T, address string, change ...func(*vault.Config)) *vault.Client {
	t.Helper()
	config := vault.Config{
		Address: address,
		Login:   vault.Login{Method: vault.MethodToken, Token: secret.New("t")},
		Sleep:   new(waits).sleep,
	}
	for _, f := range change {
		f(&config)
	}
	c, err := vault.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func at(path string) entry.Location {
	return entry.Location{Mount: "secret", Path: path, Key: "token"}
}

// record returns a complete record of a working token, written on top of a KV version.
func record(value string, cas int) entry.Record {
	return entry.Record{
		State: entry.StateActive, Secret: secret.New(value),
		TokenID: "tok_1", TokenName: "ci-ps1-k3v9q2m7xtab-7h2k9q-0-w5c2m8pa",
		CreatedAt: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC), ExpiresAt: time.Date(2026, 7, 30, 12, 0, 0, 0, time.UTC),
		Slot: "k3v9q2m7xtab", Inc: "7h2k9q", Gen: cas + 1, Base: revision(cas), Op: "w5c2m8pa",
		VerifiedAt: time.Date(2026, 5, 1, 12, 0, 1, 0, time.UTC),
	}
}

// revision returns a KV version as a revision.
func revision(version int) entry.Revision {
	if version == 0 {
		return ""
	}
	return entry.Revision(strconv.Itoa(version))
}

func fromJSON(t *testing.T, text string) map[string]any {
	t.Helper()
	var value map[string]any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return value
}

// sameSecret lets go-cmp compare secrets, which do not show their value.
var sameSecret = cmp.Comparer(func(a, b secret.Secret) bool { return a.Reveal() == b.Reveal() })
