package testparts

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

// rootToken is the root token of every server that this package starts.
const rootToken = "root-token-of-a-test"

// KVOption configures the engine server.
type KVOption func(args *[]string)

// WithClock makes sys/health and the Date of every answer use a sandbox's clock. The URL
// answers {"now": RFC 3339}.
func WithClock(url string) KVOption { return option("-clock-url", url) }

// WithMount adds a KV v2 engine. The default is one at "secret".
func WithMount(path string) KVOption { return option("-mount", path) }

// WithKV1 adds a KV v1 engine.
func WithKV1(path string) KVOption { return option("-mount-v1", path) }

// WithToken adds a token whose only permissions are the given rules, such as
// "secret/data/ci/*:create,update,read;secret/metadata/ci/*:read,patch".
func WithToken(token, rules string) KVOption { return option("-policy-token", token+"="+rules) }

func option(name, value string) KVOption {
	return func(args *[]string) { *args = append(*args, name, value) }
}

// KV starts Vault's KV engine behind the small server of tools/kv. It returns the URL and the
// root token.
func KV(t testing.TB, options ...KVOption) (address, token string) {
	t.Helper()
	args := []string{"-listen", "127.0.0.1:0", "-exit-on-stdin-close"}
	for _, apply := range options {
		apply(&args)
	}
	if !slices.Contains(args, "-mount") {
		args = append(args, "-mount", "secret")
	}
	path := KVProgram(t)
	listening := func(line string) (string, bool) { return strings.CutPrefix(line, "kv: listening on ") }
	// Many instances run in parallel. More threads and more frequent garbage collection would
	// only slow the tests down.
	env := []string{"KV_ROOT_TOKEN=" + rootToken, "GOMAXPROCS=1", "GOGC=400"}
	address, err := start(t, listening, env, path, args...)
	if err != nil {
		t.Fatal(err)
	}
	return address, rootToken
}

// KVProgram returns the path of the program that [KV] starts.
func KVProgram(t testing.TB) string {
	t.Helper()
	return programOr(t, "kv", builtKV)
}

// Fault is a rule for the failure of the requests that match it. tools/kv/faults.go describes
// how fields can be combined.
type Fault struct {
	Method string `json:"method,omitempty"`
	// Path is a glob for the part below /v1/; a final "**" matches any suffix.
	Path    string            `json:"path,omitempty"`
	Skip    int               `json:"skip,omitempty"`
	Count   int               `json:"count,omitempty"` // 0 means 1, -1 means all
	DelayMS int               `json:"delay_ms,omitempty"`
	Hold    bool              `json:"hold,omitempty"` // until [Release]
	Lose    string            `json:"lose,omitempty"` // "request" or "response"
	Status  int               `json:"status,omitempty"`
	After   bool              `json:"after,omitempty"` // do the work first, then answer with Status
	Headers map[string]string `json:"headers,omitempty"`
	Body    string            `json:"body,omitempty"`
}

// Call is one request that the engine server received.
type Call struct {
	Method    string `json:"method"`
	Path      string `json:"path"` // starts with /v1/
	Query     string `json:"query"`
	Namespace string `json:"namespace"`
	Status    int    `json:"status"` // 0 if the connection was cut
}

// Inject adds faults to the engine server at address.
func Inject(t testing.TB, address string, faults ...Fault) {
	t.Helper()
	Ask(t, http.MethodPost, address+"/_kv/faults", "", faults, nil)
}

// ClearFaults removes all pending faults.
func ClearFaults(t testing.TB, address string) {
	t.Helper()
	Ask(t, http.MethodDelete, address+"/_kv/faults", "", nil, nil)
}

// Release releases all held requests.
func Release(t testing.TB, address string) {
	t.Helper()
	Ask(t, http.MethodPost, address+"/_kv/release", "", nil, nil)
}

// Journal returns the requests since the server started or since [ForgetJournal].
func Journal(t testing.TB, address string) []Call {
	t.Helper()
	var calls []Call
	Ask(t, http.MethodGet, address+"/_kv/journal", "", nil, &calls)
	return calls
}

// ForgetJournal empties the journal.
func ForgetJournal(t testing.TB, address string) {
	t.Helper()
	Ask(t, http.MethodDelete, address+"/_kv/journal", "", nil, nil)
}
