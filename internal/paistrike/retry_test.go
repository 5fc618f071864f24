package paistrike_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
)

// act is a call of the client. The table marks those that may be repeated.
type act struct {
	name   string
	method string
	do     func(context.Context, *paistrike.Client) error
}

func reading() act {
	return act{"list", http.MethodGet, func(ctx context.Context, c *paistrike.Client) error { _, err := c.List(ctx); return err }}
}

func revoking() act {
	return act{"revoke", http.MethodDelete, func(ctx context.Context, c *paistrike.Client) error { return c.Revoke(ctx, "tok_1") }}
}

func creating() act {
	return act{"create", http.MethodPost, func(ctx context.Context, c *paistrike.Client) error {
		_, err := c.Create(ctx, "ci", time.Time{})
		return err
	}}
}

// works responds successfully to any of the acts.
func works(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodPost:
		answer(201, `{"id":"tok_2","name":"ci","token":"`+canary+`"}`)(w, r)
	case http.MethodDelete:
		answer(204, "")(w, r)
	default:
		answer(200, `{"items":[],"next_cursor":null}`)(w, r)
	}
}

// The table of what is retried: one failure, then a server that works.
func TestRetries(t *testing.T) {
	t.Parallel()
	half := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		w.WriteHeader(http.StatusOK)
		fmt.Fprint(w, `{"items":[`)
	}
	again, stop, unclear := "tried again", "refused", "unknown outcome"
	tests := []struct {
		trouble                     string
		handler                     http.HandlerFunc
		reading, revoking, creating string
	}{
		{"429", answer(429, ""), again, again, again},
		{"429 with Retry-After", answer(429, "", "Retry-After", "7"), again, again, again},
		{"429 that asks for a day", answer(429, "", "Retry-After", "86400"), stop, stop, stop},
		{"500", answer(500, "<h1>oh</h1>"), again, again, unclear},
		{"502", answer(502, ""), again, again, unclear},
		{"503 with Retry-After", answer(503, "", "Retry-After", "7"), again, again, unclear},
		{"503 that asks for a day", answer(503, "", "Retry-After", "86400"), stop, stop, unclear},
		{"504", answer(504, ""), again, again, unclear},
		{"501", answer(501, ""), stop, stop, unclear},
		{"connection cut", cut, again, again, unclear},
		{"answer cut", half, again, "done", unclear},
		{"400", answer(400, ""), stop, stop, stop},
		{"401", answer(401, ""), stop, stop, stop},
		{"403", answer(403, ""), stop, stop, stop},
		{"409", answer(409, ""), stop, stop, stop},
		{"422", answer(422, ""), stop, stop, stop},
		{"408", answer(408, ""), again, again, unclear},
		{"425", answer(425, ""), again, again, unclear},
		{"302", answer(302, "", "Location", "/login"), stop, stop, stop},
		{"304", answer(304, ""), stop, stop, stop},
	}
	for _, test := range tests {
		for _, one := range []struct {
			act
			want string
		}{{reading(), test.reading}, {revoking(), test.revoking}, {creating(), test.creating}} {
			t.Run(test.trouble+" on "+one.name, func(t *testing.T) {
				t.Parallel()
				var tries atomic.Int32
				s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					switch {
					case r.Method != one.method: // Revoke then reads the current state
						status := "active"
						if tries.Load() == 2 || test.revoking == "done" {
							status = "revoked"
						}
						answer(200, `{"id":"tok_1","status":"`+status+`"}`)(w, r)
					case tries.Add(1) == 1:
						test.handler(w, r)
					default:
						works(w, r)
					}
				}))
				err := one.do(t.Context(), s.client(t))
				var unknown *paistrike.UnknownOutcomeError
				got := stop
				switch {
				case err == nil && tries.Load() == 2:
					got = again
				case err == nil:
					got = "done"
				case errors.As(err, &unknown):
					got = unclear
				}
				if got != one.want {
					t.Errorf("%s (%v), want %s", got, err, one.want)
				}
				if pauses := len(s.waited()); (pauses > 0) != (one.want == again) {
					t.Errorf("waited %d times", pauses)
				}
				if n := tries.Load(); one.want != again && n != 1 {
					t.Errorf("sent %d times, want once", n)
				}
			})
		}
	}
}

