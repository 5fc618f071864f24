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

// limiter is a PAIStrike in memory that accepts a limited number of requests a minute from
// each token, and takes some time for each.
type limiter struct {
	announce func(http.Header, announced)
	mu       sync.Mutex
	windows  map[string]*window
	refused  atomic.Int32
	served   atomic.Int32
}

// announced is a server's announcement of its limit: the requests left, and whole
// seconds to the reset.
type announced struct {
	left, seconds int
	reset         time.Time
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
	<-time.After(latency / 2)
	now, told := l.admit(r.Header.Get("Authorization"))
	<-time.After(latency / 2)
	var got *http.Response
	switch {
	case !now:
		l.refused.Add(1)
		got = inMemory(429, "", "Retry-After", fmt.Sprint(told.seconds))
	case r.Method == http.MethodPost:
		l.served.Add(1)
		got = inMemory(201, `{"id":"tok_2","name":"ci","token":"`+canary+`"}`)
	default:
		l.served.Add(1)
		got = inMemory(200, `{"id":"tok_2","name":"ci","status":"active"}`)
	}
	if l.announce != nil {
		l.announce(got.Header, told)
	}
	return got, nil
}

func (l *limiter) admit(bearer string) (bool, announced) {
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
	admitted := w.count < perMinute
	if admitted {
		w.count++
	}
	reset := w.began.Add(time.Minute)
	return admitted, announced{left: perMinute - w.count, seconds: int(math.Ceil(time.Until(reset).Seconds())), reset: reset}
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

// When one call learns of a rate limit, other calls of the same token wait for its end.
// Another token has its own limit.
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
		for range 5 { // each begins when the previous one was refused or held back
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

// Two hundred tokens, ten concurrently as in Terraform, with a limit of 120 requests a
// minute that is not announced: all succeed, and at most one call in a hundred is refused.
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
		if refused*100 > served+refused {
			t.Errorf("%d of %d calls were refused, want one in a hundred at most", refused, served+refused)
		}
	})
}

// When a limit that is not announced was met once, its windows are not met with all calls
// at once again: one call of each is refused, and no window is left unused.
func TestALimitThatIsNotAnnouncedIsLearned(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, began := &limiter{}, time.Now()
		l.work(t, 1200, 10, l.client(t))
		if served, refused := l.served.Load(), l.refused.Load(); served != 1200 || refused > 4+8 {
			t.Errorf("%d calls were served and %d refused, want 1200, four at first and then one a minute", served, refused)
		}
		if took := time.Since(began); took > 9*time.Minute+10*time.Second {
			t.Errorf("took %s, and ten windows hold 1200 requests", took)
		}
	})
}

// announcements are the formats in which a server may announce its limit.
var announcements = map[string]func(http.Header, announced){
	"structured": func(h http.Header, a announced) {
		h.Set("RateLimit-Policy", `"minute";q=120;w=60`)
		h.Set("RateLimit", fmt.Sprintf(`"minute";r=%d;t=%d`, a.left, a.seconds))
	},
	"drafts up to 06": func(h http.Header, a announced) {
		h.Set("RateLimit-Remaining", fmt.Sprint(a.left))
		h.Set("RateLimit-Reset", fmt.Sprint(a.seconds))
	},
	"X-RateLimit, a point in time": func(h http.Header, a announced) {
		h.Set("X-RateLimit-Remaining", fmt.Sprint(a.left))
		h.Set("X-RateLimit-Reset", fmt.Sprint(a.reset.Unix()))
	},
}

// An announced limit takes effect before the first refusal: of four hundred requests, ten
// concurrently, none is refused or a whole window late.
func TestAnAnnouncedLimitIsHeededBeforeTheFirstRefusal(t *testing.T) {
	t.Parallel()
	for name, announce := range announcements {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l, began := &limiter{announce: announce}, time.Now()
				l.work(t, 400, 10, l.client(t))
				if served, refused := l.served.Load(), l.refused.Load(); served != 400 || refused != 0 {
					t.Errorf("%d calls were served and %d refused, want 400 and none", served, refused)
				}
				if took := time.Since(began); took > 3*time.Minute+10*time.Second {
					t.Errorf("took %s, and four minutes hold 480 requests", took)
				}
			})
		})
	}
}

// A limit without requests for longer than the maximum wait is tried again after a minute,
// and the calls behind that one wait no longer than it does.
func TestALimitThatIsUsedUpForHours(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		l := &limiter{announce: func(h http.Header, _ announced) {
			h.Set("X-RateLimit-Remaining", "0")
			h.Set("X-RateLimit-Reset", fmt.Sprint(began.Add(2*time.Hour).Unix()))
		}}
		l.work(t, 4, 3, l.client(t))
		if took := time.Since(began); took != time.Minute+4*latency {
			t.Errorf("four calls took %s, want a minute and their own time", took)
		}
	})
}

// Ten runs with one token share its limit without knowing of each other: almost none of
// their requests are refused, and together they use nearly the whole limit.
func TestManyClientsOfOneTokenShareItsLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, began := &limiter{announce: announcements["structured"]}, time.Now()
		var clients []*paistrike.Client
		for range 10 {
			clients = append(clients, l.client(t))
		}
		l.work(t, 1000, 8, clients...)
		served, refused := l.served.Load(), l.refused.Load()
		if served != 1000 || refused*100 > served {
			t.Errorf("%d calls were served and %d refused, want 1000 and one in a hundred at most", served, refused)
		}
		if took := time.Since(began); took > 10*time.Minute {
			t.Errorf("took %s for what ideal clients do in 8 minutes", took)
		}
		t.Logf("%d refused, %s", refused, time.Since(began))
	})
}

// work distributes calls among clients. Each client makes one call alone, as a run first
// lists the account, and then sideBySide calls concurrently.
func (l *limiter) work(t *testing.T, calls, sideBySide int, clients ...*paistrike.Client) {
	get := func(c *paistrike.Client) {
		if _, err := c.Get(t.Context(), "tok_2"); err != nil {
			t.Error(err)
		}
	}
	var runs sync.WaitGroup
	for _, c := range clients {
		runs.Go(func() {
			get(c)
			var left atomic.Int64
			left.Store(int64(calls/len(clients) - 1))
			var workers sync.WaitGroup
			for range sideBySide {
				workers.Go(func() {
					for left.Add(-1) >= 0 {
						get(c)
					}
				})
			}
			workers.Wait()
		})
	}
	runs.Wait()
}

// A caller that gives up while it is held back gets an error, and nothing was sent.
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
