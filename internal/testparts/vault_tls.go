package testparts

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// VaultServer is a Vault as in production: with TLS, a seal, and an audit log. It stores data
// in memory, or on disk with [NewDurableVaultServer].
type VaultServer struct {
	URL       string // https, on loopback
	Token     string // root token
	CAFile    string
	AuditFile string

	unsealKey string
	client    http.Client
	process   *process
	dir       string
	storage   string // storage stanza of its configuration
}

const inMemory = `storage "inmem" {}`

const vaultSettings = `
disable_mlock = true
%s
listener "tcp" {
  address       = %q
  tls_cert_file = %q
  tls_key_file  = %q
}
`

// NewVaultServer starts a Vault whose certificate names the hosts, initializes and unseals
// it, and mounts a KV v2 engine at "secret".
func NewVaultServer(t testing.TB, authority *Authority, hosts ...string) *VaultServer {
	t.Helper()
	dir := t.TempDir()
	return newVaultServer(t, authority, &VaultServer{dir: dir, storage: inMemory}, hosts...)
}

func newVaultServer(t testing.TB, authority *Authority, v *VaultServer, hosts ...string) *VaultServer {
	t.Helper()
	v.CAFile, v.AuditFile = authority.File, filepath.Join(v.dir, "audit.log")
	v.trust(t)
	certificate, key := authority.Issue(t, hosts...)
	v.run(t, certificate, key)
	v.initialize(t)
	v.Unseal(t)
	v.Must(t, http.MethodPut, "sys/audit/file", v.Token, map[string]any{"type": "file", "options": map[string]string{"file_path": v.AuditFile}}, nil)
	v.mountKV(t)
	return v
}

// initialize creates a single unseal key and the root token.
func (v *VaultServer) initialize(t testing.TB) {
	t.Helper()
	var made struct {
		Keys []string `json:"keys"`
		Root string   `json:"root_token"`
	}
	v.Must(t, http.MethodPut, "sys/init", "", map[string]int{"secret_shares": 1, "secret_threshold": 1}, &made)
	v.unsealKey, v.Token = made.Keys[0], made.Root
}

// mountKV mounts a KV v2 engine at "secret" and waits until it is ready.
func (v *VaultServer) mountKV(t testing.TB) {
	t.Helper()
	v.Must(t, http.MethodPost, "sys/mounts/secret", v.Token, map[string]any{"type": "kv", "options": map[string]string{"version": "2"}}, nil)
	v.await(t, "the KV engine", func() bool { // it is upgraded to version 2 in the background
		return v.Ask(t, http.MethodGet, "secret/config", v.Token, nil, nil) == http.StatusOK
	})
}

func (v *VaultServer) trust(t testing.TB) {
	t.Helper()
	text, err := os.ReadFile(v.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
	t.Cleanup(transport.CloseIdleConnections)
	v.client = http.Client{Transport: transport, Timeout: 30 * time.Second}
}

func (v *VaultServer) run(t testing.TB, certificate, key []byte) {
	t.Helper()
	files := map[string][]byte{"cert.pem": certificate, "key.pem": key}
	const attempts = 3 // see Vault
	for attempt := 1; ; attempt++ {
		at := freePorts(t)
		files["vault.hcl"] = fmt.Appendf(nil, vaultSettings, v.storage, at, filepath.Join(v.dir, "cert.pem"), filepath.Join(v.dir, "key.pem"))
		for name, content := range files {
			if err := os.WriteFile(filepath.Join(v.dir, name), content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		v.URL = "https://" + at
		err := v.launch(t)
		if err == nil {
			return
		}
		if attempt == attempts {
			t.Fatal(err)
		}
		t.Logf("starting Vault again: %v", err)
	}
}

// launch starts the program with the configuration in its directory.
func (v *VaultServer) launch(t testing.TB) error {
	t.Helper()
	ready := func(line string) (string, bool) { return line, strings.Contains(line, "Vault server started") }
	var err error
	_, v.process, err = startProcess(t, ready, []string{"VAULT_API_ADDR=" + v.URL, "VAULT_CLUSTER_ADDR=" + v.clusterURL()}, VaultProgram(t),
		"server", "-log-level=warn", "-config="+filepath.Join(v.dir, "vault.hcl"))
	return err
}

// clusterURL returns the cluster address, on the port after the one for clients.
func (v *VaultServer) clusterURL() string {
	host, port, _ := net.SplitHostPort(v.URL[strings.Index(v.URL, "//")+2:])
	number, _ := strconv.Atoi(port)
	return "https://" + net.JoinHostPort(host, strconv.Itoa(number+1))
}

// Seal seals the server. It answers 503 until [VaultServer.Unseal].
func (v *VaultServer) Seal(t testing.TB) {
	t.Helper()
	v.Must(t, http.MethodPut, "sys/seal", v.Token, nil, nil)
}

// Unseal unseals the server and waits until it is ready.
func (v *VaultServer) Unseal(t testing.TB) {
	t.Helper()
	v.Must(t, http.MethodPut, "sys/unseal", "", map[string]string{"key": v.unsealKey}, nil)
	v.await(t, "Vault", func() bool {
		return v.Ask(t, http.MethodGet, "sys/health", "", nil, nil) == http.StatusOK
	})
}

// await polls until so returns true.
func (v *VaultServer) await(t testing.TB, what string, so func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), startTime)
	defer cancel()
	for !so() {
		if ctx.Err() != nil {
			t.Fatalf("%s is not ready after %s", what, startTime)
		}
	}
}

// Must sends a request to a path below /v1/ and fails the test unless it succeeds.
func (v *VaultServer) Must(t testing.TB, method, path, token string, in, out any) {
	t.Helper()
	if status := v.Ask(t, method, path, token, in, out); status >= 300 {
		t.Fatalf("%s %s: Vault answered %d", method, path, status)
	}
}

// Ask sends a request to a path below /v1/ and returns the status. If the request succeeds,
// it decodes the answer into out.
func (v *VaultServer) Ask(t testing.TB, method, path, token string, in, out any) int {
	t.Helper()
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		body = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), method, v.URL+"/v1/"+path, body)
	if err != nil {
		t.Fatal(err)
	}
	if method == http.MethodPatch {
		req.Header.Set("Content-Type", "application/merge-patch+json")
	}
	if token != "" {
		req.Header.Set("X-Vault-Token", token)
	}
	resp, err := v.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if out != nil && resp.StatusCode < 300 {
		if err := json.Unmarshal(answer, out); err != nil {
			t.Fatalf("%s %s: %v", method, path, err)
		}
	}
	return resp.StatusCode
}
