package rotation_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/aws"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/vault"
)

// backend is the server of a store. Worlds share it, each with its own entry. It contains
// all that differs between the stores in these proofs.
type backend interface {
	// place returns the location of the entry of a world.
	place(name string) entry.Location
	// open returns the store as a new process sees it.
	open(w *world, wire http.RoundTripper) rotation.Store
	// send delivers a request to the server, whose clock shows the world's time.
	send(w *world, r *http.Request) (*http.Response, error)
	// served returns the record at the current revision, or nil if there is none.
	served(w *world) (*entry.Record, entry.Revision)
	// publishes reports whether a request may change which revision is current.
	publishes(r *http.Request) bool
	// refusal returns the response of the server, or of a proxy before it, to a fault.
	refusal(r *http.Request, what fault) *http.Response
	// faults returns the faults of its calls and of PAIStrike's.
	faults() []fault
	// lies returns responses of the store that are no longer true.
	lies() []lie
	// clone returns a copy of a model in memory with all its data.
	clone() backend
	// former returns the record that goBack makes current, or nil if there is none.
	former(w *world) *entry.Record

	// Manual changes.
	write(w *world, value map[string]any)    // writes a new version
	goBack(w *world)                         // makes the version before the current one current again
	label(w *world, metadata map[string]any) // changes metadata; nil removes a key
	remove(w *world)                         // deletes the entry so that it can be restored
	restore(w *world)
}

// storeRow is one store of the table that the proofs iterate over.
type storeRow struct {
	name string
	// start starts a server in its own process, or a model in memory that is compared with
	// one.
	start func(t testing.TB) backend
	// twins returns a server whose every response is compared with that of the model.
	twins func(t testing.TB) backend
	// memory returns the model alone.
	memory func() backend
	// pairs is the number of pairs of faults for each pair that is tried.
	pairs int
}

// stores returns the table. The plain format of AWS has its own row because its
// publication makes more calls.
func stores() []storeRow {
	awsRow := func(name string, format aws.Format, pairs int) storeRow {
		return storeRow{
			name: name, pairs: pairs,
			start:  func(t testing.TB) backend { return startAWS(t, format) },
			twins:  func(t testing.TB) backend { return startAWSTwins(t, format) },
			memory: func() backend { return awsInMemory(format) },
		}
	}
	return []storeRow{
		{
			name: "vault", pairs: 1,
			start:  func(t testing.TB) backend { return startKV(t) },
			twins:  func(t testing.TB) backend { return startTwins(t) },
			memory: func() backend { return inMemory() },
		},
		awsRow("aws", aws.JSON, 17),
		awsRow("aws plain", aws.Plain, 23),
	}
}

// overEachStore runs a test as a subtest for each store of the table.
func overEachStore(t *testing.T, test func(t *testing.T, row storeRow)) {
	t.Helper()
	for _, row := range stores() {
		t.Run(url.PathEscape(row.name), func(t *testing.T) {
			t.Parallel()
			test(t, row)
		})
	}
}

// The row of Vault.

func (kvServer) place(name string) entry.Location {
	return entry.Location{Mount: "secret", Path: name, Key: "token"}
}

func (k kvServer) open(w *world, wire http.RoundTripper) rotation.Store {
	client, err := vault.New(vault.Config{
		Address: k.address, Login: w.login, Transport: wire, Sleep: noSleep, Identity: w.identity,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return vault.NewStore(client)
}

// send makes Vault's health endpoint report the time of the sandbox, so that both servers
// share one clock.
func (k kvServer) send(w *world, r *http.Request) (*http.Response, error) {
	switch {
	case strings.HasSuffix(r.URL.Path, "/sys/health") && k.whole:
		return w.health(r)
	case strings.HasSuffix(r.URL.Path, "/sys/health"):
		return answer(r, 200, fmt.Sprintf(`{"initialized":true,"sealed":false,"standby":false,"server_time_utc":%d}`, w.now().Unix())), nil
	default:
		return k.wire.RoundTrip(r)
	}
}

func (kvServer) served(w *world) (*entry.Record, entry.Revision) {
	record, version := w.current()
	if version == 0 {
		return nil, ""
	}
	return record, entry.Revision(strconv.Itoa(version))
}

func (kvServer) publishes(r *http.Request) bool {
	return r.Method != http.MethodGet && strings.Contains(r.URL.Path, "/secret/data/")
}

func (kvServer) refusal(r *http.Request, what fault) *http.Response {
	switch what {
	case tooMany:
		return answer(r, http.StatusTooManyRequests, `{"errors":["slow down"]}`)
	case notYet:
		return answer(r, http.StatusPreconditionFailed, `{"errors":["required index state not present"]}`)
	case outage:
		return answer(r, http.StatusServiceUnavailable, `{"errors":["unavailable"]}`)
	case failedDone:
		return answer(r, http.StatusBadGateway, `<html>bad gateway</html>`)
	default:
		return answer(r, http.StatusInternalServerError, `{"errors":["internal error"]}`)
	}
}

func (kvServer) faults() []fault { return append(anyFaults(), notYet) }

func (kvServer) write(w *world, value map[string]any) {
	w.vault(http.MethodPost, "data/"+w.at.Path, map[string]any{"data": value})
}

func (kvServer) goBack(w *world) { w.rollBack(w.version() - 1) }

func (kvServer) former(w *world) *entry.Record {
	if w.version() < 2 {
		return nil
	}
	data := w.vault(http.MethodGet, fmt.Sprintf("data/%s?version=%d", w.at.Path, w.version()-1), nil)
	fields, _ := data["data"].(map[string]any)
	record, err := entry.DecodeRecord(w.at.Key, fields)
	if fields == nil || err != nil {
		return nil
	}
	return &record
}

func (kvServer) label(w *world, metadata map[string]any) {
	w.vault(http.MethodPatch, "metadata/"+w.at.Path, map[string]any{"custom_metadata": metadata})
}

// lies returns nothing: a lagging read of Vault is refused or repeated before it is used.
func (kvServer) lies() []lie { return nil }

func (k kvServer) clone() backend {
	k.wire = k.wire.(*memoryVault).clone() //nolint:forcetypeassert // it is one
	return k
}

func (kvServer) remove(w *world) { w.vault(http.MethodDelete, "data/"+w.at.Path, nil) }

func (kvServer) restore(w *world) {
	w.vault(http.MethodPost, "undelete/"+w.at.Path, map[string]any{"versions": []int{w.version()}})
}