func TestGivesUpInTheEnd(t *testing.T) {
	t.Parallel()
	for _, one := range []act{reading(), revoking()} {
		s := serve(t, answer(503, ""))
		err := one.do(t.Context(), s.client(t))
		if paistrike.StatusOf(err) != 503 || !strings.Contains(err.Error(), "after 5 attempts") || len(s.made()) != 5 || len(s.waited()) != 4 {
			t.Errorf("%s: %v after %d requests and %d pauses", one.name, err, len(s.made()), len(s.waited()))
		}
		waits := s.waited()
		if !slices.IsSorted(waits) || waits[0] < 250*time.Millisecond || waits[3] > 4*time.Second {
			t.Errorf("%s: waited %v", one.name, waits)
		}
		s = serve(t, answer(503, ""))
		if err = one.do(t.Context(), s.client(t, func(cfg *paistrike.Config) { cfg.MaxAttempts = 2 })); len(s.made()) != 2 {
			t.Errorf("%s: %v after %d requests, want 2", one.name, err, len(s.made()))
		}
	}
}

// A 429 guarantees that nothing was done, so a create may wait and be sent again.
func TestCreateWaitsForItsTurn(t *testing.T) {
	t.Parallel()
	s := serve(t, inTurn(
		answer(429, `{"code":"rate_limited"}`, "Retry-After", "2"),
		answer(429, "", "Retry-After", "1.5"),
		answer(429, "", "Retry-After", "Wed, 01 Jul 2026 12:00:50 GMT", "Date", "Wed, 01 Jul 2026 12:00:20 GMT"),
		works,
	))
	minted, err := s.client(t).Create(t.Context(), "ci", time.Time{})
	mustNot(t, err)
	if minted.Secret.Reveal() != canary {
		t.Error("the secret is lost")
	}
	if want := []time.Duration{2 * time.Second, 1500 * time.Millisecond, 30 * time.Second}; !slices.Equal(s.waited(), want) {
		t.Errorf("waited %v, want %v", s.waited(), want)
	}
	s.expectRequests(t, slices.Repeat([]string{"POST /api/v1/api-tokens"}, 4)...)
}

func TestAbsurdWaitsAreRefused(t *testing.T) {
	t.Parallel()
	for _, wait := range []string{"86400", "61", "9999999999999", strings.Repeat("9", 400), "Fri, 01 Jul 2089 12:00:00 GMT"} {
		for _, one := range []act{reading(), revoking(), creating()} {
			s := serve(t, answer(429, "", "Retry-After", wait, "Date", "Wed, 01 Jul 2026 12:00:00 GMT"))
			err := one.do(t.Context(), s.client(t))
			if !paistrike.IsRateLimited(err) || !strings.Contains(err.Error(), "longer than the maximum wait of 1m0s") {
				t.Errorf("Retry-After %s on %s: %v", wait, one.name, err)
			}
			if len(s.waited()) != 0 || len(s.made()) != 1 {
				t.Errorf("Retry-After %s on %s: waited %v, sent %d times", wait, one.name, s.waited(), len(s.made()))
			}
		}
	}
}

// Duplicate tokens would be created if the server has done the work and then the
// connection is lost. A create is sent once, with our transport, with a pooled one, and
// with one whose connections are already in use.
func TestLostAnswerOfACreate(t *testing.T) {
	t.Parallel()
	for _, transport := range []http.RoundTripper{nil, &http.Transport{}} {
		for _, trouble := range []http.HandlerFunc{cut, answer(500, "")} {
			var done atomic.Int32
			s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPost && done.Add(1) <= 2 {
					trouble(w, r)
					return
				}
				works(w, r)
			}))
			c := s.client(t, func(cfg *paistrike.Config) { cfg.Transport = transport })
			_, err := c.List(t.Context()) // fills a pool with a connection
			mustNot(t, err)
			minted, err := c.Create(t.Context(), "ci-nonce", time.Time{})
			var unknown *paistrike.UnknownOutcomeError
			if !errors.As(err, &unknown) || unknown.Name != "ci-nonce" || !minted.Secret.IsZero() {
				t.Errorf("got %v, want an unknown outcome", err)
			}
			if done.Load() != 1 || len(s.waited()) != 0 {
				t.Errorf("the server made %d tokens, want 1", done.Load())
			}
		}
	}
}

