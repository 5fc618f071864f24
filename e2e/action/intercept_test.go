package action_test

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/paistrike/terraform-provider-paistrike/internal/testparts"
)

// interceptor is a proxy that terminates every TLS tunnel with certificates of its own
// authority, and records the secrets it receives.
type interceptor struct {
	url, authority string
	certificate    tls.Certificate

	mu      sync.Mutex
	tunnels int
	heard   []string
}

func newInterceptor(t *testing.T, hosts ...string) *interceptor {
	t.Helper()
	authority := testparts.NewAuthority(t)
	pair, err := tls.X509KeyPair(authority.Issue(t, hosts...))
	if err != nil {
		t.Fatal(err)
	}
	i := &interceptor{authority: authority.File, certificate: pair}
	server := httptest.NewServer(i)
	t.Cleanup(server.Close)
	i.url = server.URL
	return i
}

// ServeHTTP accepts a tunnel and reads the data sent through it.
func (i *interceptor) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	i.mu.Lock()
	i.tunnels++
	i.mu.Unlock()
	near, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer func() { _ = near.Close() }()
	_, _ = io.WriteString(near, "HTTP/1.1 200 Connection established\r\n\r\n")
	i.listen(tls.Server(near, &tls.Config{Certificates: []tls.Certificate{i.certificate}, MinVersion: tls.VersionTLS12}))
}

func (i *interceptor) listen(conn net.Conn) {
	request, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil {
		return // the client rejects the certificate
	}
	body, _ := io.ReadAll(request.Body)
	i.mu.Lock()
	defer i.mu.Unlock()
	i.heard = append(i.heard, request.URL.Path+" "+request.Header.Get("Authorization")+string(body))
	_, _ = io.WriteString(conn, "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
}

func (i *interceptor) seen() (tunnels int, heard []string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.tunnels, append([]string(nil), i.heard...)
}

// A proxy and a certificate authority set by an earlier step receive no secret: the launcher
// passes on only certificates that the inputs name. Without the launcher, as on a command
// line, the same program uses its environment.
func TestEarlierStepCannotReadAlong(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, test := range map[string]struct {
		command func() []string
		hears   bool
	}{
		"as a step of a job":          {func() []string { return []string{testparts.Node24(t), filepath.Join("..", "..", "action", "main.js")} }, false},
		"on Node without execve":      {func() []string { return []string{testparts.Node(t), filepath.Join("..", "..", "action", "main.js")} }, false},
		"the program, by its command": {func() []string { return []string{w.program, "main"} }, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			proxy := newInterceptor(t, "vault.test", "paistrike.test")
			command := test.command()
			cmd := exec.CommandContext(t.Context(), command[0], command[1:]...) //nolint:gosec // ours
			cmd.Env = []string{
				"PATH=" + os.Getenv("PATH"), "RUNNER_TEMP=" + t.TempDir(), "INPUT_BINARY_PATH=" + w.program,
				"HTTPS_PROXY=" + proxy.url, "SSL_CERT_FILE=" + proxy.authority, "SSL_CERT_DIR=" + filepath.Dir(proxy.authority), "NODE_EXTRA_CA_CERTS=" + proxy.authority,
				"INPUT_ENDPOINT=https://paistrike.test", "INPUT_VAULT_ADDRESS=https://vault.test:8200", "INPUT_AUDIENCE=" + audience,
				"INPUT_VAULT_ROLE=paistrike-mint", "INPUT_VAULT_PATH=ci/broker", "INPUT_MAX_ATTEMPTS=1",
				"ACTIONS_ID_TOKEN_REQUEST_URL=" + w.issuer.url + "/token?x=y", "ACTIONS_ID_TOKEN_REQUEST_TOKEN=" + w.issuer.request,
			}
			said, err := cmd.CombinedOutput()
			tunnels, heard := proxy.seen()
			if err == nil || tunnels == 0 {
				t.Fatalf("%d tunnels, %v\n%s", tunnels, err, said)
			}
			if test.hears != (len(heard) > 0) {
				t.Errorf("the proxy heard %d requests\n%s", len(heard), said)
			}
			if !test.hears && !strings.Contains(string(said), "PSA202") {
				t.Errorf("the step does not say that the certificate is not trusted\n%s", said)
			}
		})
	}
}
