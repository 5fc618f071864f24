package e2e_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"github.com/paistrike/terraform-provider-paistrike/internal/testparts"
)

// answers returns a handler that replaces the response to a successful create.
func answers(status int, contentType, body string) func(http.ResponseWriter, *http.Request, string) bool {
	return func(w http.ResponseWriter, r *http.Request, secret string) bool {
		if r.Method != http.MethodPost {
			return false
		}
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		fmt.Fprintf(w, body, secret) //nolint:gosec // a server that misbehaves
		return true
	}
}

// echoes answers every list request with an error that repeats the bearer token.
func echoes(w http.ResponseWriter, r *http.Request, bearer string) bool {
	if r.Method != http.MethodGet {
		return false
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusUnauthorized)
	const page = `{"error":{"code":"bad_token","message":"the token %s is not known, nor is %.20s"}}`
	fmt.Fprintf(w, page, strings.ReplaceAll(bearer, marks, ""), bearer) //nolint:gosec // a server that misbehaves
	return true
}

// repeatingVault returns a proxy for Vault that answers writes of data with an error that
// repeats the request, including the token.
func repeatingVault(t *testing.T, vault string, status int, page func(sent string) string) string {
	t.Helper()
	target, err := url.Parse(vault)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPut || !strings.Contains(r.URL.Path, "/data/") {
			proxy.ServeHTTP(w, r)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		w.WriteHeader(status)
		fmt.Fprint(w, page(r.Header.Get("X-Vault-Token")+" sent "+string(body)))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// inErrors formats an error as Vault does.
func inErrors(sent string) string {
	text, err := json.Marshal(map[string][]string{"errors": {"not allowed: " + sent, sent[len(sent)/3:]}})
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// A failed run reports the reason without a secret, whatever the servers return.
func TestNoSecretInWhatFailuresSay(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		// Each case sets exactly one of these.
		paistrike func(http.ResponseWriter, *http.Request, string) bool
		vault     func(t *testing.T, vault string) string
		engine    testparts.Fault
		want      string // code of the error
	}{
		{name: "create answered 500, secret in the JSON", want: "PS110",
			paistrike: answers(500, "application/json", `{"error":"cannot store","token":"%[1]s","message":"token %[1]s was not stored"}`)},
		{name: "create answered 502, secret in an HTML page", want: "PS110",
			paistrike: answers(502, "text/html", "<html><head><title>Bad gateway %[1]s</title></head><body><pre>token=%[1]s</pre></body></html>")},
		{name: "create answered 200, secret in an HTML page", want: "PS109",
			paistrike: answers(200, "text/html", "<html><body>Your new token: <b>%s</b></body></html>")},
		{name: "create answered 201, JSON cut off", want: "PS109",
			paistrike: answers(201, "application/json", `{"id":"tok_1","name":"x","token":"%s`)},
		{name: "management token refused and repeated", want: "PS101", paistrike: echoes},
		{name: "publication refused", want: "PS210",
			engine: testparts.Fault{Method: "PUT", Path: "secret/data/**", Status: 403, Count: -1}},
		{name: "publication refused, and repeated by Vault", want: "PS210",
			vault: func(t *testing.T, vault string) string {
				return repeatingVault(t, vault, 403, inErrors)
			}},
		{name: "publication answered 400, and repeated by a proxy", want: "PS205",
			vault: func(t *testing.T, vault string) string {
				return repeatingVault(t, vault, 400, inErrors)
			}},
		{name: "publication answered with an HTML page that repeats it", want: "PS205",
			vault: func(t *testing.T, vault string) string {
				return repeatingVault(t, vault, 502, func(sent string) string { return "<html><title>" + sent + "</title></html>" })
			}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			eachCLI(t, func(t *testing.T, program string) {
				w := newCanary(t, program)
				w.front.misanswer = c.paistrike
				if c.vault != nil {
					w.tf.Setenv("VAULT_ADDR=" + c.vault(t, w.vault))
				}
				if c.engine.Status != 0 {
					testparts.Inject(t, w.vault, c.engine)
				}
				out, err := w.tf.Apply(t.Context())
				if err == nil {
					t.Fatal("the apply should fail")
				}
				w.look(t, "apply", out)
				if !strings.Contains(out.Stderr, c.want+":") {
					t.Errorf("want %s, got:\n%s", c.want, out.Stderr)
				}
				if minted := len(w.front.secrets()) - 1; c.want != "PS101" && minted == 0 {
					t.Error("nothing was minted, so this proves nothing")
				}
				w.searchAll(t, append(w.front.secrets(), w.root))
				if c.want != "PS205" && w.active() > 0 {
					t.Error("a token was left active")
				}
			})
		})
	}
}
