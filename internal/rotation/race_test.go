package rotation_test

import (
	"errors"
	"net/http"
	"slices"
	"sync"
	"testing"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/proof"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

// race counts the competing runs of a test.
type race struct{ runs int }

func newRace(t *testing.T) *race {
	t.Helper()
	var r race
	t.Cleanup(func() {
		tally := proof.Tally{Kind: proof.Races, N: r.runs}
		if t.Failed() {
			tally.Violations = 1
		}
		proof.Add(t, tally)
	})
	return &r
}

// together starts all functions at the same moment and waits for them.
func (r *race) together(functions ...func()) {
	r.runs += len(functions)
	start := make(chan struct{})
	var all sync.WaitGroup
	for _, f := range functions {
		all.Go(func() {
			<-start
			f()
		})
	}
	close(start)
	all.Wait()
}

func TestSixtyFourRunsAtOnceRotateOnce(t *testing.T) {
	t.Parallel()
	overEachStore(t, sixtyFourRunsRotateOnce)
}

func sixtyFourRunsRotateOnce(t *testing.T, row storeRow) {
	t.Helper()
	w := newWorld(t, row.start(t))
	w.run(w.request(rotation.Rotate, schedule.ReasonCreated))
	w.paistrike.Clock().Advance(30 * day)
	var mu sync.Mutex
	rotated := 0
	runs := make([]func(), 64)
	for i := range runs {
		engine := w.engine(w.wire()) // a new process
		runs[i] = func() {
			result, err := engine.Run(t.Context(), w.request(rotation.IfDue, schedule.ReasonNone))
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Errorf("a run failed: %v", err)
			}
			if result.Rotated {
				rotated++
			}
		}
	}
	newRace(t).together(runs...)
	if record := mustRecord(w); rotated != 1 || record.Gen != 2 {
		t.Errorf("%d rotations, generation %d, want exactly one", rotated, record.Gen)
	}
	if live := w.live(); len(live) != 2 {
		t.Errorf("%d live tokens, want the new one and the one in overlap: the losers' are revoked", len(live))
	}
}

// One of many concurrent first versions becomes current. On AWS it is the first one put,
// without moving the label.
func TestManyFirstCreates(t *testing.T) {
	t.Parallel()
	overEachStore(t, manyFirstCreates)
}

func manyFirstCreates(t *testing.T, row storeRow) {
	t.Helper()
	store, race := row.start(t), newRace(t)
	for range 4 {
		w := newWorld(t, store)
		runs := make([]func(), 6)
		for i := range runs {
			engine := w.engine(w.wire())
			runs[i] = func() {
				if _, err := engine.Run(t.Context(), w.request(rotation.Rotate, schedule.ReasonCreated)); err != nil {
					t.Logf("a run failed: %v", err)
				}
			}
		}
		race.together(runs...)
		record := mustRecord(w)
		if !w.accepts(record.Secret) {
			t.Error("the token that is served does not work")
		}
		for _, token := range w.live() {
			retiring := slices.ContainsFunc(record.Retiring, func(r entry.Retiring) bool { return r.ID == token.ID })
			if token.ID != record.TokenID && !retiring {
				t.Errorf("token %s lives and is neither current nor retiring", token.Name)
			}
		}
	}
}

func TestTerraformAndAScheduledRunAtOnce(t *testing.T) {
	t.Parallel()
	overEachStore(t, terraformAndAScheduledRun)
}

func terraformAndAScheduledRun(t *testing.T, row storeRow) {
	t.Helper()
	store, race := row.start(t), newRace(t)
	for range 20 {
		w := newWorld(t, store)
		created := w.run(w.request(rotation.Rotate, schedule.ReasonCreated))
		w.paistrike.Clock().Advance(30 * day)
		terraform, scheduled := w.engine(w.wire()), w.engine(w.wire())
		planned := w.request(rotation.Rotate, schedule.ReasonPeriod)
		planned.Replaces = created.TokenID
		var results [2]rotation.Result
		var errs [2]error
		race.together(
			func() { results[0], errs[0] = terraform.Run(t.Context(), planned) },
			func() {
				results[1], errs[1] = scheduled.Run(t.Context(), w.request(rotation.IfDue, schedule.ReasonNone))
			},
		)
		if err := errors.Join(errs[:]...); err != nil {
			t.Fatal(err)
		}
		if results[0].Rotated == results[1].Rotated || results[0].TokenID != results[1].TokenID || len(w.live()) != 2 {
			t.Fatalf("Terraform rotated = %t, the scheduled run = %t, %d live: want one rotation that both agree on", results[0].Rotated, results[1].Rotated, len(w.live()))
		}
	}
}

