package vault_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/vault"
)

// A consumer can read a manually written entry as well as a record. If its field does not
// exist, it gets the names of the fields.
func fieldStory(t *testing.T, s server) {
	c := s.client(t)
	read := func(path, key string) entry.Field {
		t.Helper()
		where := at(path)
		where.Key = key
		got, err := c.ReadField(t.Context(), where)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := read("field/none", "token"); got.Condition != entry.Absent || !got.Secret.IsZero() {
		t.Errorf("nothing there: %+v", got)
	}
	s.ask(t, http.MethodPost, "secret/data/field/hand", map[string]any{"data": map[string]any{"broker": "by-hand", "port": 7}})
	if got := read("field/hand", "broker"); got.Secret != hidden("by-hand") || got.Revision != "1" || got.Record != nil {
		t.Errorf("written by hand: %+v", got)
	}
	for _, key := range []string{"port", "token"} {
		got := read("field/hand", key)
		if diff := cmp.Diff([]string{"broker", "port"}, got.Names); diff != "" || !got.Secret.IsZero() {
			t.Errorf("%s: %+v %s", key, got, diff)
		}
	}
	mustPublish(t, c, at("field/record"), 0, "of-a-record")
	if got := read("field/record", "another"); got.Secret != hidden("of-a-record") || got.Record == nil || got.Record.TokenID == "" {
		t.Errorf("a record: %+v", got)
	}
}

func TestRetryIn(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		status int
		after  string
		again  bool
		pause  time.Duration
	}{
		{"a quota with a pause", 429, "7", true, 7 * time.Second},
		{"a pause longer than a minute", 503, "3600", true, time.Minute},
		{"no pause", 502, "", true, 0},
		{"too early", 425, "", true, 0},
		{"timed out", 408, "", true, 0},
		{"not yet replicated", 412, "", true, 0},
		{"refused", 403, "", false, 0},
		{"wrong", 400, "7", false, 0},
		{"not implemented", 501, "", false, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, func(w http.ResponseWriter, _ *http.Request, _ seen) {
				w.Header().Set("Retry-After", test.after)
				say(w, test.status, `{"errors":[]}`)
			})
			c := client(t, f.URL, func(c *vault.Config) { c.MaxRetries = -1 })
			_, err := c.ReadField(t.Context(), at("ci/paistrike"))
			if pause, again := vault.RetryIn(err); again != test.again || pause != test.pause {
				t.Errorf("again %v in %s: %v", again, pause, err)
			}
		})
	}
	refused := &vault.LoginError{Method: vault.MethodJWT, Err: errors.New("no JWT")}
	if _, again := vault.RetryIn(refused); again {
		t.Error("a refused login is tried again")
	}
}

// Each login requests a new JWT, even if the previous login failed.
func TestEveryLoginHasItsOwnJWT(t *testing.T) {
	t.Parallel()
	logins := 0
	f := newFake(t, func(w http.ResponseWriter, _ *http.Request, call seen) {
		switch {
		case call.Path != "auth/jwt/login":
			say(w, 200, `{"data":{"data":{"token":"x"},"metadata":{"version":1}}}`)
		case logins == 1:
			say(w, 503, `{"errors":[]}`)
		default:
			say(w, 200, `{"auth":{"client_token":"hvs.x"}}`)
		}
	})
	c := client(t, f.URL, func(c *vault.Config) {
		c.MaxRetries = -1
		c.Login = vault.Login{Method: vault.MethodJWT, Role: "ci", JWTSource: func(context.Context) (secret.Secret, error) {
			logins++
			return hidden("jwt"), nil
		}}
	})
	if _, err := c.ReadField(t.Context(), at("ci/paistrike")); err == nil {
		t.Fatal("the first login should fail")
	}
	if _, err := c.ReadField(t.Context(), at("ci/paistrike")); err != nil || logins != 2 {
		t.Errorf("%v after %d logins", err, logins)
	}
}
