package testparts

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Vault starts a real Vault server, in memory and unsealed, with a KV v2 engine at "secret".
// It returns the URL and the root token.
func Vault(t testing.TB) (address, token string) {
	t.Helper()
	path := VaultProgram(t)
	ready := func(line string) (string, bool) { return strings.CutPrefix(line, "Root Token: ") }
	// Vault cannot choose its ports itself. Another program may take them after they were
	// found to be free.
	const attempts = 3
	for attempt := 1; ; attempt++ {
		at := freePorts(t)
		token, err := start(t, ready, nil, path,
			"server", "-dev", "-log-level=warn", "-dev-no-store-token", "-dev-root-token-id="+rootToken, "-dev-listen-address="+at)
		if err == nil {
			return "http://" + at, token
		}
		if attempt == attempts {
			t.Fatal(err)
		}
		t.Logf("starting Vault again: %v", err)
	}
}

// VaultProgram returns the path of Vault, which is server and command line in one.
func VaultProgram(t testing.TB) string {
	t.Helper()
	if path := program(t, "vault"); path != "" {
		return path
	}
	path, err := exec.LookPath("vault")
	if err != nil {
		missing(t, "there is no Vault server: `make tools` builds one, in some minutes")
	}
	return path
}

// Vault's ports are below the ephemeral ports of all systems: Linux starts at 32768, others
// at
// 49152. A server that restarts therefore finds its ports free.
const firstPort, lastPort = 12000, 32000

// freePorts returns a loopback address whose port and the next one, which Vault uses for its
// cluster, are free.
func freePorts(t testing.TB) string {
	t.Helper()
	for range 100 {
		port := firstPort + rand.IntN(lastPort-firstPort) //nolint:gosec // not a secret
		if at := loopback(port); isFree(at) && isFree(loopback(port+1)) {
			return at
		}
	}
	t.Fatal("no two ports in a row are free")
	return ""
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

func isFree(address string) bool {
	listener, err := net.Listen("tcp", address) //nolint:noctx // answers at once
	if err != nil {
		return false
	}
	_ = listener.Close()
	return true
}

// Ask sends a request, with a Vault token if token is not empty, and decodes the JSON answer
// into out. It fails the test unless the request succeeds.
func Ask(t testing.TB, method, url, token string, in, out any) {
	t.Helper()
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		body = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), method, url, body) // cleanup functions call it too
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("X-Vault-Token", token)
	}
	client := http.Client{Timeout: 30 * time.Second}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= 300 {
		t.Fatalf("%s %s: %s %v %s", method, url, resp.Status, err, answer)
	}
	if out != nil {
		if err := json.Unmarshal(answer, out); err != nil {
			t.Fatalf("%s %s: %v", method, url, err)
		}
	}
}