func TestDestroyAgainstRotate(t *testing.T) {
	t.Parallel()
	overEachStore(t, destroyAgainstRotate)
}

func destroyAgainstRotate(t *testing.T, row storeRow) {
	t.Helper()
	store, race := row.start(t), newRace(t)
	for range 20 {
		w := newWorld(t, store)
		w.run(w.request(rotation.Rotate, schedule.ReasonCreated))
		w.paistrike.Clock().Advance(30 * day)
		destroyer, rotator := w.engine(w.wire()), w.engine(w.wire())
		race.together(
			func() {
				if _, err := destroyer.Destroy(t.Context(), w.destroyRequest()); err != nil {
					t.Errorf("destroy: %v", err)
				}
			},
			func() {
				_, err := rotator.Run(t.Context(), w.request(rotation.IfDue, schedule.ReasonNone))
				if err != nil {
					t.Errorf("rotate: %v", err)
				}
			},
		)
		if record, _ := w.served(); record != nil && record.State == entry.StateActive {
			t.Fatal("a token is served after the entry was destroyed")
		}
		if live := w.live(); len(live) != 0 {
			t.Fatalf("%d tokens live after destroy and rotate met", len(live))
		}
	}
}

// A run publishes on the revision that it observed before the mint. A value that a person
// has written since then stays, or the next version follows it.
func TestHandWrittenBetweenObserveAndPublish(t *testing.T) {
	t.Parallel()
	overEachStore(t, handWritten)
}

func handWritten(t *testing.T, row storeRow) {
	t.Helper()
	store := row.twins(t)
	// The run detects the change by a refusal, or loses the response to one of the writes
	// of its publication.
	for lose := range 4 {
		w := newWorld(t, store)
		w.create()
		w.paistrike.Clock().Advance(30 * day)
		minted, writes, byHand := false, 0, entry.Revision("")
		wire := roundTripper(func(r *http.Request) (*http.Response, error) {
			response, err := w.send(r)
			switch {
			case r.URL.Host == paistrikeHost && r.Method == http.MethodPost && !minted:
				minted = true
				store.write(w, map[string]any{"token": "written by hand"})
				_, byHand = w.served()
			case r.URL.Host != paistrikeHost && minted && store.publishes(r):
				if writes++; writes == lose {
					response.Body.Close()
					return nil, errConnection
				}
			}
			return response, err
		})
		_, err := w.engine(wire).Run(t.Context(), w.request(rotation.IfDue, schedule.ReasonNone))
		switch record, revision := w.served(); {
		case !minted || writes < lose && lose < 2:
			t.Errorf("reply %d lost: minted = %t, %d writes", lose, minted, writes)
		case err != nil && revision != byHand:
			t.Errorf("reply %d lost: revision %s is served after %v", lose, revision, err)
		case err == nil && (record == nil || record.Base != byHand):
			t.Errorf("reply %d lost: %+v is served, which does not follow what was written by hand as %s", lose, record, byHand)
		}
		if live := w.live(); len(live) > 2 {
			t.Errorf("reply %d lost: %d tokens live", lose, len(live))
		}
	}
}

func TestTwoVaultsWithEqualPathsShareAnAccount(t *testing.T) {
	t.Parallel()
	production, race := newWorld(t, startKV(t)), newRace(t)
	staging := production.on(startKV(t))
	production.run(production.request(rotation.Rotate, schedule.ReasonCreated))
	staging.run(staging.request(rotation.Rotate, schedule.ReasonCreated))
	first, _ := production.current()
	second, _ := staging.current()
	if first.Slot == second.Slot {
		t.Fatal("two Vaults have the same slot for the same path")
	}
	for range 3 {
		production.paistrike.Clock().Advance(30 * day)
		race.together(
			func() { production.run(production.request(rotation.IfDue, schedule.ReasonNone)) },
			func() { staging.run(staging.request(rotation.IfDue, schedule.ReasonNone)) },
		)
		for name, w := range map[string]*world{"production": production, "staging": staging} {
			if record, _ := w.current(); !production.accepts(record.Secret) {
				t.Fatalf("%s lost its token to the other Vault", name)
			}
		}
	}
}
