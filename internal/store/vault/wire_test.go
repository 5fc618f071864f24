package vault_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/paistrike/terraform-provider-paistrike/internal/store/vault"
)

const listed = `{"data":{"keys":["a"]}}`

// cut closes the connection without a response.
func cut(http.ResponseWriter) { panic(http.ErrAbortHandler) }

func TestReadsAreRepeated(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		answer func(w http.ResponseWriter)
		times  int // how often in total
	}{
		{"not yet replicated", func(w http.ResponseWriter) { say(w, 412, `{}`) }, 3},
		{"over the quota", func(w http.ResponseWriter) { say(w, 429, `{}`) }, 3},
		{"broken", func(w http.ResponseWriter) { say(w, 500, `{}`) }, 3},
		{"a gateway's word", func(w http.ResponseWriter) { say(w, 502, `<html>`) }, 3},
		{"sealed", func(w http.ResponseWriter) { say(w, 503, `{}`) }, 3},
		{"cut off", cut, 3},
		{"being upgraded", func(w http.ResponseWriter) {
			say(w, 400, `{"errors":["Upgrading from non-versioned to versioned data. This backend will be unavailable for a brief period and will resume service shortly."]}`)
		}, 3},
		{"refused", func(w http.ResponseWriter) { say(w, 400, `{"errors":["no"]}`) }, 1},
		{"forbidden", forbid, 1},
		{"unknown", func(w http.ResponseWriter) { say(w, 405, `{}`) }, 1},
		{"not made", func(w http.ResponseWriter) { say(w, 501, `{}`) }, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, func(w http.ResponseWriter, _ *http.Request, call seen) {
				if call.Path == "sys/health" {
					say(w, 200, `{"initialized":true,"sealed":false,"server_time_utc":1}`)
					return
				}
				test.answer(w)
			})
			// Use a new connection each time: net/http repeats a GET by itself when a
			// kept-alive connection breaks.
			c := client(t, f.URL, func(c *vault.Config) { c.Transport = &http.Transport{DisableKeepAlives: true} })
			_, err := c.List(t.Context(), "", "secret", "")
			if err == nil {
				t.Fatal("no error")
			}
			got := strings.Count(strings.Join(f.requests(), "\n"), "GET secret/metadata")
			if got != test.times {
				t.Errorf("sent %d times: %v", got, err)
			}
		})
	}
}

func TestReadSucceedsAfterAPause(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		headers map[string]string
		min     time.Duration
		max     time.Duration
	}{
		{"of our own", nil, 750 * time.Millisecond, time.Second},
		{"that Vault asked for", map[string]string{"Retry-After": "7"}, 7 * time.Second, 7 * time.Second},
		{"of none", map[string]string{"Retry-After": "0"}, 0, 0},
		{"that is absurd", map[string]string{"Retry-After": "86400"}, time.Minute, time.Minute},
		{"until a date by the server's own clock", map[string]string{
			"Retry-After": "Fri, 01 May 2026 12:00:09 GMT", "Date": "Fri, 01 May 2026 12:00:00 GMT",
		}, 9 * time.Second, 9 * time.Second},
		{"until a date that is past", map[string]string{
			"Retry-After": "Fri, 01 May 2026 11:00:00 GMT", "Date": "Fri, 01 May 2026 12:00:00 GMT",
		}, 0, 0},
		{"that cannot be read", map[string]string{"Retry-After": "soon"}, 750 * time.Millisecond, time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var count atomic.Int32
			f := newFake(t, func(w http.ResponseWriter, _ *http.Request, _ seen) {
				if count.Add(1) == 1 {
					for name, value := range test.headers {
						w.Header().Set(name, value)
					}
					say(w, 429, `{"errors":["rate limit quota exceeded"]}`)
					return
				}
				say(w, 200, listed)
			})
			pauses := &waits{}
			c := client(t, f.URL, func(c *vault.Config) { c.Sleep = pauses.sleep })
			if _, err := c.List(t.Context(), "", "secret", ""); err != nil {
				t.Fatal(err)
			}
			if got := pauses.all(); len(got) != 1 || got[0] < test.min || got[0] > test.max {
				t.Errorf("paused %v", got)
			}
		})
	}
}

func TestRetriesAsConfigured(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ retries, sent int }{{0, 3}, {-1, 1}, {5, 6}} {
		t.Run(fmt.Sprint(test.retries), func(t *testing.T) {
			t.Parallel()
			f := newFake(t, func(w http.ResponseWriter, _ *http.Request, _ seen) { say(w, 429, `{}`) })
			c := client(t, f.URL, func(c *vault.Config) { c.MaxRetries = test.retries })
			if _, err := c.List(t.Context(), "", "secret", ""); !vault.IsRateLimited(err) {
				t.Errorf("error %v", err)
			}
			if got := len(f.requests()); got != test.sent {
				t.Errorf("sent %d times", got)
			}
		})
	}
}

