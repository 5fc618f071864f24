package paistrike_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
)

// limiter is a PAIStrike in memory that takes a number of requests a minute from each
// token, and takes some time over each.
type limiter struct {
	mu      sync.Mutex
	windows map[string]*window
	refused atomic.Int32
	served  atomic.Int32
}

type window struct {
	began time.Time
	count int
}

const (
	perMinute = 120
	latency   = 20 * time.Millisecond
)

func (l *limiter) RoundTrip(r *http.Request) (*http.Response, error) {
	<-time.After(latency)
	if left := l.left(r.Header.Get("Authorization")); left > 0 {
		l.refused.Add(1)
		return inMemory(429, "", "Retry-After", fmt.Sprintf("%.0f", math.Ceil(left.Seconds()))), nil
	}
	l.served.Add(1)
	if r.Method == http.MethodPost {
		return inMemory(201, `{"id":"tok_2","name":"ci","token":"`+canary+`"}`), nil
	}
	return inMemory(200, `{"id":"tok_2","name":"ci","status":"active"}`), nil
}

func (l *limiter) left(bearer string) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.windows == nil {
		l.windows = map[string]*window{}
	}
	w := l.windows[bearer]
	if w == nil || time.Since(w.began) >= time.Minute {
		w = &window{began: time.Now()}
		l.windows[bearer] = w
	}
	if w.count >= perMinute {
		return time.Minute - time.Since(w.began)
	}
	w.count++
	return 0
}

func inMemory(status int, body string, headers ...string) *http.Response {
	header := http.Header{"Content-Type": {"application/json"}}
	for i := 0; i+1 < len(headers); i += 2 {
		header.Set(headers[i], headers[i+1])
	}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body))}
}

func (l *limiter) client(t *testing.T) *paistrike.Client {
	t.Helper()
	c, err := paistrike.New(paistrike.Config{Endpoint: "https://paistrike.example.com", Token: secret.New(bearer), Transport: l})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// What one call hears of a rate limit, the others of the same token heed: they are not
// sent before its time is over. Another token has a limit of its own.
func TestARateLimitHoldsBackTheWholeToken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &limiter{}
		c := l.client(t)
		for range perMinute {
			if _, err := c.Get(t.Context(), "tok_2"); err != nil {
				t.Fatal(err)
			}
		}
		var calls sync.WaitGroup
		for range 5 { // each begins when the one before has been refused or kept back
			calls.Go(func() {
				if _, err := c.Get(t.Context(), "tok_2"); err != nil {
					t.Error(err)
				}
			})
			<-time.After(2 * latency)
		}
		if got := l.refused.Load(); got != 1 {
			t.Errorf("%d calls were sent to be refused, want only the first", got)
		}
		began := time.Now()
		if _, err := c.As(secret.New(canary)).Self(t.Context()); err != nil || time.Since(began) != latency {
			t.Errorf("another token waited too: %s, %v", time.Since(began), err)
		}
		calls.Wait()
		if got := l.refused.Load(); got != 1 {
			t.Errorf("%d calls were refused in the end, want 1", got)
		}
	})
}

// Two hundred tokens, ten at a time as Terraform does it, against 120 requests a
// minute: all succeed, and no more than one call in twenty is refused.
func TestManyTokensWithinARateLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &limiter{}
		c := l.client(t)
		work := make(chan struct{}, 200)
		for range cap(work) {
			work <- struct{}{}
		}
		close(work)
		var workers sync.WaitGroup
		for range 10 {
			workers.Go(func() {
				for range work {
					minted, err := c.Create(t.Context(), "ci", time.Time{})
					if err == nil {
						_, err = c.As(minted.Secret).Self(t.Context())
					}
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		workers.Wait()
		served, refused := l.served.Load(), l.refused.Load()
		if served != 400 {
			t.Errorf("%d calls were served, want 400", served)
		}
		if refused*20 > served+refused {
			t.Errorf("%d of %d calls were refused, want one in twenty at most", refused, served+refused)
		}
		t.Logf("%d calls, %d refused", served+refused, refused)
	})
}

// A caller who gives up while it is kept back is told so, and nothing was sent.
func TestACallThatIsKeptBackCanBeGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &limiter{}
		c := l.client(t)
		for range perMinute {
			if _, err := c.Get(t.Context(), "tok_2"); err != nil {
				t.Fatal(err)
			}
		}
		var first sync.WaitGroup
		first.Go(func() { _, _ = c.Get(t.Context(), "tok_2") })
		<-time.After(2 * latency)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := c.Create(ctx, "ci", time.Time{})
		var unknown *paistrike.UnknownOutcomeError
		if err == nil || errors.As(err, &unknown) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want a plain end of its time", err)
		}
		if got := l.served.Load() + l.refused.Load(); got != perMinute+1 {
			t.Errorf("%d requests were sent, want %d", got, perMinute+1)
		}
		first.Wait()
	})
}
