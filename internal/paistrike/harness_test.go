package paistrike_test

import (
	"context"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
)

// bearer is the management token of every test.
const bearer = "pstk_sbx_k3Vw9QzT5mXr7BnLp2YcHs8DfGj1a04Wq6UeRt"

// server records the requests that reach it.
type server struct {
	*httptest.Server
	mu       sync.Mutex
	requests []string // "GET /api/v1/api-tokens"
	bodies   []string
	bearers  []string
	sleeps   []time.Duration // the pauses of its client
}

// serve starts a loopback server for one test.
func serve(t *testing.T, handler http.Handler) *server {
	t.Helper()
	s := &server{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("reading a request: %v", err)
		}
		s.mu.Lock()
		s.requests = append(s.requests, r.Method+" "+r.URL.EscapedPath())
		s.bodies = append(s.bodies, string(body))
		s.bearers = append(s.bearers, r.Header.Get("Authorization"))
		s.mu.Unlock()
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

// client returns a client of the server that does not really wait.
func (s *server) client(t *testing.T, change ...func(*paistrike.Config)) *paistrike.Client {
	t.Helper()
	cfg := paistrike.Config{
		Endpoint: s.URL,
		Token:    secret.New(bearer),
		Sleep: func(ctx context.Context, d time.Duration) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.sleeps = append(s.sleeps, d)
			return ctx.Err()
		},
		Now: func() time.Time { return instant("2026-07-01T12:00:00Z") },
	}
	for _, f := range change {
		f(&cfg)
	}
	c, err := paistrike.New(cfg)
	if err != nil {
		t.Fatalf("making a client: %v", err)
	}
	return c
}

// made returns the requests so far.
func (s *server) made() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// waited returns the pauses so far.
func (s *server) waited() []time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.sleeps)
}

// lastBody returns the body of the latest request.
func (s *server) lastBody() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bodies[len(s.bodies)-1]
}

// expectRequests fails the test unless exactly these requests were made.
func (s *server) expectRequests(t *testing.T, want ...string) {
	t.Helper()
	if got := s.made(); !slices.Equal(got, want) {
		t.Errorf("requests made:\n  %s\nwant:\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// answer returns a handler that always sends the same response.
func answer(status int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		if w.Header().Get("Content-Type") == "" {
			w.Header().Set("Content-Type", "application/json")
		}
		w.WriteHeader(status)
		io.WriteString(w, body) //nolint:errcheck // the client may be gone
	}
}

// inTurn passes each request to the next handler, and stays with the last.
func inTurn(handlers ...http.HandlerFunc) http.HandlerFunc {
	var mu sync.Mutex
	n := 0
	return func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		handler := handlers[min(n, len(handlers)-1)]
		n++
		mu.Unlock()
		handler(w, r)
	}
}

// cut drops the connection without a response.
func cut(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

func instant(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t.UTC()
}

// mustNot fails the test on an unexpected error.
func mustNot(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("unexpected error: %v", err)
	}
}

// quiet discards the server's log of handshakes that fail on purpose.
func quiet() *log.Logger { return log.New(io.Discard, "", 0) }
