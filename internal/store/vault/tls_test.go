package vault_test

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/paistrike/terraform-provider-paistrike/internal/store/vault"
)

func TestTLS(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { say(w, 200, listed) }))
	t.Cleanup(server.Close)
	ca := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	dir := t.TempDir()
	for name, text := range map[string]string{"ca.pem": ca, ".hidden": "no certificate"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		name   string
		change func(*vault.Config)
		ok     bool
	}{
		{"a stranger's certificate", func(*vault.Config) {}, false},
		{"the authority as text", func(c *vault.Config) { c.CACertPEM = ca }, true},
		{"as a file", func(c *vault.Config) { c.CACertFile = filepath.Join(dir, "ca.pem") }, true},
		{"on top of the system's", func(c *vault.Config) { c.CACertPEM, c.AddToSystemRoots = ca, true }, true},
		{"as a folder", func(c *vault.Config) { c.CACertDir = dir }, true},
		{"not checked, as asked", func(c *vault.Config) { c.SkipTLSVerify = true }, true},
		{"another name", func(c *vault.Config) { c.CACertPEM, c.TLSServerName = ca, "vault.internal" }, false},
		{"the certificate's name", func(c *vault.Config) { c.CACertPEM, c.TLSServerName = ca, "example.com" }, true},
		{"no such file", func(c *vault.Config) { c.CACertFile = filepath.Join(dir, "none") }, false},
		{"no such folder", func(c *vault.Config) { c.CACertDir = filepath.Join(dir, "none") }, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			pauses := &waits{}
			c := client(t, server.URL, test.change, func(c *vault.Config) { c.Sleep = pauses.sleep })
			_, err := c.List(t.Context(), "", "secret", "")
			if (err == nil) != test.ok {
				t.Errorf("error %v", err)
			}
			if len(pauses.all()) != 0 {
				t.Error("tried again, though no time helps")
			}
		})
	}
}

func TestProxyOfTheTransportIsUsed(t *testing.T) {
	t.Parallel()
	f := newFake(t, func(w http.ResponseWriter, _ *http.Request, _ seen) { say(w, 200, listed) })
	proxy, err := url.Parse(f.URL)
	if err != nil {
		t.Fatal(err)
	}
	c := client(t, "http://vault.invalid:8200", func(c *vault.Config) {
		c.Transport = &http.Transport{Proxy: http.ProxyURL(proxy)}
	})
	if _, err := c.List(t.Context(), "", "secret", ""); err != nil || len(f.requests()) != 1 {
		t.Errorf("%v after %v", err, f.requests())
	}
}

func TestFirstRequestUnderUnusableTLSSettingsFails(t *testing.T) {
	t.Parallel()
	c := client(t, "https://vault.invalid:8200", func(c *vault.Config) { c.CACertFile = filepath.Join(t.TempDir(), "none") })
	if err := c.Purge(t.Context(), at("ci/once")); err == nil || !strings.Contains(err.Error(), "CA certificates") {
		t.Errorf("error %v", err)
	}
}
