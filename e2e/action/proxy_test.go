package action_test

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
)

// gateway is the only route out of a network without DNS: a proxy that opens tunnels to the
// hosts it knows.
type gateway struct {
	url   string
	hosts map[string]string // "name:port" to the real address

	mu     sync.Mutex
	opened []string
}

func newGateway(t *testing.T, hosts map[string]string) *gateway {
	t.Helper()
	g := &gateway{hosts: hosts}
	server := httptest.NewServer(g)
	t.Cleanup(server.Close)
	g.url = server.URL
	return g
}

// ServeHTTP opens a tunnel (RFC 9110, section 9.3.6).
func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	where, known := g.hosts[r.Host]
	if r.Method != http.MethodConnect || !known {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	g.mu.Lock()
	g.opened = append(g.opened, r.Host)
	g.mu.Unlock()
	far, err := new(net.Dialer).DialContext(r.Context(), "tcp", where)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	near, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		_ = far.Close()
		return
	}
	_, _ = io.WriteString(near, "HTTP/1.1 200 Connection established\r\n\r\n")
	pass := func(to, from net.Conn) {
		_, _ = io.Copy(to, from)
		_ = to.Close()
	}
	go pass(far, near)
	pass(near, far)
}

func (g *gateway) tunnels() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Compact(slices.Sorted(slices.Values(g.opened)))
}

// behind serves PAIStrike over TLS as well, and returns a gateway to it and to Vault.
func (w *world) behind(t *testing.T) *gateway {
	t.Helper()
	certificate, key := w.authority.Issue(t, "paistrike.test")
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		t.Fatal(err)
	}
	api := httptest.NewUnstartedServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		r.Host = "localhost" // the sandbox accepts no other name
		w.paistrike.ServeHTTP(out, r)
	}))
	api.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	api.StartTLS()
	t.Cleanup(api.Close)
	vault, err := url.Parse(w.vault.URL)
	if err != nil {
		t.Fatal(err)
	}
	return newGateway(t, map[string]string{"paistrike.test:443": api.Listener.Addr().String(), "vault.test:8200": vault.Host})
}

// Behind a proxy, the standard proxy variables suffice: both servers are reached through it,
// and their certificates are verified.
func TestStepBehindAProxy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g := w.behind(t)
	step := func(changes ...string) (string, error) {
		return w.step(t, append([]string{
			"INPUT_ENDPOINT=https://paistrike.test", "INPUT_VAULT_ADDRESS=https://vault.test:8200", "SSL_CERT_FILE=" + w.authority.File,
			"HTTPS_PROXY=" + g.url, "INPUT_EXPORT_ENV=false", "INPUT_SUMMARY=false", "GITHUB_STATE=" + file(t), "GITHUB_OUTPUT=" + file(t),
		}, changes...)...)
	}
	said, err := step()
	if err != nil || !strings.Contains(said, "minted, is available to later steps") {
		t.Fatalf("%v\n%s", err, said)
	}
	if got, want := g.tunnels(), []string{"paistrike.test:443", "vault.test:8200"}; !slices.Equal(got, want) {
		t.Errorf("tunnels to %v, want %v", got, want)
	}
	for name, test := range map[string]struct{ change, want string }{
		"NO_PROXY is honored":              {"NO_PROXY=vault.test", "not through a proxy"},
		"a proxy that lets nothing out":    {"INPUT_VAULT_ADDRESS=https://other.test:8200", "through the proxy in the environment"},
		"no authority vouches for a proxy": {"INPUT_VAULT_ADDRESS=https://vault.test:8200/\x00SSL_CERT_FILE=/nowhere\x00INPUT_VAULT_CA_CERT=", "PSA202"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			said, err := step(strings.Split(test.change, "\x00")...)
			if err == nil || !strings.Contains(said, test.want) {
				t.Errorf("%v, want %q\n%s", err, test.want, said)
			}
		})
	}
}
