package rotation_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
)

// fault is how one remote call fails.
type fault string

const (
	dropped    fault = "dropped before" // never sent
	lost       fault = "reply lost"     // done, and the response is lost
	late       fault = "applied late"   // done after the run has ended
	later      fault = "applied later"  // done after the next run has ended
	failed     fault = "500"            // refused by a broken server
	failedDone fault = "502 after"      // done, and a proxy responds with 502
	tooMany    fault = "429"
	notYet     fault = "412"              // a standby that lags
	hang       fault = "hang"             // no response until the deadline
	killBefore fault = "killed before"    // the process dies before the call
	killAfter  fault = "killed after"     // the process dies after the call
	outage     fault = "outage from here" // this server responds with 503 until the run ends
	taken      fault = "taken"            // done, and AWS reports that the ClientRequestToken is in use for another value
)

// Manual changes to the entry before a call.
const (
	written  fault = "overwritten by hand before"
	wentBack fault = "set back by hand before"
	removed  fault = "deleted by hand before"
)

var deeds = []fault{written, wentBack, removed}

// anyFaults returns the faults that apply to every server.
func anyFaults() []fault {
	return []fault{dropped, lost, late, later, failed, failedDone, tooMany, hang, killBefore, killAfter, outage}
}

// faultyWire numbers the remote calls of one run and makes some of them fail.
type faultyWire struct {
	*witness
	script map[int]fault
	calls  int
	down   string // a host that no longer responds
	dead   bool   // the process was killed: whatever it still tries has no effect
	late   []func()
	later  []func()
	before func(call int, r *http.Request) // what else happens before a call
	was    entry.Revision                  // what was current before the run, or as a person left it
	err    error                           // how the run ended
	// setBack is true if a person went back to an older revision.
	setBack bool
	// byHand is the revision that a person wrote.
	byHand entry.Revision
}

var errConnection = errors.New("connection reset by peer")

// RoundTrip delivers a call or makes it fail, according to the script.
func (f *faultyWire) RoundTrip(r *http.Request) (*http.Response, error) {
	f.calls++
	if f.before != nil {
		f.before(f.calls, r)
	}
	what, hit := f.script[f.calls]
	if f.dead {
		return nil, errConnection
	}
	if f.down == r.URL.Host || (hit && what == outage) {
		f.down = r.URL.Host
		return f.refusal(r, outage), nil
	}
	if !hit || what == taken && !tokened(r) {
		return f.deliver(r)
	}
	switch what {
	case written, wentBack, removed:
		f.doneByHand(what)
		return f.deliver(r)
	case dropped:
		return nil, errConnection
	case hang:
		return nil, context.DeadlineExceeded
	case failed, tooMany, notYet:
		return f.refusal(r, what), nil
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
	case failedDone, taken:
		return f.refusal(r, what), nil
	case killAfter:
		f.dead = true
	}
	return nil, errConnection
}

// doneByHand performs a manual change if there is an entry to change.
func (f *faultyWire) doneByHand(what fault) {
	record, _ := f.served()
	switch {
	case record == nil:
	case what == written:
		f.backend.write(f.world, map[string]any{"token": "written by hand"})
		_, f.byHand = f.served()
	case record.State != entry.StateActive:
	case what == removed:
		f.deleted = true
		f.backend.remove(f.world)
	case record.Base != "":
		f.setBack = true
		f.backend.goBack(f.world)
	}
	_, f.was = f.served()
}

// refusal returns the error response of the server that a call is addressed to. PAIStrike
// refuses like Vault.
func (f *faultyWire) refusal(r *http.Request, what fault) *http.Response {
	if r.URL.Host == paistrikeHost {
		return kvServer{}.refusal(r, what)
	}
	return f.backend.refusal(r, what)
}

// copied returns a copy of a request that can be sent after its caller has given up.
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

// witness observes between the wire and the servers what really happens. It checks
// invariants I1, I2 and I7 at every publication and every revocation.
type witness struct {
	*world
	once map[string]time.Time // tokens that were current, and until when they are safe; zero: still current
	// destroyer is the owner whose destroy is under way, if any.
	destroyer string
	// compromised is true if the user declared the replaced tokens compromised.
	compromised bool
	last        *entry.Record // what the last clean run left
	violations  []string
	// tell receives every change on the servers.
	tell func(format string, args ...any)
}

