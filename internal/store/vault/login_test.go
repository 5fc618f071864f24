package vault_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/vault"
)

func hidden(value string) secret.Secret { return secret.New(value) }

// write creates a file with a secret in it.
func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLoginMethods(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name       string
		login      vault.Login
		path, body string // "" if no login is needed
		token      string
	}{
		{name: "token", login: vault.Login{Method: "token", Token: hidden("mine")}, token: "mine"},
		{name: "token file", login: vault.Login{Method: "token_file", File: write(t, "mine\n")}, token: "mine"},
		{
			name:  "approle",
			login: vault.Login{Method: "approle", RoleID: "r", SecretID: hidden("s")},
			path:  "auth/approle/login", body: `{"role_id":"r","secret_id":"s"}`, token: "given",
		},
		{
			name:  "approle without a secret id, mounted elsewhere",
			login: vault.Login{Method: "approle", Mount: "/ci/roles/", RoleID: "r"},
			path:  "auth/ci/roles/login", body: `{"role_id":"r"}`, token: "given",
		},
		{
			name:  "jwt",
			login: vault.Login{Method: "jwt", Role: "ci", JWT: hidden("h.p.s")},
			path:  "auth/jwt/login", body: `{"role":"ci","jwt":"h.p.s"}`, token: "given",
		},
		{
			name: "jwt made for this login",
			login: vault.Login{Method: "jwt", Mount: "github", Role: "ci", JWTSource: func(context.Context) (secret.Secret, error) {
				return hidden("fresh"), nil
			}},
			path: "auth/github/login", body: `{"role":"ci","jwt":"fresh"}`, token: "given",
		},
		{
			name:  "jwt with the mount's own role",
			login: vault.Login{Method: "jwt", File: write(t, "h.p.s")},
			path:  "auth/jwt/login", body: `{"jwt":"h.p.s"}`, token: "given",
		},
		{
			name:  "kubernetes",
			login: vault.Login{Method: "kubernetes", Role: "ci", File: write(t, "h.p.s\n")},
			path:  "auth/kubernetes/login", body: `{"role":"ci","jwt":"h.p.s"}`, token: "given",
		},
		{
			name:  "userpass",
			login: vault.Login{Method: "userpass", Username: "ann", Password: hidden("pw")},
			path:  "auth/userpass/login/ann", body: `{"password":"pw"}`, token: "given",
		},
		{
			name:  "generic",
			login: vault.Login{Method: "generic", Path: "/auth/ldap/login/ann", Parameters: map[string]secret.Secret{"password": hidden("pw")}},
			path:  "auth/ldap/login/ann", body: `{"password":"pw"}`, token: "given",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, func(w http.ResponseWriter, _ *http.Request, call seen) {
				if strings.HasPrefix(call.Path, "auth/") {
					say(w, 200, `{"auth":{"client_token":"given","lease_duration":3600}}`)
					return
				}
				say(w, 200, `{"data":{"keys":["a"]}}`)
			})
			c := client(t, f.URL, func(c *vault.Config) { c.Login = test.login })
			for range 2 {
				if _, err := c.List(t.Context(), "", "secret", ""); err != nil {
					t.Fatal(err)
				}
			}
			want := []string{"GET secret/metadata", "GET secret/metadata"}
			if test.path != "" {
				want = append([]string{"POST " + test.path}, want...)
				login := f.calls[0]
				if diff := cmp.Diff(fromJSON(t, test.body), fromJSON(t, login.Body)); diff != "" {
					t.Errorf("login (-want +got):\n%s", diff)
				}
				if login.Token != "" {
					t.Error("the login carried a token")
				}
			}
			if diff := cmp.Diff(want, f.requests()); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
			if got := f.last(t).Token; got != test.token {
				t.Errorf("token %q, want %q", got, test.token)
			}
		})
	}
}

