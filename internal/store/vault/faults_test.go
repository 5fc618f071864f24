package vault_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/vault"
	"github.com/paistrike/terraform-provider-paistrike/internal/testparts"
)

// TestPublishGoesWrong shows what a caller can find out after each kind of failure of the
// only attempt, by reading the next version.
func TestPublishGoesWrong(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		fault  testparts.Fault
		status int
		landed bool
	}{
		{"lost on the way there", testparts.Fault{Lose: "request"}, 0, false},
		{"lost on the way back", testparts.Fault{Lose: "response"}, 0, true},
		{"refused by something in front", testparts.Fault{Status: 502}, 502, false},
		{"done, and spoilt by something in front", testparts.Fault{Status: 502, After: true}, 502, true},
		{"over the quota", testparts.Fault{Status: 429, Headers: map[string]string{"Retry-After": "1"}}, 429, false},
		{"done, with an answer that is none", testparts.Fault{Body: "<html>"}, 200, true},
		{"done, with the answer of someone else", testparts.Fault{Body: "{}"}, 200, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			address, token := testparts.KV(t)
			c := server{address, token}.client(t)
			mustPublish(t, c, at("x"), 0, "first")
			testparts.ForgetJournal(t, address)
			test.fault.Method, test.fault.Path = http.MethodPut, "secret/data/*"
			testparts.Inject(t, address, test.fault)

			_, err := c.Publish(t.Context(), at("x"), 1, record("second", 1))
			if err == nil || vault.StatusOf(err) != test.status {
				t.Errorf("error %v", err)
			}
			if calls := testparts.Journal(t, address); len(calls) != 1 {
				t.Errorf("requests %+v", calls)
			}
			e := mustRead(t, c, at("x"), 2)
			if landed := e.Condition == entry.Live; landed != test.landed {
				t.Errorf("written: %v, want %v", landed, test.landed)
			}
		})
	}
}

func TestPublishLandsLate(t *testing.T) {
	t.Parallel()
	address, token := testparts.KV(t)
	c := server{address, token}.client(t)
	testparts.Inject(t, address, testparts.Fault{Method: http.MethodPut, Path: "secret/data/x", Hold: true, Lose: "response"})
	if _, err := c.Publish(t.Context(), at("x"), 0, record("late", 0)); err == nil {
		t.Fatal("no error")
	}
	if e := mustRead(t, c, at("x"), 1); e.Condition != entry.Absent {
		t.Errorf("already there: %+v", e)
	}
	testparts.Release(t, address)
	for { // the write is under way, and nothing signals its end
		if e := mustRead(t, c, at("x"), 1); e.Condition == entry.Live {
			break
		}
	}
	if _, err := c.Publish(t.Context(), at("x"), 0, record("second", 0)); vault.StatusOf(err) != http.StatusBadRequest {
		t.Errorf("another write from the same base: %v", err)
	}
}

func TestOneOfManyPublishes(t *testing.T) {
	t.Parallel()
	address, token := testparts.KV(t)
	c := server{address, token}.client(t)
	const rounds, writers = 5, 16
	for cas := range rounds {
		var mu sync.Mutex
		won := 0
		var group sync.WaitGroup
		for range writers {
			group.Go(func() {
				_, err := c.Publish(t.Context(), at("race"), cas, record("s", cas))
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					won++
				} else if vault.StatusOf(err) != http.StatusBadRequest {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if won != 1 {
			t.Errorf("round %d: %d won", cas, won)
		}
	}
}

func TestEngineServerFollowsAClock(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	now := "2026-05-01T12:00:00Z"
	clock := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		say(w, 200, `{"now":"`+now+`","mode":"still"}`)
	}))
	t.Cleanup(clock.Close)
	address, token := testparts.KV(t, testparts.WithClock(clock.URL))
	c := server{address, token}.client(t)
	if got, err := c.ServerTime(t.Context()); err != nil || got.Format(time.RFC3339) != "2026-05-01T12:00:00Z" {
		t.Errorf("%v, %v", got, err)
	}
	mu.Lock()
	now = "2026-08-01T12:00:00Z"
	mu.Unlock()
	if got, err := (server{address, token}).client(t).ServerTime(t.Context()); err != nil || got.Format(time.RFC3339) != "2026-08-01T12:00:00Z" {
		t.Errorf("%v, %v", got, err)
	}
}

func TestEngineServerPolicies(t *testing.T) {
	t.Parallel()
	address, _ := testparts.KV(t, testparts.WithToken("rotator", "secret/data/ci/*:create,update,read;secret/metadata/ci/*:read,patch"))
	c := server{address, "rotator"}.client(t)
	mustPublish(t, c, at("ci/x"), 0, "s")
	got, err := c.Capabilities(t.Context(), "", "secret/data/ci/x", "secret/data/y")
	want := map[string][]string{"secret/data/ci/x": {"create", "read", "update"}, "secret/data/y": {"deny"}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if m, err := c.Mount(t.Context(), "", "secret"); err != nil || m.KVVersion != 2 {
		t.Errorf("%+v, %v", m, err)
	}
	if err := c.Purge(t.Context(), at("ci/x")); !vault.IsForbidden(err) {
		t.Errorf("purging: %v", err)
	}
	if _, err := c.Publish(t.Context(), at("y"), 0, record("s", 0)); !vault.IsForbidden(err) {
		t.Errorf("writing elsewhere: %v", err)
	}
}

func TestNamespacesAreApart(t *testing.T) {
	t.Parallel()
	address, token := testparts.KV(t, testparts.WithMount("secret"), testparts.WithKV1("legacy"))
	c := server{address, token}.client(t)
	here, there := at("x"), at("x")
	there.Namespace = "team/blue"
	mustPublish(t, c, here, 0, "here")
	mustPublish(t, c, there, 0, "there")
	if e := mustRead(t, c, there, 0); e.Record.Secret.Reveal() != "there" {
		t.Error("the namespaces share an entry")
	}
	a, err := c.Mount(t.Context(), "", "secret")
	if err != nil {
		t.Fatal(err)
	}
	b, err := c.Mount(t.Context(), "team/blue", "secret")
	if err != nil || a.UUID == b.UUID {
		t.Errorf("%+v and %+v, %v", a, b, err)
	}
	if legacy, err := c.Mount(t.Context(), "team/blue", "legacy"); err != nil || legacy.KVVersion != 1 {
		t.Errorf("%+v, %v", legacy, err)
	}
	spaces := []string{}
	for _, call := range testparts.Journal(t, address) {
		spaces = append(spaces, call.Namespace)
	}
	if !slices.Contains(spaces, "team/blue") || !slices.Contains(spaces, "") {
		t.Errorf("namespaces asked: %v", spaces)
	}
}

func TestSealedServers(t *testing.T) {
	t.Parallel()
	for name, start := range servers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			c := s.client(t)
			mustPublish(t, c, at("x"), 0, "s")
			s.ask(t, http.MethodPut, "sys/seal", nil)
			if _, err := c.ServerTime(t.Context()); !vault.IsSealed(err) {
				t.Errorf("the clock: %v", err)
			}
			if _, err := c.Read(t.Context(), at("x"), 0); !vault.IsSealed(err) {
				t.Errorf("a read: %v", err)
			}
			if _, err := c.Publish(t.Context(), at("x"), 1, record("s", 1)); !vault.IsSealed(err) {
				t.Errorf("a write: %v", err)
			}
		})
	}
}