// A pooled connection may be dead without the client noticing, so a create uses none.
func TestEachCreateHasItsOwnConnection(t *testing.T) {
	t.Parallel()
	var seen []string
	s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Method+" "+r.RemoteAddr)
		works(w, r)
	}))
	c := s.client(t)
	for _, one := range []act{reading(), reading(), creating(), creating(), reading()} {
		mustNot(t, one.do(t.Context(), c))
	}
	if seen[0] != seen[1] || seen[0] != seen[4] || seen[2] == seen[3] || seen[2][len("POST "):] == seen[0][len("GET "):] {
		t.Errorf("connections: %v", seen)
	}
}

// A create that was never sent is safe to send again: no connection, no handshake.
func TestCreateThatNeverLeft(t *testing.T) {
	t.Parallel()
	t.Run("connection refused at first", func(t *testing.T) {
		t.Parallel()
		s := serve(t, http.HandlerFunc(works))
		var dials atomic.Int32
		_, err := s.client(t, func(cfg *paistrike.Config) {
			cfg.Transport = &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
				if dials.Add(1) <= 2 {
					return nil, &net.OpError{Op: "dial", Net: network, Err: errors.New("connection refused")}
				}
				return (&net.Dialer{}).DialContext(ctx, network, addr)
			}}
		}).Create(t.Context(), "ci", time.Time{})
		mustNot(t, err)
		if len(s.waited()) != 2 {
			t.Errorf("waited %v, want twice", s.waited())
		}
		s.expectRequests(t, "POST /api/v1/api-tokens")
	})
	t.Run("nobody listens", func(t *testing.T) {
		t.Parallel()
		s := serve(t, http.HandlerFunc(works))
		s.Close()
		expectUnreached(t, s, s.client(t))
	})
	t.Run("no TLS", func(t *testing.T) {
		t.Parallel()
		s := serve(t, http.HandlerFunc(works))
		expectUnreached(t, s, s.client(t, func(cfg *paistrike.Config) { cfg.Endpoint = strings.Replace(s.URL, "http:", "https:", 1) }))
		s.expectRequests(t)
	})
	t.Run("a certificate that nobody signed", func(t *testing.T) {
		t.Parallel()
		s := serve(t, http.HandlerFunc(works))
		tls := httptest.NewUnstartedServer(s.Config.Handler)
		tls.Config.ErrorLog = quiet()
		tls.StartTLS()
		t.Cleanup(tls.Close)
		expectUnreached(t, s, s.client(t, func(cfg *paistrike.Config) { cfg.Endpoint = tls.URL }))
		s.expectRequests(t)
	})
}

func expectUnreached(t *testing.T, s *server, c *paistrike.Client) {
	t.Helper()
	_, err := c.Create(t.Context(), "ci", time.Time{})
	var unknown *paistrike.UnknownOutcomeError
	var connection *paistrike.ConnectionError
	if errors.As(err, &unknown) || !errors.As(err, &connection) || connection.Sent || connection.Attempts != 5 {
		t.Errorf("got %v, want five attempts that reached nobody", err)
	}
	if len(s.waited()) != 4 {
		t.Errorf("waited %v", s.waited())
	}
}