func TestWritesAreSentOnce(t *testing.T) {
	t.Parallel()
	writes := map[string]func(context.Context, *vault.Client) error{
		"publish": func(ctx context.Context, c *vault.Client) error {
			_, err := c.Publish(ctx, at("x"), 3, record("canary-s3cret", 3))
			return err
		},
		"purge": func(ctx context.Context, c *vault.Client) error { return c.Purge(ctx, at("x")) },
	}
	answers := map[string]func(w http.ResponseWriter){
		"the reply is lost":  cut,
		"a gateway's word":   func(w http.ResponseWriter) { say(w, 502, `<html>canary-s3cret</html>`) },
		"over the quota":     func(w http.ResponseWriter) { w.Header().Set("Retry-After", "0"); say(w, 429, `{}`) },
		"not yet replicated": func(w http.ResponseWriter) { say(w, 412, `{}`) },
		"versions that clash": func(w http.ResponseWriter) {
			say(w, 400, `{"errors":["check-and-set parameter did not match the current version"]}`)
		},
		"sent elsewhere": func(w http.ResponseWriter) {
			w.Header().Set("Location", "/v1/secret/data/y")
			say(w, 307, ``)
		},
	}
	for write, do := range writes {
		for answer, give := range answers {
			t.Run(write+", "+answer, func(t *testing.T) {
				t.Parallel()
				f := newFake(t, func(w http.ResponseWriter, _ *http.Request, call seen) {
					if call.Method == http.MethodGet {
						say(w, 200, listed)
						return
					}
					give(w)
				})
				c := client(t, f.URL, func(c *vault.Config) { c.MaxRetries = 9 })
				// Now a connection is open, which must not be used for the write: if it
				// were closed just now, net/http would send the request again.
				if _, err := c.List(t.Context(), "", "secret", ""); err != nil {
					t.Fatal(err)
				}
				err := do(t.Context(), c)
				if err == nil || strings.Contains(err.Error(), "canary") {
					t.Errorf("error %v", err)
				}
				if got := f.requests(); len(got) != 2 {
					t.Errorf("requests %v", got)
				}
			})
		}
	}
}

func TestPublishUsesAConnectionOfItsOwn(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	from := map[string]int{} // the number of requests on each connection
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		from[r.RemoteAddr]++
		mu.Unlock()
		say(w, 200, `{"data":{"version":1,"keys":["a"]}}`)
	}))
	t.Cleanup(server.Close)
	c := client(t, server.URL)
	for range 3 {
		if _, err := c.List(t.Context(), "", "secret", ""); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Publish(t.Context(), at("x"), 0, record("s", 0)); err != nil {
			t.Fatal(err)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if got := slices.Sorted(maps.Values(from)); !slices.Equal(got, []int{1, 1, 1, 3}) {
		t.Errorf("the connections carried %v requests, want three publications alone and the reads together", got)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	var reached atomic.Bool
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Store(true) }))
	t.Cleanup(elsewhere.Close)
	f := newFake(t, func(w http.ResponseWriter, r *http.Request, _ seen) {
		http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
	})
	_, err := client(t, f.URL).Metadata(t.Context(), at("x"))
	if vault.StatusOf(err) != 307 || !strings.Contains(err.Error(), "redirects are not followed") {
		t.Errorf("error %v", err)
	}
	if reached.Load() || len(f.requests()) != 1 {
		t.Errorf("the other host was asked: %v; requests %v", reached.Load(), f.requests())
	}
}

func TestSealedIsVaultsOwnWord(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, health string
		status       int
		want         bool
	}{
		{"sealed", `{"initialized":true,"sealed":true,"standby":true,"server_time_utc":1777636800}`, 200, true},
		{"only something in front of it is down", `{"initialized":true,"sealed":false,"server_time_utc":1777636800}`, 200, false},
		{"all is down", `<html>`, 503, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, func(w http.ResponseWriter, _ *http.Request, call seen) {
				if call.Path == "sys/health" {
					if call.Token != "" || call.Namespace != "" {
						t.Errorf("health was asked with token %q in namespace %q", call.Token, call.Namespace)
					}
					say(w, test.status, test.health)
					return
				}
				say(w, 503, `{"errors":["Vault is sealed"]}`)
			})
			c := client(t, f.URL, func(c *vault.Config) { c.Namespace = "team" })
			_, err := c.Publish(t.Context(), at("x"), 0, record("s", 0))
			if vault.IsSealed(err) != test.want || vault.StatusOf(err) != 503 {
				t.Errorf("sealed %v: %v", vault.IsSealed(err), err)
			}
			if diff := cmp.Diff([]string{"PUT secret/data/x", "GET sys/health"}, f.requests()); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
		})
	}
}

