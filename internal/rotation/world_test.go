package rotation_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/vault"
	"github.com/paistrike/terraform-provider-paistrike/internal/testparts"
)

// TestMain collects garbage less often: the fault sweep starts tens of thousands of small
// worlds, and would spend a third of its time on collecting them.
func TestMain(m *testing.M) {
	debug.SetGCPercent(400)
	m.Run()
}

// firstDay is the initial time of all clocks.
var firstDay = time.Date(2026, time.January, 5, 9, 0, 0, 0, time.UTC)

const day = 24 * time.Hour

// kvServer is a running KV engine. Worlds share it, each with its own path.
type kvServer struct {
	address, root string
	wire          http.RoundTripper
	// whole is true for a complete Vault server, whose health response contains more than
	// the time.
	whole bool
}

func startKV(t testing.TB) kvServer {
	t.Helper()
	address, root := testparts.KV(t)
	wire := &http.Transport{MaxIdleConnsPerHost: 8}
	t.Cleanup(wire.CloseIdleConnections)
	return kvServer{address: address, root: root, wire: wire}
}

var pathNumber atomic.Int64

// world is one PAIStrike account and one entry of a store.
type world struct {
	t       testing.TB
	backend backend
	// kv is the backend if the store is Vault.
	kv        kvServer
	paistrike *testparts.Account
	at        entry.Location
	// broken contains the tokens that the test itself revoked, which are exempt from
	// invariant I1.
	broken map[string]bool
	// deleted is true if a person deleted the entry. adopt is true if a person permits
	// overwriting it.
	deleted, adopt bool
	// login is how engines log in to Vault; by default with the root token.
	login vault.Login
	// identity is the identity of the store; by default its address.
	identity string
	// machine is how far the machine's clock is ahead of those of the servers.
	machine time.Duration
	// late contains requests that their callers have given up on.
	late []func()
	// random is the source of nonces, if set.
	random io.Reader
	// together is how independent reads are run.
	together rotation.Together
}

func newWorld(t testing.TB, store backend) *world {
	t.Helper()
	return worldOf(t, store, testparts.NewAccount(t, "Terraform", firstDay), fmt.Sprintf("team-%d/ci", pathNumber.Add(1)))
}

// worldOf returns a world with an account and the entry called name in a store.
func worldOf(t testing.TB, store backend, account *testparts.Account, name string) *world {
	t.Helper()
	kv, _ := store.(kvServer)
	return &world{
		t: t, backend: store, kv: kv, paistrike: account, broken: map[string]bool{},
		at: store.place(name), login: staticToken(kv.root), together: rotation.OneByOne,
	}
}

// on returns the same account and place with another store.
func (w *world) on(store backend) *world {
	there := *w
	there.backend = store
	there.kv, _ = store.(kvServer)
	return &there
}

// now returns the time on both servers.
func (w *world) now() time.Time { return w.paistrike.Clock().Now() }

// request returns a request for a token that lasts 90 days and is replaced every 30 days.
func (w *world) request(wish rotation.Wish, reason schedule.Reason) rotation.Request {
	policy := schedule.Policy{Lifetime: 90 * day, Period: 30 * day, Overlap: day}.WithDefaults()
	return rotation.Request{
		At: w.at, Label: "CI/CD Pipeline", Policy: policy, Owner: "resource-1", Wish: wish, Reason: reason,
		Schedule: schedule.Schedule{Period: "30d", Overlap: "1d", ExpiresIn: "90d"},
	}
}

