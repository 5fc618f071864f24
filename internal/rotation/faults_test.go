package rotation_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/proof"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

// scenario is one kind of run that the faults are injected into.
type scenario struct {
	name  string
	setup func(w *world)
	run   func(ctx context.Context, w *world, wire http.RoundTripper) error
	gone  bool // whether the entry must be closed at the end
	// thin marks a scenario that works like another one on Vault, so that a sample of its
	// pairs is sufficient.
	thin bool
	// backward runs independent reads last first.
	backward bool
}

func scenarios() []scenario {
	rotate := func(wish rotation.Wish, reason schedule.Reason) func(context.Context, *world, http.RoundTripper) error {
		return func(ctx context.Context, w *world, wire http.RoundTripper) error {
			request := w.request(wish, reason)
			request.MayRepublish, request.Adopt = true, w.adopt
			_, err := w.engine(wire).Run(ctx, request)
			return err
		}
	}
	create := func(w *world) { w.run(w.request(rotation.Rotate, schedule.ReasonCreated)) }
	return []scenario{
		{name: "first create", setup: func(*world) {}, run: rotate(rotation.Rotate, schedule.ReasonCreated)},
		{name: "rotate backward", thin: true, backward: true, run: rotate(rotation.IfDue, schedule.ReasonNone), setup: func(w *world) {
			create(w)
			w.paistrike.Clock().Advance(30 * day)
		}},
		{name: "rotate", run: rotate(rotation.IfDue, schedule.ReasonNone), setup: func(w *world) {
			create(w)
			w.paistrike.Clock().Advance(30 * day)
		}},
		{name: "heal", run: rotate(rotation.IfDue, schedule.ReasonNone), setup: func(w *world) {
			create(w)
			record, _ := w.served()
			w.broken[record.TokenID] = true
			w.paistrike.Revoke(record.TokenID)
		}},
		{name: "restore", thin: true, run: rotate(rotation.IfDue, schedule.ReasonNone), setup: func(w *world) {
			create(w)
			w.backend.remove(w)
		}},
		{name: "create again", thin: true, run: rotate(rotation.Rotate, schedule.ReasonCreated), setup: func(w *world) {
			create(w)
			w.destroy()
		}},
		{name: "destroy", gone: true, run: func(ctx context.Context, w *world, wire http.RoundTripper) error {
			_, err := w.engine(wire).Destroy(ctx, w.destroyRequest())
			return err
		}, setup: func(w *world) {
			create(w)
			w.paistrike.Clock().Advance(30 * day)
			w.run(w.request(rotation.IfDue, schedule.ReasonNone))
		}},
	}
}

func (w *world) destroyRequest() rotation.DestroyRequest {
	return rotation.DestroyRequest{At: w.at, Owner: "resource-1", Ending: entry.EndDelete}
}

// destroy destroys the entry without faults.
func (w *world) destroy() {
	w.t.Helper()
	if _, err := w.engine(w.wire()).Destroy(context.Background(), w.destroyRequest()); err != nil {
		w.t.Fatalf("clean destroy: %v", err)
	}
}

// play runs a scenario under a script of faults, then again without faults. It returns the
// violations and how many calls the faulty run made.
func (s scenario) play(t testing.TB, store backend, script map[int]fault) (violations []string, calls int) {
	w := newWorld(t, store)
	if s.backward {
		w.together = lastFirst
	}
	s.setup(w)
	wire := &faultyWire{script: script}
	return s.playIn(w, wire, func() {}), wire.calls
}

// runTime limits a run. A run takes milliseconds, or seconds if Vault restarts during it.
const runTime = 5 * time.Minute

// playIn runs a scenario over wire in a prepared world, then without faults. It calls
// between when the faulty run has ended.
func (s scenario) playIn(w *world, wire *faultyWire, between func()) []string {
	eyes := newWitness(w)
	if s.gone {
		eyes.destroyer = "resource-1"
	}
	var before *entry.Record
	before, wire.was = w.served()
	if before != nil {
		eyes.once[before.TokenID] = time.Time{}
		for _, r := range before.Retiring {
			eyes.once[r.ID] = r.RevokeAfter
		}
	}
	wire.witness = eyes
	live := len(w.live())
	ctx, cancel := context.WithTimeout(w.t.Context(), runTime)
	wire.err = s.run(ctx, w, wire)
	if ctx.Err() != nil {
		eyes.violate("the run did not end: %v", wire.err)
	}
	cancel()
	between()
	wire.truthful(live)
	for _, deliver := range wire.late {
		deliver()
	}
	s.cleanRun(w, eyes)
	for _, deliver := range wire.later {
		deliver()
	}
	// After a day nothing is in flight, and the overlap is over.
	w.paistrike.Clock().Advance(25 * time.Hour)
	s.cleanRun(w, eyes)
	if wire.setBack { // a version that a person went back to stays until the next rotation
		w.paistrike.Clock().Advance(30 * day)
		s.cleanRun(w, eyes)
		w.paistrike.Clock().Advance(25 * time.Hour)
		s.cleanRun(w, eyes)
	}
	if !s.gone {
		eyes.settled()
	}
	if _, revision := w.served(); wire.byHand != "" && s.gone && revision == "" {
		eyes.violate("I4: what a person wrote was deleted")
	}
	if s.gone && len(wire.later) == 0 && len(w.live()) > 0 {
		eyes.violate("I3: %d tokens live after a destroy", len(w.live()))
	}
	return eyes.violations
}

