package vault_test

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/store/vault"
)

// standby contains the two responses of a server that knows no active one. It did nothing.
var standby = map[string]func(w http.ResponseWriter, call seen){
	"sends the client to the old leader": func(w http.ResponseWriter, call seen) {
		w.Header().Set("Location", "https://old-leader.invalid:8200/v1/"+call.Path)
		w.WriteHeader(http.StatusTemporaryRedirect)
	},
	"knows of no leader": func(w http.ResponseWriter, _ seen) {
		say(w, 500, `{"errors":["local node not active but active cluster node not found"]}`)
	},
}

// calls contains a read and every kind of write.
var calls = map[string]func(context.Context, *vault.Client) error{
	"read": func(ctx context.Context, c *vault.Client) error { _, err := c.Read(ctx, at("x"), 0); return err },
	"publish": func(ctx context.Context, c *vault.Client) error {
		_, err := c.Publish(ctx, at("x"), 0, record("s", 0))
		return err
	},
	"patch": func(ctx context.Context, c *vault.Client) error {
		return c.Patch(ctx, at("x"), map[string]string{"a": "b"})
	},
	"purge": func(ctx context.Context, c *vault.Client) error { return c.Purge(ctx, at("x")) },
}

// While the cluster has no active server, every call waits for one at the same address,
// for the duration of a failover.
func TestCallsWaitForAFailover(t *testing.T) {
	t.Parallel()
	for answer, give := range standby {
		for call, do := range calls {
			t.Run(call+" "+answer, func(t *testing.T) {
				t.Parallel()
				var passive atomic.Int32
				f := newFake(t, func(w http.ResponseWriter, _ *http.Request, call seen) {
					if passive.Add(-1) >= 0 {
						give(w, call)
						return
					}
					say(w, 200, `{"data":{"version":1,"metadata":{"version":1},"data":{}}}`)
				})
				pauses := &waits{}
				c := client(t, f.URL, func(c *vault.Config) { c.Sleep, c.MaxRetries = pauses.sleep, -1 })
				passive.Store(20)
				if err := do(t.Context(), c); err != nil {
					t.Fatal(err)
				}
				if got := len(f.requests()); got != 21 {
					t.Errorf("sent %d times", got)
				}
				passive.Store(1000)
				err := do(t.Context(), c)
				if err == nil || !strings.Contains(err.Error(), "no server of the cluster has become active") {
					t.Errorf("error %v", err)
				}
				if _, again := vault.RetryIn(err); !again {
					t.Error("it is not worth another attempt later")
				}
				total := time.Duration(0)
				for _, pause := range pauses.all()[20:] {
					total += pause
				}
				if total != 30*time.Second {
					t.Errorf("waited for %v", total)
				}
			})
		}
	}
}

// The error names the cluster, not a redirect.
func TestFailoverThatDoesNotEnd(t *testing.T) {
	t.Parallel()
	for name, give := range standby {
		f := newFake(t, func(w http.ResponseWriter, _ *http.Request, call seen) { give(w, call) })
		_, err := vault.NewStore(client(t, f.URL)).Look(t.Context(), at("x"))
		if failure := failureOf(t, err); failure.Code != "PS301" || failure.Summary != "Vault has no active server" {
			t.Errorf("%s: %+v", name, failure)
		}
	}
}

// A redirect to anything else is not a failover, and the call fails.
func TestOtherRedirectsAreFinal(t *testing.T) {
	t.Parallel()
	for _, location := range []string{"https://login.example.com/", "https://vault.example.com/v1/secret/data/other", ""} {
		f := newFake(t, func(w http.ResponseWriter, _ *http.Request, _ seen) {
			w.Header().Set("Location", location)
			w.WriteHeader(http.StatusTemporaryRedirect)
		})
		err := calls["read"](t.Context(), client(t, f.URL))
		if vault.StatusOf(err) != 307 || !strings.Contains(err.Error(), "redirects are not followed") || len(f.requests()) != 1 {
			t.Errorf("to %q: %v after %v", location, err, f.requests())
		}
	}
}

// A patch can be repeated, so a lost response does not end it.
func TestPatchIsRepeated(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(w http.ResponseWriter){
		"the reply is lost": cut,
		"a gateway's word":  func(w http.ResponseWriter) { say(w, 502, `<html>`) },
		"over the quota":    func(w http.ResponseWriter) { say(w, 429, `{}`) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var bad atomic.Int32
			bad.Store(2)
			f := newFake(t, func(w http.ResponseWriter, _ *http.Request, _ seen) {
				if bad.Add(-1) >= 0 {
					spoil(w)
					return
				}
				w.WriteHeader(http.StatusNoContent)
			})
			if err := calls["patch"](t.Context(), client(t, f.URL)); err != nil {
				t.Error(err)
			}
			for _, call := range f.calls {
				if call.Method != http.MethodPatch || call.Body != `{"custom_metadata":{"a":"b"}}` {
					t.Errorf("request %+v", call)
				}
			}
			if got := len(f.requests()); got != 3 {
				t.Errorf("sent %d times", got)
			}
		})
	}
}
