package rotation_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/vaultkv"
)

// together starts all functions at the same moment and waits for them.
func together(functions ...func()) {
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
	w := newWorld(t, startKV(t))
	w.run(w.request(rotation.Rotate, rotation.ReasonCreated))
	w.paistrike.Clock().Advance(30 * day)
	var mu sync.Mutex
	rotated := 0
	runs := make([]func(), 64)
	for i := range runs {
		engine := w.engine(w.wire()) // a process of its own
		runs[i] = func() {
			result, err := engine.Run(t.Context(), w.request(rotation.IfDue, rotation.ReasonNone))
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
	together(runs...)
	if _, version := w.current(); rotated != 1 || version != 2 {
		t.Errorf("%d rotations, version %d, want exactly one", rotated, version)
	}
	if live := w.live(); len(live) != 2 {
		t.Errorf("%d live tokens, want the new one and the one in overlap: the losers' are revoked", len(live))
	}
}

func TestTerraformAndAScheduledRunAtOnce(t *testing.T) {
	t.Parallel()
	kv := startKV(t)
	for range 20 {
		w := newWorld(t, kv)
		created := w.run(w.request(rotation.Rotate, rotation.ReasonCreated))
		w.paistrike.Clock().Advance(30 * day)
		terraform, scheduled := w.engine(w.wire()), w.engine(w.wire())
		planned := w.request(rotation.Rotate, rotation.ReasonPeriod)
		planned.Replaces = created.TokenID
		var results [2]rotation.Result
		var errs [2]error
		together(
			func() { results[0], errs[0] = terraform.Run(t.Context(), planned) },
			func() {
				results[1], errs[1] = scheduled.Run(t.Context(), w.request(rotation.IfDue, rotation.ReasonNone))
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
	kv := startKV(t)
	for range 20 {
		w := newWorld(t, kv)
		w.run(w.request(rotation.Rotate, rotation.ReasonCreated))
		w.paistrike.Clock().Advance(30 * day)
		destroyer, rotator := w.engine(w.wire()), w.engine(w.wire())
		request := rotation.DestroyRequest{At: w.at, Owner: "resource-1", OnDestroy: rotation.OnDestroyDelete}
		together(
			func() {
				if _, err := destroyer.Destroy(t.Context(), request); err != nil {
					t.Errorf("destroy: %v", err)
				}
			},
			func() {
				_, err := rotator.Run(t.Context(), w.request(rotation.IfDue, rotation.ReasonNone))
				if err != nil {
					t.Errorf("rotate: %v", err)
				}
			},
		)
		if record, _ := w.current(); record != nil && record.State == vaultkv.StateActive {
			t.Fatal("a token is served after the entry was destroyed")
		}
		if live := w.live(); len(live) != 0 {
			t.Fatalf("%d tokens live after destroy and rotate met", len(live))
		}
	}
}

func TestTwoVaultsWithEqualPathsShareAnAccount(t *testing.T) {
	t.Parallel()
	production := newWorld(t, startKV(t))
	staging := *production
	staging.kv = startKV(t)
	production.run(production.request(rotation.Rotate, rotation.ReasonCreated))
	staging.run(staging.request(rotation.Rotate, rotation.ReasonCreated))
	first, _ := production.current()
	second, _ := staging.current()
	if first.Slot == second.Slot {
		t.Fatal("two Vaults have the same slot for the same path")
	}
	for range 3 {
		production.paistrike.Clock().Advance(30 * day)
		together(
			func() { production.run(production.request(rotation.IfDue, rotation.ReasonNone)) },
			func() { staging.run(staging.request(rotation.IfDue, rotation.ReasonNone)) },
		)
		for name, w := range map[string]*world{"production": production, "staging": &staging} {
			if record, _ := w.current(); !production.accepts(record.Secret) {
				t.Fatalf("%s lost its token to the other Vault", name)
			}
		}
	}
}

// TestSoak rotates again and again while a consumer polls. The consumer must never
// see a refused token.
func TestSoak(t *testing.T) {
	t.Parallel()
	w := newSmallWorld()
	request := smallRequest
	request.Wish, request.Reason = rotation.Rotate, rotation.ReasonCreated
	const rotations = 10_000
	refused := 0
	consume := func() {
		top := w.top()
		if err := (directTokens{w}).Verify(context.Background(), top.Secret); err != nil {
			refused++
		}
	}
	before := runtime.NumGoroutine()
	for range rotations {
		// A process of its own for every run, as in a scheduled workflow.
		engine := rotation.New(directTokens{w}, directStore{w}, rotation.WithSleep(noSleep))
		result, err := engine.Run(t.Context(), request)
		if err != nil || !result.Rotated {
			t.Fatalf("rotation: %v", err)
		}
		consume()
		w.now = w.now.Add(12 * time.Hour)
		w.forget()
		request.Reason = rotation.ReasonForced
	}
	live := 0
	for _, token := range w.tokens {
		if token.Usable(w.now) {
			live++
		}
	}
	if refused != 0 || live > 4 || runtime.NumGoroutine() > before+200 {
		t.Errorf("%d refusals, %d live tokens, %d goroutines more", refused, live, runtime.NumGoroutine()-before)
	}
	t.Logf("%d rotations, %d refusals, %d tokens live at the end, at most %d in a record's overlap list", rotations, refused, live, len(w.top().Retiring))
}
