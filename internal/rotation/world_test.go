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

// TestMain lets garbage lie a little longer: the fault sweep starts tens of
// thousands of small worlds, and would spend a third of its time on collecting them.
func TestMain(m *testing.M) {
	debug.SetGCPercent(400)
	m.Run()
}

// firstDay is where the clocks stand at first.
var firstDay = time.Date(2026, time.January, 5, 9, 0, 0, 0, time.UTC)

const day = 24 * time.Hour

// kvServer is a running KV engine, shared by worlds that each have a path of their
// own in it.
type kvServer struct {
	address, root string
	wire          http.RoundTripper
	// whole says that it is a Vault server, whose health says more than the time.
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
	// kv is the backend if it is Vault's.
	kv        kvServer
	paistrike *testparts.Account
	at        entry.Location
	// broken are tokens that the test itself revoked, which excuses invariant I1.
	broken map[string]bool
	// deleted says that a person deleted the entry, and adopt that a person says that it may
	// be overwritten.
	deleted, adopt bool
	// login is how engines log in to Vault; by default with the root token.
	login vault.Login
	// identity is the store's; by default its address.
	identity string
	// machine is how far the clock of the machine is from those of the servers.
	machine time.Duration
	// late are requests that their callers have given up on.
	late []func()
	// random, if set, is where nonces come from.
	random io.Reader
	// together is how reads are made that do not depend on each other.
	together rotation.Together
}

func newWorld(t testing.TB, store backend) *world {
	t.Helper()
	return worldOf(t, store, testparts.NewAccount(t, "Terraform", firstDay), fmt.Sprintf("team-%d/ci", pathNumber.Add(1)))
}

// worldOf is an account and the entry of a name in a store.
func worldOf(t testing.TB, store backend, account *testparts.Account, name string) *world {
	t.Helper()
	kv, _ := store.(kvServer)
	return &world{
		t: t, backend: store, kv: kv, paistrike: account, broken: map[string]bool{},
		at: store.place(name), login: staticToken(kv.root), together: rotation.OneByOne,
	}
}

// on is the same account and place over another store.
func (w *world) on(store backend) *world {
	there := *w
	there.backend = store
	there.kv, _ = store.(kvServer)
	return &there
}

// now is the time on both servers.
func (w *world) now() time.Time { return w.paistrike.Clock().Now() }

// request asks for a token with a life of 90 days, replaced every 30.
func (w *world) request(wish rotation.Wish, reason schedule.Reason) rotation.Request {
	policy := schedule.Policy{Lifetime: 90 * day, Period: 30 * day, Overlap: day}.WithDefaults()
	return rotation.Request{
		At: w.at, Label: "CI/CD Pipeline", Policy: policy, Owner: "resource-1", Wish: wish, Reason: reason,
		Schedule: schedule.Schedule{Period: "30d", Overlap: "1d", ExpiresIn: "90d"},
	}
}

// engine is a process's engine on its own connections, with the wire between.
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

// lastFirst runs functions one after the other, beginning with the last.
func lastFirst(functions ...func()) {
	for _, f := range slices.Backward(functions) {
		f()
	}
}

// noSleep lets a wait pass at once, unless the caller has given up.
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

// wire is a transport to both servers without any fault.
func (w *world) wire() http.RoundTripper { return roundTripper(w.send) }

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// send delivers a request: PAIStrike is called in this process, the store where it is.
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

// vault asks the KV engine as its administrator.
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

// served is what a consumer reads: the record at the current revision, nil if there is
// none.
func (w *world) served() (*entry.Record, entry.Revision) { return w.backend.served(w) }

// current is what a consumer of Vault reads: the record at the current version, nil if
// there is none.
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

// version is the newest that the entry has, deleted or not.
func (w *world) version() int {
	w.t.Helper()
	version, _ := w.vault(http.MethodGet, "metadata/"+w.at.Path, nil)["current_version"].(float64)
	return int(version)
}

// named reports whether a token is named for this entry, the one of its label.
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

// accepts reports whether PAIStrike lets a secret in.
func (w *world) accepts(secret secret.Secret) bool { return w.paistrike.Accepts(secret.Reveal()) }

// recorderWire counts what goes over the wire, by method and path.
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

// due is a request to rotate now.
func (w *world) due(reason schedule.Reason) rotation.Request {
	record, _ := w.served()
	request := w.request(rotation.Rotate, reason)
	if record != nil {
		request.Replaces = record.TokenID
	}
	return request
}

// fails is a run of a new process that ends with a code.
func (w *world) fails(r rotation.Request, code string) rotation.Result {
	w.t.Helper()
	result, err := w.engine(w.wire()).Run(context.Background(), r)
	if failure, ok := errors.AsType[*rotation.Error](err); !ok || failure.Code != code {
		w.t.Fatalf("error = %v, want %s", err, code)
	}
	return result
}

// mustRecord is the record of the current revision.
func mustRecord(w *world) *entry.Record {
	w.t.Helper()
	record, revision := w.served()
	if record == nil {
		w.t.Fatalf("revision %q has no record", revision)
	}
	return record
}