// engine returns the engine of a new process, with its own connections over wire.
func (w *world) engine(wire http.RoundTripper) *rotation.Engine {
	w.t.Helper()
	client, err := paistrike.New(paistrike.Config{
		Endpoint: "http://localhost:1", Token: secret.New(w.paistrike.Management), Transport: wire, Sleep: noSleep,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return rotation.New(rotation.PAIStrike{Client: client}, w.backend.open(w, wire), rotation.WithSleep(noSleep),
		rotation.WithRandom(cmp.Or(w.random, rand.Reader)), rotation.WithNow(func() time.Time { return w.now().Add(w.machine) }),
		rotation.WithTogether(w.together))
}

// lastFirst runs functions one after the other, the last one first.
func lastFirst(functions ...func()) {
	for _, f := range slices.Backward(functions) {
		f()
	}
}

// noSleep returns at once, with an error if the caller has given up.
func noSleep(ctx context.Context, _ time.Duration) error { return ctx.Err() }

// run is one clean run of a new process.
func (w *world) run(r rotation.Request) rotation.Result {
	w.t.Helper()
	result, err := w.engine(w.wire()).Run(context.Background(), r)
	if err != nil {
		w.t.Fatalf("clean run: %v", err)
	}
	return result
}

// wire returns a transport to both servers without faults.
func (w *world) wire() http.RoundTripper { return roundTripper(w.send) }

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// send delivers a request: to PAIStrike in this process, or to the store's server.
func (w *world) send(r *http.Request) (*http.Response, error) {
	if r.URL.Host != paistrikeHost {
		return w.backend.send(w, r)
	}
	return w.paistrike.RoundTrip(r)
}

func answer(r *http.Request, status int, body string) *http.Response {
	header := http.Header{"Content-Type": {"application/json"}}
	return &http.Response{
		StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: header,
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: r,
	}
}

// vault calls the KV engine as its administrator.
func (w *world) vault(method, path string, body any) map[string]any {
	w.t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		w.t.Fatal(err)
	}
	//nolint:gosec // the address of a server that this test started
	request, err := http.NewRequestWithContext(context.Background(), method, w.kv.address+"/v1/secret/"+path, bytes.NewReader(raw))
	if err != nil {
		w.t.Fatal(err)
	}
	request.Header.Set("X-Vault-Token", w.kv.root)
	response, err := w.kv.wire.RoundTrip(request)
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close()
	var answer struct {
		Data map[string]any `json:"data"`
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil && !errors.Is(err, io.EOF) {
		w.t.Fatal(err)
	}
	return answer.Data
}

// served returns what a consumer reads: the record at the current revision, or nil if
// there is none.
func (w *world) served() (*entry.Record, entry.Revision) { return w.backend.served(w) }

// current returns what a consumer of Vault reads: the record at the current version, or
// nil if there is none.
func (w *world) current() (*entry.Record, int) {
	w.t.Helper()
	data := w.vault(http.MethodGet, "data/"+w.at.Path, nil)
	meta, _ := data["metadata"].(map[string]any)
	version, _ := meta["version"].(float64)
	fields, _ := data["data"].(map[string]any)
	if fields == nil {
		return nil, int(version)
	}
	record, err := entry.DecodeRecord(w.at.Key, fields)
	if err != nil {
		return nil, int(version)
	}
	return &record, int(version)
}

// version returns the newest version number of the entry, deleted or not.
func (w *world) version() int {
	w.t.Helper()
	version, _ := w.vault(http.MethodGet, "metadata/"+w.at.Path, nil)["current_version"].(float64)
	return int(version)
}

// named reports whether a token is named for this entry, recognized by its label.
func (w *world) named(token sandbox.Token) bool {
	name, ok := rotation.ParseName(token.Name)
	return ok && name.Label == "CI/CD Pipeline"
}

// live returns the usable tokens that are named for this entry.
func (w *world) live() []sandbox.Token {
	var live []sandbox.Token
	for _, token := range w.paistrike.Usable() {
		if w.named(token) {
			live = append(live, token)
		}
	}
	return live
}

// accepts reports whether PAIStrike accepts a secret.
func (w *world) accepts(secret secret.Secret) bool { return w.paistrike.Accepts(secret.Reveal()) }

// recorderWire counts calls by method and path.
type recorderWire struct {
	next  http.RoundTripper
	mu    sync.Mutex
	calls []string
}

func (r *recorderWire) RoundTrip(request *http.Request) (*http.Response, error) {
	r.mu.Lock()
	r.calls = append(r.calls, request.Method+" "+request.URL.Path)
	r.mu.Unlock()
	return r.next.RoundTrip(request)
}

// count returns how many calls contain the text.
func (r *recorderWire) count(text string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	count := 0
	for _, call := range r.calls {
		if strings.Contains(call, text) {
			count++
		}
	}
	return count
}

// due returns a request to rotate now.
func (w *world) due(reason schedule.Reason) rotation.Request {
	record, _ := w.served()
	request := w.request(rotation.Rotate, reason)
	if record != nil {
		request.Replaces = record.TokenID
	}
	return request
}

// fails is a run of a new process that must end with a code.
func (w *world) fails(r rotation.Request, code string) rotation.Result {
	w.t.Helper()
	result, err := w.engine(w.wire()).Run(context.Background(), r)
	if failure, ok := errors.AsType[*rotation.Error](err); !ok || failure.Code != code {
		w.t.Fatalf("error = %v, want %s", err, code)
	}
	return result
}

// mustRecord returns the record of the current revision, or fails the test if there is
// none.
func mustRecord(w *world) *entry.Record {
	w.t.Helper()
	record, revision := w.served()
	if record == nil {
		w.t.Fatalf("revision %q has no record", revision)
	}
	return record
}
