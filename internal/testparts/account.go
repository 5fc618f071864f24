package testparts

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
)

// Account is a PAIStrike account for a test: a sandbox in this process with a management
// token. Tests call it in process, as a handler or transport, or on loopback after
// [Account.Listen].
type Account struct {
	*sandbox.Server
	// ManagementID and Management are the ID and the secret of the management token.
	ManagementID, Management string

	mu      sync.Mutex
	minted  []string
	created func(made int)
}

// NewAccount returns an account whose clock is stopped at start, or follows the system clock
// if start is zero. name is the name of the management token.
func NewAccount(t testing.TB, name string, start time.Time) *Account {
	t.Helper()
	return NewAccountOn(t, name, sandbox.Options{Start: start})
}

// NewAccountOn returns an account on a sandbox with other options, such as a different API
// shape.
func NewAccountOn(t testing.TB, name string, options sandbox.Options) *Account {
	t.Helper()
	server, err := sandbox.New(options)
	if err != nil {
		t.Fatal(err)
	}
	a := &Account{Server: server}
	a.ManagementID, a.Management = server.Mint(name, time.Time{})
	return a
}

// Listen serves the account on loopback and returns its URL. Requests go to before, or to the
// account if before is nil.
func (a *Account) Listen(t testing.TB, before http.Handler) string {
	t.Helper()
	if before == nil {
		before = a
	}
	server := httptest.NewServer(before)
	t.Cleanup(server.Close)
	return server.URL
}

// ServeHTTP answers as PAIStrike does and records every secret returned.
func (a *Account) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost && !strings.HasPrefix(r.URL.Path, "/_sandbox") {
		w = &keeper{ResponseWriter: w, keep: a.keep}
	}
	a.Server.ServeHTTP(w, r)
}

func (a *Account) keep(body []byte) {
	var made struct{ Token string }
	if json.Unmarshal(body, &made) == nil && made.Token != "" {
		a.Keep(made.Token)
	}
}

// Keep records a secret that was returned in another way.
func (a *Account) Keep(secret string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.minted = append(a.minted, secret)
	if a.created != nil {
		a.created(len(a.minted))
	}
}

// WhenCreated registers a function to call after each create. made is the number of creates
// so far.
func (a *Account) WhenCreated(do func(made int)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.created = do
}

// Secrets returns the recorded secrets, oldest first.
func (a *Account) Secrets() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.minted)
}

// keeper is a ResponseWriter that copies the body to keep.
type keeper struct {
	http.ResponseWriter
	keep func([]byte)
}

// Write implements [http.ResponseWriter].
func (k *keeper) Write(body []byte) (int, error) {
	k.keep(body)
	return k.ResponseWriter.Write(body)
}

// Unwrap lets the sandbox hijack the connection.
func (k *keeper) Unwrap() http.ResponseWriter { return k.ResponseWriter }

// RoundTrip serves the request in this process, whatever host it names.
func (a *Account) RoundTrip(r *http.Request) (*http.Response, error) {
	recorder := httptest.NewRecorder()
	inner := r.Clone(r.Context())
	inner.RequestURI, inner.Host = r.URL.RequestURI(), "localhost"
	if inner.Body == nil {
		inner.Body = http.NoBody
	}
	a.Server.ServeHTTP(recorder, inner)
	response := recorder.Result()
	response.Request = r
	return response, nil
}

// Accepts reports whether PAIStrike accepts a secret.
func (a *Account) Accepts(secret string) bool {
	r := httptest.NewRequestWithContext(context.Background(), http.MethodGet, "http://localhost"+self, http.NoBody)
	r.Header.Set("Authorization", "Bearer "+secret)
	recorder := httptest.NewRecorder()
	a.Server.ServeHTTP(recorder, r)
	return recorder.Code == http.StatusOK
}

// Usable returns the tokens that work, newest first, without the management token.
func (a *Account) Usable() []sandbox.Token {
	now := a.Clock().Now()
	return slices.DeleteFunc(a.Tokens(), func(token sandbox.Token) bool {
		past := !token.ExpiresAt.IsZero() && !now.Before(token.ExpiresAt)
		return token.ID == a.ManagementID || token.Status != "active" || past
	})
}

// self is the path of the caller's own token.
const self = "/api/v1/api-tokens/self"

// Use calls the PAIStrike API at a URL with a secret, as a consumer does, and returns the
// status.
func Use(t testing.TB, api, secret string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, api+self, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+secret)
	client := http.Client{Timeout: time.Minute}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}
