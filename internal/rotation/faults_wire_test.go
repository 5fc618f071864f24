package rotation_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
)

// fault is what goes wrong with one remote call.
type fault string

const (
	dropped    fault = "dropped before"   // never sent
	lost       fault = "reply lost"       // done, and nobody hears of it
	late       fault = "applied late"     // done after the run has ended
	later      fault = "applied later"    // done after the next run has ended
	failed     fault = "500"              // refused by a broken server
	failedDone fault = "502 after"        // done, and a proxy says 502
	tooMany    fault = "429"              //
	notYet     fault = "412"              // a standby that lags behind
	hang       fault = "hang"             // no answer until the deadline
	killBefore fault = "killed before"    // the process dies before the call
	killAfter  fault = "killed after"     // the process dies after the call
	outage     fault = "outage from here" // this server answers 503 until the run ends
)

var allFaults = []fault{dropped, lost, late, later, failed, failedDone, tooMany, notYet, hang, killBefore, killAfter, outage}

// faultyWire numbers the remote calls of one run and makes some of them fail.
type faultyWire struct {
	*witness
	script map[int]fault
	calls  int
	down   string // a host that has gone
	dead   bool   // the process was killed: whatever it still tries has no effect
	late   []func()
	later  []func()
	before func(call int) // what else happens before a call
	err    error          // how the run ended
}

var errConnection = errors.New("connection reset by peer")

// RoundTrip delivers a call or not, by the script.
func (f *faultyWire) RoundTrip(r *http.Request) (*http.Response, error) {
	f.calls++
	if f.before != nil {
		f.before(f.calls)
	}
	what, hit := f.script[f.calls]
	if f.dead {
		return nil, errConnection
	}
	if f.down == r.URL.Host || (hit && what == outage) {
		f.down = r.URL.Host
		return answer(r, http.StatusServiceUnavailable, `{"errors":["unavailable"]}`), nil
	}
	if !hit {
		return f.deliver(r)
	}
	switch what {
	case dropped:
		return nil, errConnection
	case hang:
		return nil, context.DeadlineExceeded
	case failed:
		return answer(r, http.StatusInternalServerError, `{"errors":["internal error"]}`), nil
	case tooMany:
		return answer(r, http.StatusTooManyRequests, `{"errors":["slow down"]}`), nil
	case notYet:
		return answer(r, http.StatusPreconditionFailed, `{"errors":["required index state not present"]}`), nil
	case late, later:
		again := copied(r)
		deliver := func() {
			if response, err := f.deliver(again); err == nil {
				response.Body.Close()
			}
		}
		if what == late {
			f.late = append(f.late, deliver)
		} else {
			f.later = append(f.later, deliver)
		}
		return nil, errConnection
	case killBefore:
		f.dead = true
		return nil, errConnection
	}
	response, err := f.deliver(r)
	if err != nil {
		return nil, err
	}
	response.Body.Close()
	switch what {
	case failedDone:
		return answer(r, http.StatusBadGateway, `<html>bad gateway</html>`), nil
	case killAfter:
		f.dead = true
	}
	return nil, errConnection
}

// copied is a request that can be sent when its caller has long given up.
func copied(r *http.Request) *http.Request {
	again := r.Clone(context.Background())
	if r.Body != nil {
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			panic(err)
		}
		r.Body, again.Body = io.NopCloser(bytes.NewReader(raw)), io.NopCloser(bytes.NewReader(raw))
	}
	return again
}

// witness stands between the wire and the servers and watches what really happens
// to them: invariants I1 and I2 at every publication and every revocation.
type witness struct {
	*world
	once       map[string]time.Time // tokens that were current, and until when they are safe; zero: still current
	destroying bool
	last       *entry.Record // what the last clean run left
	violations []string
}

func newWitness(w *world) *witness { return &witness{world: w, once: map[string]time.Time{}} }

func (v *witness) violate(format string, args ...any) {
	v.violations = append(v.violations, fmt.Sprintf(format, args...))
}

// deliver sends a call to its server and looks at what it did.
func (v *witness) deliver(r *http.Request) (*http.Response, error) {
	published := v.publication(r)
	response, err := v.send(r)
	if err != nil || response.StatusCode >= 300 {
		return response, err
	}
	if id, ok := strings.CutPrefix(r.URL.Path, "/api/v1/api-tokens/"); ok && r.Method == http.MethodDelete {
		v.revoked(id)
	}
	if published != nil {
		v.published(published)
	}
	return response, nil
}

// publication reads the record out of a check-and-set write.
func (v *witness) publication(r *http.Request) *entry.Record {
	if r.Method == http.MethodGet || r.Body == nil || !strings.Contains(r.URL.Path, "/secret/data/") {
		return nil
	}
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	r.Body = io.NopCloser(bytes.NewReader(raw))
	var body struct {
		Data map[string]any `json:"data"`
	}
	if err := json.Unmarshal(raw, &body); err != nil {
		return nil
	}
	record, err := entry.DecodeRecord(v.at.Key, body.Data)
	if err != nil {
		return nil
	}
	return &record
}

// published checks I1: what became current is accepted. It notes until when the
// tokens that are no longer current are safe.
func (v *witness) published(record *entry.Record) {
	if record.State == entry.StateActive && !v.accepts(record.Secret) && !v.broken[record.TokenID] {
		v.violate("I1: version serves token %s, which PAIStrike refuses", record.TokenID)
	}
	for id, until := range v.once {
		if until.IsZero() && id != record.TokenID {
			v.once[id] = v.now().Add(day) // the overlap that was asked for
		}
	}
	if record.State == entry.StateActive {
		v.once[record.TokenID] = time.Time{}
	}
}

// revoked checks I1 and I2: neither the current token nor one in its overlap ends.
func (v *witness) revoked(id string) {
	current, _ := v.current()
	if current != nil && current.State == entry.StateActive && current.TokenID == id {
		v.violate("I1: token %s was revoked while Vault serves it", id)
	}
	until, was := v.once[id]
	if was && !v.destroying && (until.IsZero() || v.now().Before(until)) && !v.broken[id] {
		v.violate("I2: token %s was revoked before its overlap was over", id)
	}
}

// truthful checks what a run that failed says of itself: it has a code, and where it
// says that nothing was created or changed, nothing was.
func (f *faultyWire) truthful(live, version int) {
	if f.err == nil {
		return
	}
	var failure *rotation.Error
	if !errors.As(f.err, &failure) {
		f.violate("the error has no code: %v", f.err)
		return
	}
	if strings.Contains(failure.Detail, "Nothing was created") && len(f.world.live()) > live {
		f.violate("I4: it says that nothing was created, and a token is there: %v", failure)
	}
	if strings.Contains(failure.Detail, "or changed") && f.version() != version {
		f.violate("I4: it says that nothing was changed, and there is a new version: %v", failure)
	}
}
