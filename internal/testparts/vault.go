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

// Vault starts a real Vault server, in memory and unsealed, with a KV v2 engine
// at "secret", and returns its URL and root token.
func Vault(t testing.TB) (address, token string) {
	t.Helper()
	path := VaultProgram(t)
	ready := func(line string) (string, bool) { return strings.CutPrefix(line, "Root Token: ") }
	// Vault does not choose its ports, so between finding them free and their use
	// another program may come first.
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

// VaultProgram finds the real Vault, which is server and command line in one.
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

// Vault's ports are chosen below those that an operating system lends to whoever
// connects or asks for any port: Linux lends from 32768 on, others from 49152 on. A server
// that restarts then finds its ports free.
const firstPort, lastPort = 12000, 32000

// freePorts finds a loopback address whose port and the next one, which Vault
// takes for its cluster, are free.
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

// Ask sends a request, with a Vault token if one is given, and reads a JSON
// answer into out. It fails the test unless the answer is a good one.
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
	req, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), method, url, body) // clean-up asks as well
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
