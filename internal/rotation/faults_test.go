package rotation_test

import (
	"context"
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

// scenario is one kind of run under faults.
type scenario struct {
	name  string
	setup func(w *world)
	run   func(ctx context.Context, w *world, wire http.RoundTripper) error
	gone  bool // the entry shall be gone at the end
}

func scenarios() []scenario {
	rotate := func(wish rotation.Wish, reason schedule.Reason) func(context.Context, *world, http.RoundTripper) error {
		return func(ctx context.Context, w *world, wire http.RoundTripper) error {
			request := w.request(wish, reason)
			request.MayRepublish = true
			_, err := w.engine(wire).Run(ctx, request)
			return err
		}
	}
	create := func(w *world) { w.run(w.request(rotation.Rotate, schedule.ReasonCreated)) }
	return []scenario{
		{name: "first create", setup: func(*world) {}, run: rotate(rotation.Rotate, schedule.ReasonCreated)},
		{name: "rotate", run: rotate(rotation.IfDue, schedule.ReasonNone), setup: func(w *world) {
			create(w)
			w.paistrike.Clock().Advance(30 * day)
		}},
		{name: "heal", run: rotate(rotation.IfDue, schedule.ReasonNone), setup: func(w *world) {
			create(w)
			record, _ := w.current()
			w.broken[record.TokenID] = true
			w.paistrike.Revoke(record.TokenID)
		}},
		{name: "destroy", gone: true, run: func(ctx context.Context, w *world, wire http.RoundTripper) error {
			_, err := w.engine(wire).Destroy(ctx, rotation.DestroyRequest{At: w.at, Owner: "resource-1", Ending: entry.EndDelete})
			return err
		}, setup: func(w *world) {
			create(w)
			w.paistrike.Clock().Advance(30 * day)
			w.run(w.request(rotation.IfDue, schedule.ReasonNone))
		}},
	}
}

// play runs a scenario under a script of faults, then clean, and gives what was
// violated and how many calls the faulty run made.
func (s scenario) play(t testing.TB, kv kvServer, script map[int]fault) (violations []string, calls int) {
	w := newWorld(t, kv)
	s.setup(w)
	wire := &faultyWire{script: script}
	return s.playIn(w, wire, func() {}), wire.calls
}

// playIn runs a scenario in a world that is set up, under what the wire does, then
// clean. In between is called when the faulty run has ended.
func (s scenario) playIn(w *world, wire *faultyWire, between func()) []string {
	eyes := newWitness(w)
	eyes.destroying = s.gone
	before, version := w.current()
	if before != nil {
		eyes.once[before.TokenID] = time.Time{}
		for _, r := range before.Retiring {
			eyes.once[r.ID] = r.RevokeAfter
		}
	}
	wire.witness = eyes
	live := len(w.live())
	wire.err = s.run(w.t.Context(), w, wire)
	between()
	wire.truthful(live, version)
	for _, deliver := range wire.late {
		deliver()
	}
	s.cleanRun(w, eyes)
	for _, deliver := range wire.later {
		deliver()
	}
	// A day later nothing can be in flight any more, and the overlap is over.
	w.paistrike.Clock().Advance(25 * time.Hour)
	s.cleanRun(w, eyes)
	if !s.gone {
		eyes.settled()
	}
	if s.gone && len(wire.later) == 0 && len(w.live()) > 0 {
		eyes.violate("I3: %d tokens live after a destroy", len(w.live()))
	}
	return eyes.violations
}

// cleanRun is what the next process does. It must succeed (I6), and leave every
// live token current, retiring, or possibly in flight (I3).
func (s scenario) cleanRun(w *world, eyes *witness) {
	if err := s.run(w.t.Context(), w, roundTripper(eyes.deliver)); err != nil {
		eyes.violate("I6: the clean run failed: %v", err)
		return
	}
	if s.gone {
		if record, _ := w.current(); record != nil && record.State == entry.StateActive {
			eyes.violate("I1: the entry serves a token after its end")
		}
		return
	}
	record, version := w.current()
	eyes.last = record
	if record == nil || !w.accepts(record.Secret) {
		eyes.violate("I1: after a clean run version %d serves no working token", version)
		return
	}
	for _, token := range w.live() {
		name, _ := rotation.ParseName(token.Name)
		named := token.ID == record.TokenID || slices.ContainsFunc(record.Retiring, func(r entry.Retiring) bool { return r.ID == token.ID })
		if inFlight := name.Gen > record.Gen || name.Inc != record.Inc; !named && !inFlight {
			eyes.violate("I3: token %s (generation %d, version %d) is a stray after a clean run", token.ID, name.Gen, version)
		}
	}
}

// settled checks that in the end exactly the current token is left.
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
func (s scenario) try(t testing.TB, kv kvServer, script map[int]fault, tally *proof.Tally) {
	t.Helper()
	violations, _ := s.play(t, kv, script)
	tally.N++
	tally.Violations += len(violations)
	if len(violations) > 0 {
		t.Errorf("%s: %s", describe(script), strings.Join(violations, "; "))
	}
}

// TestEverySingleFault makes each remote call of each run fail in each way. What the
// engine answers, the Vault in memory answers too.
func TestEverySingleFault(t *testing.T) {
	t.Parallel()
	kv := startTwins(t)
	for _, s := range scenarios() {
		t.Run(url.PathEscape(s.name), func(t *testing.T) {
			t.Parallel()
			_, calls := s.play(t, kv, nil)
			tally := proof.Tally{Kind: proof.Faults}
			for n := 1; n <= calls; n++ {
				for _, what := range allFaults {
					s.try(t, kv, map[int]fault{n: what}, &tally)
				}
			}
			t.Logf("%d calls, %d faults", calls, tally.N)
			proof.Add(t, tally)
		})
	}
}

// TestEveryPairOfFaults makes two calls of a run fail, each in each way: the second
// among all calls that the run makes because of the first.
func TestEveryPairOfFaults(t *testing.T) {
	t.Parallel()
	for _, s := range scenarios() {
		t.Run(url.PathEscape(s.name), func(t *testing.T) {
			t.Parallel()
			kv := inMemory()
			_, calls := s.play(t, kv, nil)
			tally := proof.Tally{Kind: proof.Pairs}
			for first := 1; first <= calls; first++ {
				for _, one := range allFaults {
					if one == killBefore || one == killAfter {
						continue // the dead make no further calls
					}
					_, reached := s.play(t, kv, map[int]fault{first: one})
					for second := first + 1; second <= reached; second++ {
						for _, two := range allFaults {
							s.try(t, kv, map[int]fault{first: one, second: two}, &tally)
						}
					}
				}
			}
			t.Logf("%d pairs", tally.N)
			proof.Add(t, tally)
		})
	}
}
