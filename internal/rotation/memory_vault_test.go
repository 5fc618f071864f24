package rotation_test

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// memoryVault responds like Vault's KV engine, without a process or a socket, for tests
// with tens of thousands of worlds. [TestEverySingleFault] sends it every request that it
// sends to the genuine engine, and compares the responses.
type memoryVault struct {
	mu      sync.Mutex
	entries map[string]*memoryEntry // by path
}

// memoryEntry is one key of KV version 2.
type memoryEntry struct {
	versions []memoryVersion // the first is version dropped+1
	dropped  int             // versions that Vault no longer keeps
	custom   map[string]string
}

type memoryVersion struct {
	data    json.RawMessage
	deleted bool
}

// keptVersions is how many versions of a key Vault keeps by default.
const keptVersions = 10

// moment is the time of every event: no rule depends on the engine's times.
const moment = "2026-01-05T09:00:00Z"

func newMemoryVault() *memoryVault { return &memoryVault{entries: map[string]*memoryEntry{}} }

// clone returns a copy of the Vault with all its data and the same identity.
func (v *memoryVault) clone() *memoryVault {
	v.mu.Lock()
	defer v.mu.Unlock()
	other := newMemoryVault()
	for key, e := range v.entries {
		other.entries[key] = &memoryEntry{versions: slices.Clone(e.versions), dropped: e.dropped, custom: maps.Clone(e.custom)}
	}
	return other
}

// RoundTrip responds to a request.
func (v *memoryVault) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	status, text := v.serve(r, body)
	return answer(r, status, text), nil
}

func (v *memoryVault) serve(r *http.Request, body []byte) (status int, text string) {
	path := strings.TrimPrefix(r.URL.Path, "/v1/")
	switch path {
	case "sys/internal/ui/mounts/secret":
		return 200, `{"data":{"path":"secret/","uuid":"0b1c2d3e-0000-4000-8000-000000000000","type":"kv","options":{"version":"2"}}}`
	case "secret/config":
		return 200, `{"data":{"cas_required":false,"delete_version_after":"0s","max_versions":0}}`
	case "auth/token/lookup-self":
		return 200, `{"data":{"ttl":0,"num_uses":0,"expire_time":null}}`
	case "sys/capabilities-self":
		return 200, capabilities(body)
	}
	part, key, _ := strings.Cut(strings.TrimPrefix(path, "secret/"), "/")
	e := v.entries[key]
	switch {
	case part == "data" && r.Method == http.MethodPut || part == "data" && r.Method == http.MethodPost:
		return v.write(key, body)
	case e == nil && part == "metadata" && r.Method == http.MethodDelete:
		return 204, ""
	case e == nil:
		return 404, `{"errors":[]}`
	case part == "data" && r.Method == http.MethodGet:
		return e.read(r.URL.Query().Get("version"))
	case part == "metadata" && r.Method == http.MethodGet:
		return 200, e.metadata()
	case part == "metadata" && r.Method == http.MethodPatch:
		e.patch(body)
		return 204, ""
	case part == "metadata" && r.Method == http.MethodDelete:
		delete(v.entries, key)
		return 204, ""
	case part == "data" && r.Method == http.MethodDelete:
		e.version(e.newest()).deleted = true
		return 204, ""
	case part == "delete" && r.Method == http.MethodPost:
		e.hide(body)
		return 204, ""
	}
	return 405, `{"errors":["unsupported operation"]}`
}

// capabilities returns those of the root token.
func capabilities(body []byte) string {
	var asked struct{ Paths []string }
	data := map[string][]string{}
	if json.Unmarshal(body, &asked) == nil {
		for _, path := range asked.Paths {
			data[path] = []string{"root"}
		}
	}
	return object("data", data)
}

// write is the check-and-set write.
func (v *memoryVault) write(key string, body []byte) (status int, text string) {
	var asked struct {
		Data    json.RawMessage
		Options struct{ CAS *int }
	}
	if json.Unmarshal(body, &asked) != nil {
		return 400, `{"errors":["error parsing JSON"]}`
	}
	e := v.entries[key]
	if e == nil {
		e = &memoryEntry{}
	}
	if cas := asked.Options.CAS; cas != nil && *cas != e.newest() {
		return 400, `{"errors":["check-and-set parameter did not match the current version"]}`
	}
	e.versions = append(e.versions, memoryVersion{data: asked.Data})
	if len(e.versions) > keptVersions {
		e.versions, e.dropped = e.versions[1:], e.dropped+1
	}
	v.entries[key] = e
	return 200, object("data", e.describe(e.newest()))
}

// newest returns the number of the current version, or 0 if there is none.
func (e *memoryEntry) newest() int { return e.dropped + len(e.versions) }

// version returns a version by its number, or nil if Vault does not have it.
func (e *memoryEntry) version(number int) *memoryVersion {
	if number <= e.dropped || number > e.newest() {
		return nil
	}
	return &e.versions[number-1-e.dropped]
}