func TestServerTime(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		name, body string
		status     int
		sealed     bool
		bad        bool
	}{
		{name: "active", body: `{"initialized":true,"sealed":false,"server_time_utc":1777636800}`, status: 200},
		{name: "standby", body: `{"initialized":true,"sealed":false,"standby":true,"server_time_utc":1777636800}`, status: 200},
		{name: "sealed", body: `{"initialized":true,"sealed":true,"server_time_utc":1777636800}`, status: 200, sealed: true, bad: true},
		{name: "no Vault", body: `{}`, status: 200, bad: true},
		{name: "down", body: ``, status: 500, bad: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, func(w http.ResponseWriter, r *http.Request, call seen) {
				if call.Token != "" || r.URL.Query().Get("sealedcode") != "200" {
					t.Errorf("asked with token %q, query %q", call.Token, call.Query)
				}
				say(w, test.status, test.body)
			})
			c := client(t, f.URL, func(c *vault.Config) { c.MaxRetries = -1 })
			got, err := c.ServerTime(t.Context())
			if vault.IsSealed(err) != test.sealed || (err != nil) != test.bad || err == nil && !got.Equal(now) {
				t.Errorf("%v, %v", got, err)
			}
		})
	}
	t.Run("is asked once by each client", func(t *testing.T) {
		t.Parallel()
		f := newFake(t, func(w http.ResponseWriter, _ *http.Request, _ seen) {
			say(w, 200, `{"initialized":true,"server_time_utc":1777636800}`)
		})
		c := client(t, f.URL)
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() { _, _ = c.ServerTime(t.Context()) })
		}
		group.Wait()
		if got := len(f.requests()); got != 1 {
			t.Errorf("asked %d times", got)
		}
		if _, err := client(t, f.URL).ServerTime(t.Context()); err != nil || len(f.requests()) != 2 {
			t.Errorf("%v after %v", err, f.requests())
		}
	})
}

func TestErrorsAreVaultsWordsOnly(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, body string
		status     int
		want       string
	}{
		{"Vault's reasons", `{"errors":["one\n two","three"]}`, 400, "reading secret/metadata/ci/x in namespace team: Vault answered 400: one two; three"},
		{"no reasons", `{"errors":[]}`, 405, "reading secret/metadata/ci/x in namespace team: Vault answered 405"},
		{"a page of something else", `<html>canary</html>`, 418, "reading secret/metadata/ci/x in namespace team: Vault answered 418"},
		{"a success that is none", `{"data":"canary"}`, 200, "reading secret/metadata/ci/x in namespace team: Vault answered 200: the answer is not one of Vault's"},
		{"a success without data", `canary`, 200, "reading secret/metadata/ci/x in namespace team: Vault answered 200: the answer is not one of Vault's"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, func(w http.ResponseWriter, _ *http.Request, _ seen) { say(w, test.status, test.body) })
			_, err := client(t, f.URL, func(c *vault.Config) { c.Namespace = "team" }).Metadata(t.Context(), at("ci/x"))
			if err == nil || err.Error() != test.want {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
	t.Run("many long ones are cut", func(t *testing.T) {
		t.Parallel()
		f := newFake(t, func(w http.ResponseWriter, _ *http.Request, _ seen) {
			say(w, 400, `{"errors":[`+strings.Repeat(`"`+strings.Repeat("é", 1000)+`",`, 99)+`"end"]}`)
		})
		_, err := client(t, f.URL).Metadata(t.Context(), at("x"))
		if length := len([]rune(err.Error())); length > 2000 {
			t.Errorf("%d characters", length)
		}
	})
	t.Run("what repeats a secret is cut out", func(t *testing.T) {
		t.Parallel()
		const token, value = "hvs.CAESIJq8vP0xWrt", `pstk_sbx_0123456789+/="<`
		f := newFake(t, func(w http.ResponseWriter, _ *http.Request, call seen) {
			text, _ := json.Marshal(map[string][]string{"errors": {"no " + call.Token + " for", call.Body}})
			say(w, 403, string(text))
		})
		c := client(t, f.URL, func(c *vault.Config) { c.Login.Token = hidden(token) })
		_, err := c.Publish(t.Context(), at("ci/x"), 0, record(value, 0))
		if !vault.IsForbidden(err) || !strings.Contains(err.Error(), "no [redacted]") {
			t.Fatal(err)
		}
		for _, part := range []string{token[4:13], value[9:18]} {
			if strings.Contains(err.Error(), part) {
				t.Errorf("a secret is in: %v", err)
			}
		}
	})
}

func TestACallEndsInTime(t *testing.T) {
	t.Parallel()
	stuck := make(chan struct{})
	f := newFake(t, func(_ http.ResponseWriter, r *http.Request, _ seen) {
		select {
		case <-r.Context().Done():
		case <-stuck:
		}
	})
	t.Cleanup(func() { close(stuck) })
	c := client(t, f.URL, func(c *vault.Config) { c.Timeout = 100 * time.Millisecond })
	_, err := c.Publish(t.Context(), at("x"), 0, record("s", 0))
	if !errors.Is(err, context.DeadlineExceeded) || len(f.requests()) > 1 {
		t.Errorf("%v after %v", err, f.requests())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.List(ctx, "", "secret", ""); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}
