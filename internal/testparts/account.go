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

// Account is a PAIStrike of a test: a sandbox in this process, with one token that creates
// the others. Handlers and transports of tests call it directly or after [Account.Listen].
type Account struct {
	*sandbox.Server
	// ManagementID and Management are the id and the secret of the token that creates the
	// others.
	ManagementID, Management string

	mu      sync.Mutex
	minted  []string
	created func(made int)
}

// NewAccount makes an account whose clock stands at a time, or runs with the machine's if
// that is zero. The token that creates the others has the name.
func NewAccount(t testing.TB, name string, start time.Time) *Account {
	t.Helper()
	return NewAccountOn(t, name, sandbox.Options{Start: start})
}

// NewAccountOn makes an account on a sandbox that differs in more than its clock, such as
// one whose API has a different shape.
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

// Listen serves the account on loopback, behind a handler that a test puts before it, and
// returns its URL.
func (a *Account) Listen(t testing.TB, before http.Handler) string {
	t.Helper()
	if before == nil {
		before = a
	}
	server := httptest.NewServer(before)
	t.Cleanup(server.Close)
	return server.URL
}

// ServeHTTP answers as PAIStrike does, and keeps every secret that it hands out.
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

// Keep notes a secret that was handed out in another way.
func (a *Account) Keep(secret string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.minted = append(a.minted, secret)
	if a.created != nil {
		a.created(len(a.minted))
	}
}

// WhenCreated calls do after each create, with how many there were.
func (a *Account) WhenCreated(do func(made int)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.created = do
}

// Secrets returns those that were handed out, the oldest first.
func (a *Account) Secrets() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.minted)
}

// keeper looks at the body of an answer on its way.
type keeper struct {
	http.ResponseWriter
	keep func([]byte)
}

// Write passes the body on.
func (k *keeper) Write(body []byte) (int, error) {
	k.keep(body)
	return k.ResponseWriter.Write(body)
}

// Unwrap returns the connection, which the sandbox may cut.
func (k *keeper) Unwrap() http.ResponseWriter { return k.ResponseWriter }

// RoundTrip calls PAIStrike in this process, whatever host the request names.
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

// Accepts reports whether PAIStrike lets a secret in.
func (a *Account) Accepts(secret string) bool {
	r := httptest.NewRequestWithContext(context.Background(), http.MethodGet, "http://localhost"+self, http.NoBody)
	r.Header.Set("Authorization", "Bearer "+secret)
	recorder := httptest.NewRecorder()
	a.Server.ServeHTTP(recorder, r)
	return recorder.Code == http.StatusOK
}

// Usable returns the tokens that work, the newest first, without the management token.
func (a *Account) Usable() []sandbox.Token {
	now := a.Clock().Now()
	return slices.DeleteFunc(a.Tokens(), func(token sandbox.Token) bool {
		past := !token.ExpiresAt.IsZero() && !now.Before(token.ExpiresAt)
		return token.ID == a.ManagementID || token.Status != "active" || past
	})
}

// self is the path of the caller's own token.
const self = "/api/v1/api-tokens/self"

// Use calls the PAIStrike at a URL with a secret, as a consumer does, and returns the
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