// cleanRun is the next process. It must succeed (I6) and leave every usable token current,
// retiring, or possibly in flight (I3).
func (s scenario) cleanRun(w *world, eyes *witness) {
	err := s.run(w.t.Context(), w, roundTripper(eyes.deliver))
	if failure, ok := errors.AsType[*rotation.Error](err); ok && failure.Code == "PS208" && w.deleted {
		w.adopt = true // a person deleted what nothing described yet, and confirms that it was ours
		err = s.run(w.t.Context(), w, roundTripper(eyes.deliver))
	}
	if err != nil {
		eyes.violate("I6: the clean run failed: %v", err)
		return
	}
	if s.gone {
		if record, _ := w.served(); record != nil && record.State == entry.StateActive {
			eyes.violate("I1: the entry serves a token after its end")
		}
		return
	}
	record, revision := w.served()
	eyes.last = record
	if record == nil || !w.accepts(record.Secret) {
		eyes.violate("I1: after a clean run revision %q serves no working token", revision)
		return
	}
	for _, token := range w.live() {
		name, _ := rotation.ParseName(token.Name)
		named := token.ID == record.TokenID || slices.ContainsFunc(record.Retiring, func(r entry.Retiring) bool { return r.ID == token.ID })
		if inFlight := name.Gen > record.Gen || name.Inc != record.Inc; !named && !inFlight {
			eyes.violate("I3: token %s (generation %d, of %d) is a stray after a clean run", token.ID, name.Gen, record.Gen)
		}
	}
}

// settled checks that only the current token is left at the end.
func (v *witness) settled() {
	record := v.last
	if live := v.live(); record == nil || len(live) != 1 || live[0].ID != record.TokenID {
		v.violate("I3: %d tokens live in the end, want the current one alone", len(live))
	}
}

func describe(script map[int]fault) string {
	var parts []string
	for n, what := range script {
		parts = append(parts, fmt.Sprintf("call %d: %s", n, what))
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}

// try plays one case and counts it.
func (s scenario) try(t testing.TB, store backend, script map[int]fault, tally *proof.Tally) {
	t.Helper()
	violations, _ := s.play(t, store, script)
	tally.N++
	tally.Violations += len(violations)
	if len(violations) > 0 {
		t.Errorf("%s: %s", describe(script), strings.Join(violations, "; "))
	}
}

// TestEverySingleFault makes each remote call of each run fail in each way, over each
// store. Every response of the server is compared with that of its model in memory.
func TestEverySingleFault(t *testing.T) {
	t.Parallel()
	overEachStore(t, func(t *testing.T, row storeRow) {
		t.Helper()
		for _, s := range scenarios() {
			t.Run(url.PathEscape(s.name), func(t *testing.T) {
				t.Parallel()
				store := row.memory()
				if !s.backward { // otherwise another scenario compares
					store = row.twins(t)
				}
				_, calls := s.play(t, store, nil)
				tally := proof.Tally{Kind: proof.Faults}
				for n := 1; n <= calls; n++ {
					for _, what := range append(store.faults(), deeds...) {
						s.try(t, store, map[int]fault{n: what}, &tally)
					}
				}
				t.Logf("%d calls, %d faults", calls, tally.N)
				proof.Add(t, tally)
			})
		}
	})
}

// TestPairsOfFaults makes two calls of a run fail, each in each way. The second call is
// any of those that the run makes because of the first fault. Vault is tested with every
// pair, AWS with a fixed sample.
func TestPairsOfFaults(t *testing.T) {
	t.Parallel()
	overEachStore(t, func(t *testing.T, row storeRow) {
		t.Helper()
		for _, s := range scenarios() {
			t.Run(url.PathEscape(s.name), func(t *testing.T) {
				t.Parallel()
				s.pairs(t, row)
			})
		}
	})
}

// thinned is the number of pairs of a thin scenario for each pair that is tried.
const thinned = 13

// pairs tries the pairs of a scenario that the row selects.
func (s scenario) pairs(t *testing.T, row storeRow) {
	t.Helper()
	store, of := row.memory(), row.pairs
	if s.thin {
		of = max(of, thinned)
	}
	_, calls := s.play(t, store, nil)
	tally, met := proof.Tally{Kind: proof.Pairs}, 0
	for first := 1; first <= calls; first++ {
		for _, one := range store.faults() {
			if one == killBefore || one == killAfter {
				continue // a killed process makes no further calls
			}
			_, reached := s.play(t, store, map[int]fault{first: one})
			for second := first + 1; second <= reached; second++ {
				for _, two := range store.faults() {
					if met++; met%of == 0 {
						s.try(t, store, map[int]fault{first: one, second: two}, &tally)
					}
				}
			}
		}
	}
	t.Logf("%d pairs of %d", tally.N, met)
	proof.Add(t, tally)
}