func TestLoginNamespace(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name               string
		config, auth, own  string
		wantLogin, wantUse string
	}{
		{name: "none"},
		{name: "one for all", config: "team/", wantLogin: "team", wantUse: "team"},
		{name: "another to log in", config: "team", auth: "admin", wantLogin: "admin", wantUse: "team"},
		{name: "the login's own", config: "team", auth: "admin", own: "ci", wantLogin: "ci", wantUse: "team"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, func(w http.ResponseWriter, _ *http.Request, _ seen) {
				say(w, 200, `{"auth":{"client_token":"given"},"data":{}}`)
			})
			c := client(t, f.URL, func(c *vault.Config) {
				c.Namespace, c.AuthNamespace = test.config, test.auth
				c.Login = vault.Login{Method: "approle", RoleID: "r", Namespace: test.own}
			})
			if _, err := c.Metadata(t.Context(), at("x")); err != nil {
				t.Fatal(err)
			}
			if got := f.calls[0].Namespace; got != test.wantLogin {
				t.Errorf("logged in to namespace %q, want %q", got, test.wantLogin)
			}
			if got := f.last(t).Namespace; got != test.wantUse {
				t.Errorf("worked in namespace %q, want %q", got, test.wantUse)
			}
			elsewhere := at("x")
			elsewhere.Namespace = "other"
			if _, err := c.Metadata(t.Context(), elsewhere); err != nil || f.last(t).Namespace != "other" {
				t.Errorf("a location's own namespace became %q, %v", f.last(t).Namespace, err)
			}
		})
	}
}

func TestLoginFailures(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		status  int
		body    string
		refused bool // the error is a LoginError
		want    string
	}{
		{"wrong credentials", 400, `{"errors":["invalid role or secret ID"]}`, true, "approle at auth/approle: calling auth/approle/login: Vault answered 400: invalid role or secret ID"},
		{"not allowed", 403, `{"errors":["permission denied"]}`, true, "permission denied"},
		{"no such method", 404, `{"errors":["no handler for route"]}`, true, "no handler for route"},
		{"a second factor", 200, `{"auth":{"mfa_requirement":{"mfa_request_id":"1"}}}`, true, "second factor"},
		{"an answer that is none", 200, `s3cret`, true, "holds no token"},
		{"a token that is none", 200, `{"auth":{"client_token":"a\nb"}}`, true, "holds no token"},
		{"busy", 429, `{"errors":["request path \"auth/approle/login\": rate limit quota exceeded"]}`, false, "429"},
		{"down", 502, `<html>s3cret</html>`, false, "502"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, func(w http.ResponseWriter, _ *http.Request, _ seen) { say(w, test.status, test.body) })
			_, err := loggingIn(t, f).Publish(t.Context(), at("x"), 0, record("s3cret-token", 0))
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("error %v", err)
			}
			if vault.IsUnauthenticated(err) != test.refused || vault.IsForbidden(err) {
				t.Errorf("taken for a refused login: %v, for a missing right: %v", vault.IsUnauthenticated(err), vault.IsForbidden(err))
			}
			for _, request := range f.requests() {
				if request != "POST auth/approle/login" {
					t.Errorf("made %s without a token", request)
				}
			}
		})
	}
}

func TestLoginThatLacksSomething(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		login vault.Login
	}{
		{"nothing at all", vault.Login{}},
		{"a method that is none", vault.Login{Method: "magic"}},
		{"an empty token", vault.Login{Method: "token"}},
		{"a token with a line break", vault.Login{Method: "token", Token: hidden("s3cret\nX-Evil: 1")}},
		{"no file", vault.Login{Method: "token_file"}},
		{"no role id", vault.Login{Method: "approle", SecretID: hidden("s3cret")}},
		{"no jwt", vault.Login{Method: "jwt", Role: "r"}},
		{"no role", vault.Login{Method: "kubernetes", JWT: hidden("s3cret")}},
		{"no password", vault.Login{Method: "userpass", Username: "ann"}},
		{"no path", vault.Login{Method: "generic", Path: "/"}},
		{"a path that leads elsewhere", vault.Login{Method: "userpass", Username: "../../sys/seal", Password: hidden("s3cret")}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := vault.New(vault.Config{Address: "https://vault.example.com", Login: test.login})
			if !vault.IsUnauthenticated(err) || strings.Contains(fmt.Sprint(err), "s3cret") {
				t.Errorf("error %v", err)
			}
		})
	}
	t.Run("a file that is not there, known at the first call", func(t *testing.T) {
		t.Parallel()
		c := client(t, "http://127.0.0.1:1", func(c *vault.Config) {
			c.Login = vault.Login{Method: "token_file", File: filepath.Join(t.TempDir(), "none")}
		})
		if _, err := c.Metadata(t.Context(), at("x")); !vault.IsUnauthenticated(err) || !errors.Is(err, os.ErrNotExist) {
			t.Errorf("error %v", err)
		}
	})
}
