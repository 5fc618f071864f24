package e2e_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"runtime"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/testparts"
)

// Hosts in the published examples.
const (
	paistrikeHost = "paistrike.example.com"
	vaultHost     = "vault.example.com"
)

// internet makes the hosts of the published examples reachable for a program that runs with
// its environment. A proxy forwards them to servers on loopback whose certificates are signed
// by the test's authority, so that examples run unchanged.
type internet struct {
	authority *testparts.Authority
	proxy     *httptest.Server
	hosts     map[string]string // "host:port" to the loopback address
}

func newInternet(t *testing.T) *internet {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("NOT TESTED: only on Linux can the authorities that a program trusts be set for it alone")
	}
	n := &internet{authority: testparts.NewAuthority(t), hosts: map[string]string{}}
	n.proxy = httptest.NewServer(http.HandlerFunc(n.connect))
	t.Cleanup(n.proxy.Close)
	return n
}

// environment returns variables that make a program use the proxy.
func (n *internet) environment() []string {
	return []string{"HTTPS_PROXY=" + n.proxy.URL, "SSL_CERT_FILE=" + n.authority.File}
}

// host serves a handler at https://host:port.
func (n *internet) host(t *testing.T, host, port string, handler http.Handler) {
	t.Helper()
	pair, err := tls.X509KeyPair(n.authority.Issue(t, host))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(handler)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	server.StartTLS()
	t.Cleanup(server.Close)
	n.hosts[net.JoinHostPort(host, port)] = server.Listener.Addr().String()
}

// forward forwards https://host:port to a server on loopback.
func (n *internet) forward(t *testing.T, host, port, to string) {
	t.Helper()
	target, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	n.host(t, host, port, &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }})
}

// connect connects a client to the server for a host. It rejects any other host, so that
// nothing leaves this machine.
func (n *internet) connect(w http.ResponseWriter, r *http.Request) {
	address, known := n.hosts[r.Host]
	if r.Method != http.MethodConnect || !known {
		http.Error(w, "there is no such host", http.StatusBadGateway)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), 10*time.Second)
	defer cancel()
	server, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	client, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		_ = server.Close()
		return
	}
	_, _ = io.WriteString(client, "HTTP/1.1 200 Connection established\r\n\r\n")
	go pipe(client, server)
	go pipe(server, client)
}

// pipe copies until one side is closed, and then closes both.
func pipe(to, from net.Conn) {
	_, _ = io.Copy(to, from)
	_ = to.Close()
	_ = from.Close()
}