// If a transport does not report how far it got, the request counts as sent.
func TestSilentTransport(t *testing.T) {
	t.Parallel()
	s := serve(t, http.HandlerFunc(works))
	broken := roundTripper(func(r *http.Request) (*http.Response, error) {
		if r.GetBody != nil {
			t.Error("the transport could send the create again")
		}
		return nil, errors.New("broken")
	})
	_, err := s.client(t, func(cfg *paistrike.Config) { cfg.Transport = broken }).Create(t.Context(), "ci", time.Time{})
	var unknown *paistrike.UnknownOutcomeError
	if !errors.As(err, &unknown) || len(s.waited()) != 0 {
		t.Errorf("got %v, want an unknown outcome at once", err)
	}
	refused := roundTripper(func(*http.Request) (*http.Response, error) {
		return nil, &net.OpError{Op: "dial", Err: errors.New("refused")}
	})
	_, err = s.client(t, func(cfg *paistrike.Config) { cfg.Transport = refused }).Create(t.Context(), "ci", time.Time{})
	if errors.As(err, &unknown) || len(s.waited()) != 4 {
		t.Errorf("got %v, want attempts that reached nobody", err)
	}
}

func TestCancelling(t *testing.T) {
	t.Parallel()
	t.Run("before the start", func(t *testing.T) {
		t.Parallel()
		s := serve(t, http.HandlerFunc(works))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for _, one := range []act{reading(), revoking(), creating()} {
			err := one.do(ctx, s.client(t))
			var unknown *paistrike.UnknownOutcomeError
			if !errors.Is(err, context.Canceled) || errors.As(err, &unknown) {
				t.Errorf("%s: %v, want a cancellation that did nothing", one.name, err)
			}
		}
		s.expectRequests(t)
	})
	t.Run("while the server works", func(t *testing.T) {
		t.Parallel()
		for _, one := range []act{reading(), revoking(), creating()} {
			ctx, cancel := context.WithCancel(t.Context())
			s := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { cancel(); <-r.Context().Done() }))
			err := one.do(ctx, s.client(t))
			var unknown *paistrike.UnknownOutcomeError
			if !errors.Is(err, context.Canceled) || errors.As(err, &unknown) != (one.name == "create") || len(s.made()) != 1 {
				t.Errorf("%s: %v after %d requests", one.name, err, len(s.made()))
			}
		}
	})
	t.Run("while waiting", func(t *testing.T) {
		t.Parallel()
		s := serve(t, answer(429, ""))
		c := s.client(t, func(cfg *paistrike.Config) {
			cfg.Sleep = func(context.Context, time.Duration) error { return context.DeadlineExceeded }
		})
		_, err := c.List(t.Context())
		if !errors.Is(err, context.DeadlineExceeded) || !paistrike.IsRateLimited(err) || len(s.made()) != 1 {
			t.Errorf("got %v after %d requests", err, len(s.made()))
		}
	})
	t.Run("a server that hangs", func(t *testing.T) {
		t.Parallel()
		s := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
		c := s.client(t, func(cfg *paistrike.Config) { cfg.Timeout, cfg.MaxAttempts = 50*time.Millisecond, 2 })
		if _, err := c.List(t.Context()); !errors.Is(err, context.DeadlineExceeded) || len(s.made()) != 2 {
			t.Errorf("listing: %v after %d requests", err, len(s.made()))
		}
		var unknown *paistrike.UnknownOutcomeError
		if _, err := c.Create(t.Context(), "ci", time.Time{}); !errors.As(err, &unknown) || len(s.made()) != 3 {
			t.Errorf("creating: %v after %d requests", err, len(s.made()))
		}
	})
}

// Without a configured Sleep, the client really waits. Here the wait ends at once.
func TestRealWait(t *testing.T) {
	t.Parallel()
	s := serve(t, inTurn(answer(429, "", "Retry-After", "0.001"), works))
	_, err := s.client(t, func(cfg *paistrike.Config) { cfg.Sleep, cfg.Now = nil, nil }).List(t.Context())
	mustNot(t, err)
	s = serve(t, answer(429, "", "Retry-After", "60"))
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err = s.client(t, func(cfg *paistrike.Config) { cfg.Sleep = nil }).List(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the wait to end with its context", err)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
