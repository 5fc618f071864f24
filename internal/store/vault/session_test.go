package vault_test

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/paistrike/terraform-provider-paistrike/internal/store/vault"
)

// tokens is a Vault that issues the tokens 1, 2, 3 and accepts only the one in accept.
type tokens struct {
	given  atomic.Int32
	accept atomic.Value
}

func (v *tokens) serve(w http.ResponseWriter, _ *http.Request, call seen) {
	switch {
	case strings.HasSuffix(call.Path, "/login"):
		say(w, 200, fmt.Sprintf(`{"auth":{"client_token":"%d"}}`, v.given.Add(1)))
	case call.Path == "auth/token/revoke-self":
		w.WriteHeader(http.StatusNoContent)
	case call.Token != v.accept.Load():
		forbid(w)
	default:
		say(w, 200, `{"data":{"keys":["a"],"version":1,"current_version":1}}`)
	}
}

func loggingIn(t *testing.T, f *fake) *vault.Client {
	t.Helper()
	return client(t, f.URL, func(c *vault.Config) {
		c.Login = vault.Login{Method: "approle", RoleID: "r", SecretID: hidden("s3cret")}
	})
}

func TestExpiredTokenIsReplacedOnce(t *testing.T) {
	t.Parallel()
	t.Run("a read", func(t *testing.T) {
		t.Parallel()
		v := &tokens{}
		v.accept.Store("2")
		f := newFake(t, v.serve)
		if _, err := loggingIn(t, f).List(t.Context(), "", "secret", ""); err != nil {
			t.Fatal(err)
		}
		want := []string{"POST auth/approle/login", "GET secret/metadata", "POST auth/approle/login", "GET secret/metadata"}
		if diff := cmp.Diff(want, f.requests()); diff != "" {
			t.Errorf("requests (-want +got):\n%s", diff)
		}
	})
	t.Run("a write, because a 403 means that nothing was written", func(t *testing.T) {
		t.Parallel()
		v := &tokens{}
		v.accept.Store("2")
		f := newFake(t, v.serve)
		if _, err := loggingIn(t, f).Publish(t.Context(), at("x"), 0, record("s", 0)); err != nil {
			t.Fatal(err)
		}
		want := []string{"POST auth/approle/login", "PUT secret/data/x", "POST auth/approle/login", "PUT secret/data/x"}
		if diff := cmp.Diff(want, f.requests()); diff != "" {
			t.Errorf("requests (-want +got):\n%s", diff)
		}
	})
	t.Run("a right that is missing stays missing", func(t *testing.T) {
		t.Parallel()
		v := &tokens{}
		v.accept.Store("none")
		f := newFake(t, v.serve)
		_, err := loggingIn(t, f).Publish(t.Context(), at("x"), 0, record("s", 0))
		if !vault.IsForbidden(err) || vault.IsUnauthenticated(err) {
			t.Errorf("error %v", err)
		}
		if n := len(f.requests()); n != 4 {
			t.Errorf("%d requests: %v", n, f.requests())
		}
	})
	t.Run("a token of the user's is the only one there is", func(t *testing.T) {
		t.Parallel()
		f := newFake(t, func(w http.ResponseWriter, _ *http.Request, _ seen) { forbid(w) })
		_, err := client(t, f.URL).Metadata(t.Context(), at("x"))
		if !vault.IsForbidden(err) || len(f.requests()) != 1 {
			t.Errorf("%v after %v", err, f.requests())
		}
	})
	t.Run("a token file is read again", func(t *testing.T) {
		t.Parallel()
		file := write(t, "old")
		f := newFake(t, func(w http.ResponseWriter, _ *http.Request, call seen) {
			if call.Token != "new" {
				_ = os.WriteFile(file, []byte("new"), 0o600) // as Vault Agent does
				forbid(w)
				return
			}
			say(w, 200, `{"data":{"keys":["a"]}}`)
		})
		c := client(t, f.URL, func(c *vault.Config) { c.Login = vault.Login{Method: "token_file", File: file} })
		if _, err := c.List(t.Context(), "", "secret", ""); err != nil || len(f.requests()) != 2 {
			t.Errorf("%v after %v", err, f.requests())
		}
	})
	t.Run("when no new login succeeds, both errors are reported", func(t *testing.T) {
		t.Parallel()
		var logins atomic.Int32
		f := newFake(t, func(w http.ResponseWriter, _ *http.Request, call seen) {
			if strings.HasSuffix(call.Path, "/login") && logins.Add(1) == 1 {
				say(w, 200, `{"auth":{"client_token":"1"}}`)
				return
			}
			forbid(w)
		})
		_, err := loggingIn(t, f).Metadata(t.Context(), at("x"))
		if !vault.IsForbidden(err) || !vault.IsUnauthenticated(err) {
			t.Errorf("error %v", err)
		}
	})
}

func TestManyCallersShareOneLogin(t *testing.T) {
	t.Parallel()
	v := &tokens{}
	v.accept.Store("2")
	f := newFake(t, v.serve)
	c := loggingIn(t, f)
	var group sync.WaitGroup
	for range 32 {
		group.Go(func() {
			if _, err := c.List(t.Context(), "", "secret", ""); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	// One at the start, and one after the first token was not accepted.
	if n := v.given.Load(); n != 2 {
		t.Errorf("%d logins", n)
	}
}

func TestRevokeToken(t *testing.T) {
	t.Parallel()
	t.Run("of a login", func(t *testing.T) {
		t.Parallel()
		v := &tokens{}
		v.accept.Store("1")
		f := newFake(t, v.serve)
		c := loggingIn(t, f)
		if _, err := c.List(t.Context(), "", "secret", ""); err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second has nothing left to do
			if err := c.RevokeToken(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		want := []string{"POST auth/approle/login", "GET secret/metadata", "POST auth/token/revoke-self"}
		if diff := cmp.Diff(want, f.requests()); diff != "" {
			t.Errorf("requests (-want +got):\n%s", diff)
		}
		if got := f.last(t).Token; got != "1" {
			t.Errorf("revoked %q", got)
		}
	})
	t.Run("before any login", func(t *testing.T) {
		t.Parallel()
		f := newFake(t, new(tokens).serve)
		if err := loggingIn(t, f).RevokeToken(t.Context()); err != nil || len(f.requests()) != 0 {
			t.Errorf("%v after %v", err, f.requests())
		}
	})
	t.Run("of the user's own", func(t *testing.T) {
		t.Parallel()
		f := newFake(t, new(tokens).serve)
		if err := client(t, f.URL).RevokeToken(t.Context()); err != nil || len(f.requests()) != 0 {
			t.Errorf("%v after %v", err, f.requests())
		}
	})
}
