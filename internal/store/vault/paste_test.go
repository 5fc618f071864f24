package vault_test

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/paistrike/terraform-provider-paistrike/internal/store/vault"
)

// Addresses are often pasted from the browser or from a log of requests.
func TestPastedAddresses(t *testing.T) {
	t.Parallel()
	for _, tail := range []string{"", "/", "/ui", "/ui/", "/ui/vault", "/ui/vault/secrets/kv/list", "/v1", "/v1/"} {
		for _, prefix := range []string{"", "/behind/proxy", "/gui", "/v1/x", "/ui/x"} {
			f := newFake(t, func(w http.ResponseWriter, _ *http.Request, _ seen) { say(w, 200, listed) })
			if _, err := client(t, f.URL+prefix+tail).List(t.Context(), "", "secret", ""); err != nil {
				t.Fatal(err)
			}
			if got, want := f.last(t).Header, "/v1/secret/metadata"; got == nil || !strings.HasSuffix("/"+f.last(t).Path, strings.TrimPrefix(prefix+want, "/v1")) {
				t.Errorf("%s asked for %s", prefix+tail, f.last(t).Path)
			}
		}
	}
}

// Certificates lose their line breaks in web forms and shells.
func TestPastedCertificates(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { say(w, 200, listed) }))
	t.Cleanup(server.Close)
	text := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	joined := func(by string) string { return strings.ReplaceAll(strings.TrimSpace(text), "\n", by) }
	for name, ca := range map[string]string{
		"as it is": text, "\\n": joined(`\n`), "\\r\\n": joined(`\r\n`), "spaces": joined(" "), "nothing": joined(""), "CRLF": joined("\r\n"),
		"indented": "   " + joined("\n   "), "two": joined(" ") + " " + joined(" "), "with words before": "Subject: us\n" + text,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "ca.pem")
			if err := os.WriteFile(file, []byte(ca), 0o600); err != nil {
				t.Fatal(err)
			}
			for _, set := range []func(*vault.Config){
				func(c *vault.Config) { c.CACertPEM = ca },
				func(c *vault.Config) { c.CACertFile = file },
			} {
				if _, err := client(t, server.URL, set).List(t.Context(), "", "secret", ""); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// A certificate that cannot be parsed is rejected when the client is created, or at the
// first call if it is in a file.
func TestCertificatesThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*vault.Config){
		"no PEM":                     func(c *vault.Config) { c.CACertPEM = "MIIB" },
		"no certificate in the text": func(c *vault.Config) { c.CACertPEM = "none" },
		"half of one":                func(c *vault.Config) { c.CACertPEM = "-----BEGIN CERTIFICATE-----\nMIIB" },
		"not a pair":                 func(c *vault.Config) { c.ClientCertPEM, c.ClientKeyPEM = "MIIB", "s3cret" },
		"key for cert": func(c *vault.Config) {
			c.ClientCertPEM, c.ClientKeyPEM = "-----BEGIN CERTIFICATE----- AAAA -----END CERTIFICATE-----", "s3cret"
		},
	} {
		config := vault.Config{Address: "https://vault.example.com", Login: vault.Login{Method: "token", Token: hidden("t")}}
		change(&config)
		if _, err := vault.New(config); err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: error %v", name, err)
		}
	}
	pauses := &waits{}
	for _, set := range []func(*vault.Config){
		func(c *vault.Config) { c.CACertFile = filepath.Join(t.TempDir(), "none") },
		func(c *vault.Config) { c.CACertDir = filepath.Join(t.TempDir(), "none") },
	} {
		store := vault.NewStore(client(t, "https://vault.example.com", set, func(c *vault.Config) { c.Sleep = pauses.sleep }))
		_, err := store.Look(t.Context(), at("x"))
		if err == nil || failureOf(t, err).Code != "PS319" || len(pauses.all()) != 0 {
			t.Errorf("error %v after pauses of %v", err, pauses.all())
		}
	}
}
