package sandbox_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike/contracttest"
	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
)

// noon is the default start of the sandbox clock.
func noon() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

// world is a sandbox on loopback with one management token. Tests use it through the API and
// through the server's Go methods.
type world struct {
	*testing.T
	sandbox *sandbox.Server
	url     string
	client  *http.Client
	id      string // of the management token
	secret  string
}

// start returns a world in which every request and answer is checked against the contract.
func start(t *testing.T, options sandbox.Options) *world {
	t.Helper()
	return begin(t, options, func(next http.Handler) http.Handler {
		return contracttest.Check(t, next, cmp.Or(options.Prefix, "/api/v1"), contracttest.RefuseBadRequests())
	})
}

// misbehave returns a world that is not checked against the contract.
func misbehave(t *testing.T, options sandbox.Options) *world {
	t.Helper()
	return begin(t, options, func(next http.Handler) http.Handler { return next })
}

func begin(t *testing.T, options sandbox.Options, watch func(http.Handler) http.Handler) *world {
	t.Helper()
	if options.Start.IsZero() && options.Now == nil {
		options.Start = noon()
	}
	s, err := sandbox.New(options)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(watch(s))
	t.Cleanup(server.Close)
	t.Cleanup(func() { s.ClearFaults(); s.Release() })
	w := &world{T: t, sandbox: s, url: server.URL}
	// No keep-alive: net/http repeats a GET whose pooled connection was cut.
	w.client = &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	w.id, w.secret = s.Mint("management", time.Time{})
	return w
}

// reply is a response with its whole body.
type reply struct {
	status int
	header http.Header
	body   string
}

// try sends a request with the secret as bearer token ("" = none).
func (w *world) try(ctx context.Context, secret, method, path, body string, header ...string) (reply, error) {
	request, err := http.NewRequestWithContext(ctx, method, w.url+path, strings.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	if secret != "" {
		request.Header.Set("Authorization", "Bearer "+secret)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		if header[i] == "Host" {
			request.Host = header[i+1]
		}
		request.Header.Set(header[i], header[i+1])
	}
	response, err := w.client.Do(request)
	if err != nil {
		return reply{}, err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	return reply{response.StatusCode, response.Header, string(content)}, err
}

// as calls the API with a secret. path is relative to the prefix.
func (w *world) as(secret, method, path, body string) reply {
	w.Helper()
	return w.must(w.try(w.Context(), secret, method, "/api/v1"+path, body))
}

// api calls the API with the management token.
func (w *world) api(method, path, body string) reply {
	w.Helper()
	return w.as(w.secret, method, path, body)
}

// control calls a control endpoint.
func (w *world) control(method, path, body string) reply {
	w.Helper()
	return w.must(w.try(w.Context(), "", method, "/_sandbox/"+path, body))
}

func (w *world) must(r reply, err error) reply {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
	return r
}

// token is a token in an API response.
type token struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	CreatedAt  time.Time  `json:"created_at"`
	LastUsedAt *time.Time `json:"last_used_at"`
	ExpiresAt  *time.Time `json:"expires_at"`
	Status     string     `json:"status"`
	Secret     string     `json:"token"`
}

// create creates a token by API that expires after life (0 = never).
func (w *world) create(name string, life time.Duration) token {
	w.Helper()
	return decode[token](w, w.api("POST", "/api-tokens", draft(name, w.expiry(life))), http.StatusCreated)
}

func (w *world) expiry(life time.Duration) *time.Time {
	if life == 0 {
		return nil
	}
	at := w.sandbox.Clock().Now().Add(life)
	return &at
}

func draft(name string, expiresAt *time.Time) string {
	body, err := json.Marshal(map[string]any{"name": name, "expires_at": expiresAt})
	if err != nil {
		panic(err)
	}
	return string(body)
}

// minted counts the creates that succeeded, whatever their callers received.
func (w *world) minted() int {
	n := 0
	for _, call := range w.sandbox.Journal() {
		if call.Method == "POST" && call.Applied {
			n++
		}
	}
	return n
}

func decode[T any](w *world, r reply, status int) T {
	w.Helper()
	var out T
	if r.status != status {
		w.Fatalf("status %d, want %d: %s", r.status, status, r.body)
	}
	decoder := json.NewDecoder(bytes.NewReader([]byte(r.body)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&out); err != nil {
		w.Fatalf("decoding %s: %v", r.body, err)
	}
	return out
}

// problem is an RFC 9457 document with the fields of the contract.
type problem struct {
	Type, Title, Code, Detail string
	Status                    int
	RequestID                 string `json:"request_id"`
	Errors                    []struct{ Pointer, Code, Detail string }
}

// refused checks that r is a well-formed problem document, and returns it.
func refused(w *world, r reply, status int, code string) problem {
	w.Helper()
	p := decode[problem](w, r, status)
	if got := r.header.Get("Content-Type"); got != "application/problem+json" {
		w.Errorf("content type %q", got)
	}
	if p.Type != "about:blank" || p.Title != http.StatusText(status) || p.Status != status || p.Code != code {
		w.Errorf("problem %+v, want status %d and code %s", p, status, code)
	}
	if p.RequestID == "" || p.RequestID != r.header.Get("X-Request-Id") {
		w.Errorf("request id %q in the body, %q in the header", p.RequestID, r.header.Get("X-Request-Id"))
	}
	return p
}

func wantStatus(w *world, r reply, status int) {
	w.Helper()
	if r.status != status {
		w.Errorf("status %d, want %d: %s", r.status, status, r.body)
	}
}