// describe returns the engine's description of a version.
func (e *memoryEntry) describe(number int) map[string]any {
	return map[string]any{
		"created_time": moment, "custom_metadata": e.custom, "destroyed": false, "version": number,
		"deletion_time": e.version(number).deletion(),
	}
}

func (v *memoryVersion) deletion() string {
	if v.deleted {
		return moment
	}
	return ""
}

func (e *memoryEntry) read(asked string) (status int, text string) {
	number, _ := strconv.Atoi(asked)
	if number == 0 {
		number = e.newest()
	}
	v := e.version(number)
	switch {
	case v == nil:
		return 404, `{"errors":[]}`
	case v.deleted:
		return 404, object("data", map[string]any{"data": nil, "metadata": e.describe(number)})
	}
	return 200, object("data", map[string]any{"data": v.data, "metadata": e.describe(number)})
}

func (e *memoryEntry) metadata() string {
	versions := map[string]any{}
	for number := e.dropped + 1; number <= e.newest(); number++ {
		versions[strconv.Itoa(number)] = map[string]any{"created_time": moment, "deletion_time": e.version(number).deletion(), "destroyed": false}
	}
	oldest := 0
	if e.dropped > 0 {
		oldest = e.dropped + 1
	}
	return object("data", map[string]any{
		"cas_required": false, "created_time": moment, "current_version": e.newest(), "custom_metadata": e.custom,
		"delete_version_after": "0s", "max_versions": 0, "oldest_version": oldest, "updated_time": moment, "versions": versions,
	})
}

// patch merges into custom_metadata. A null removes a key.
func (e *memoryEntry) patch(body []byte) {
	var asked struct {
		Custom map[string]*string `json:"custom_metadata"`
	}
	if json.Unmarshal(body, &asked) != nil {
		return
	}
	if e.custom == nil {
		e.custom = map[string]string{}
	}
	for key, value := range asked.Custom {
		if value == nil {
			delete(e.custom, key)
		} else {
			e.custom[key] = *value
		}
	}
}

// hide deletes versions. Vault can undo that.
func (e *memoryEntry) hide(body []byte) {
	var asked struct{ Versions []int }
	if json.Unmarshal(body, &asked) != nil {
		return
	}
	for _, number := range asked.Versions {
		if v := e.version(number); v != nil {
			v.deleted = true
		}
	}
}

func object(key string, value any) string {
	text, err := json.Marshal(map[string]any{key: value})
	if err != nil {
		panic(err)
	}
	return string(text)
}

// inMemory returns a Vault in memory.
func inMemory() kvServer {
	return kvServer{address: "http://127.0.0.1:1", root: "root", wire: newMemoryVault()}
}

// twins returns the responses of the genuine engine, and compares each with that of the
// Vault in memory.
type twins struct {
	t      testing.TB
	engine http.RoundTripper
	memory *memoryVault
}

func startTwins(t testing.TB) kvServer {
	t.Helper()
	kv := startKV(t)
	kv.wire = twins{t: t, engine: kv.wire, memory: newMemoryVault()}
	return kv
}

// RoundTrip asks both.
func (w twins) RoundTrip(r *http.Request) (*http.Response, error) {
	again := copied(r)
	genuine, err := w.engine.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(genuine.Body)
	if err != nil {
		return nil, err
	}
	genuine.Body = io.NopCloser(bytes.NewReader(body))
	modeled, err := w.memory.RoundTrip(again)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(modeled.Body)
	if err != nil {
		return nil, err
	}
	fixed := !strings.Contains(r.URL.Path, "/secret/")
	if want, got := essence(body, text, fixed), essence(text, text, false); genuine.StatusCode != modeled.StatusCode || want != got {
		w.t.Errorf("%s %s: the engine answers %d %s\nthe Vault in memory %d %s", r.Method, r.URL, genuine.StatusCode, want, modeled.StatusCode, got)
	}
	return genuine, nil
}

// essence returns a response without what differs between servers and moments, and without
// what the model leaves out: who wrote a version, and on a fixed page everything that this
// program does not read.
func essence(body, model []byte, fixed bool) string {
	var said, told struct {
		Data   map[string]any
		Errors []any
	}
	if json.Unmarshal(body, &said) != nil || json.Unmarshal(model, &told) != nil {
		return string(body)
	}
	maps.DeleteFunc(said.Data, func(key string, _ any) bool {
		_, modeled := told.Data[key]
		return fixed && !modeled
	})
	leaveOut(said.Data)
	text, err := json.Marshal(said)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// leaveOut makes times and IDs equal and removes who wrote a version.
func leaveOut(data map[string]any) {
	maps.DeleteFunc(data, func(key string, _ any) bool { return strings.HasSuffix(key, "_by") })
	for key, value := range data {
		switch value := value.(type) {
		case map[string]any:
			leaveOut(value)
		case string:
			if value != "" && (strings.HasSuffix(key, "_time") || key == "uuid") {
				data[key] = "some"
			}
		}
	}
}