func newWitness(w *world) *witness {
	return &witness{world: w, once: map[string]time.Time{}, tell: func(string, ...any) {}}
}

func (v *witness) violate(format string, args ...any) {
	v.violations = append(v.violations, fmt.Sprintf(format, args...))
}

// deliver sends a call to its server and checks its effect.
func (v *witness) deliver(r *http.Request) (*http.Response, error) {
	id, aboutOne := strings.CutPrefix(r.URL.Path, "/api/v1/api-tokens/")
	switch {
	case r.URL.Host == paistrikeHost && aboutOne && r.Method == http.MethodDelete:
		ended := v.tokenOf(id)
		response, err := v.send(r)
		if ended.Status == string(paistrike.StatusActive) && v.tokenOf(id).Status != ended.Status {
			v.revoked(ended)
		}
		return response, err
	case r.URL.Host == paistrikeHost, !v.backend.publishes(r):
		return v.send(r)
	}
	before, was := v.served()
	response, err := v.send(r)
	if record, now := v.served(); record != nil && now != was {
		v.published(before, record)
	}
	return response, err
}

// published checks I1: a token that becomes current is accepted. It records until when
// tokens that are no longer current are safe, and checks that only the owner closes an
// entry.
func (v *witness) published(before, record *entry.Record) {
	v.tell("published: generation %d, %s, token %s, retiring %v", record.Gen, record.State, record.TokenID, record.Retiring)
	if record.State == entry.StateTombstone {
		if before != nil && before.State == entry.StateActive && before.Owner != v.destroyer {
			v.violate("I1: the entry of %q was closed in the name of %q", before.Owner, v.destroyer)
		}
		clear(v.once)
		return
	}
	if !v.accepts(record.Secret) && !v.broken[record.TokenID] {
		v.violate("I1: version serves token %s, which PAIStrike refuses", record.TokenID)
	}
	v.serves(record.TokenID)
}

// serves records that a token is current now.
func (v *witness) serves(id string) {
	for other, until := range v.once {
		if until.IsZero() && other != id {
			v.once[other] = v.now().Add(day) // the requested overlap
		}
	}
	v.once[id] = time.Time{}
}

// revoked checks I1, I2 and I7: a revoked token is not current, not in its overlap, and
// belongs to this entry.
func (v *witness) revoked(token sandbox.Token) {
	v.tell("revoked: token %s (%q)", token.ID, token.Name)
	if !v.named(token) {
		v.violate("I7: token %s (%q) was revoked, which is not of this entry", token.ID, token.Name)
	}
	current, _ := v.served()
	if current != nil && current.State == entry.StateActive && current.TokenID == token.ID && !v.broken[token.ID] {
		v.violate("I1: token %s was revoked while the store serves it", token.ID)
	}
	until, was := v.once[token.ID]
	closed := v.destroyer != "" && current == nil // the current version is a person's secret, or absent
	if was && !closed && !v.compromised && (until.IsZero() || v.now().Before(until)) && !v.broken[token.ID] {
		v.violate("I2: token %s was revoked before its overlap was over", token.ID)
	}
	delete(v.once, token.ID)
}

// truthful checks what a failed run reports: it has a code, and if it states that nothing
// was created or changed, that is true.
func (f *faultyWire) truthful(live int) {
	if f.err == nil || f.dead {
		return // a killed process reports nothing
	}
	var failure *rotation.Error
	if !errors.As(f.err, &failure) {
		f.violate("the error has no code: %v", f.err)
		return
	}
	if strings.Contains(failure.Detail, "Nothing was created") && len(f.world.live()) > live {
		f.violate("I4: it says that nothing was created, and a token is there: %v", failure)
	}
	if _, now := f.served(); strings.Contains(failure.Detail, "or changed") && now != f.was {
		f.violate("I4: it says that nothing was changed, and there is a new version: %v", failure)
	}
}
