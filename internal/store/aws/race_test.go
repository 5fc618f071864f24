package aws_test

import (
	"net/http"
	"sync"
	"testing"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/aws"
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

func TestManyRunsAtOnceRotateOnce(t *testing.T) {
	t.Parallel()
	inEachFormat(t, "rotate", manyRunsRotateOnce)
}

func manyRunsRotateOnce(t *testing.T, format aws.Format) {
	t.Helper()
	w := newWorld(t, startAWS(t), "race")
	w.settings.Format = format
	rotations := func(wish rotation.Wish, reason schedule.Reason) int {
		var mu sync.Mutex
		rotated := 0
		runs := make([]func(), 12)
		for i := range runs {
			engine := w.engine(w.wire()) // a process of its own
			runs[i] = func() {
				result, err := engine.Run(t.Context(), w.request(wish, reason))
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
		return rotated
	}
	w.create()
	for gen := 2; gen < 5; gen++ {
		w.advance(30 * day)
		if n := rotations(rotation.IfDue, schedule.ReasonNone); n != 1 {
			t.Errorf("%d rotations", n)
		}
		if record := w.current(); record.Gen != gen {
			t.Errorf("generation %d, want %d", record.Gen, gen)
		}
		if err := w.check(); err != nil {
			t.Error(err)
		}
	}
}

// TestManyFirstCreates shows that of many first versions one becomes current, which AWS
// decides by itself and not by a move of the label.
func TestManyFirstCreates(t *testing.T) {
	t.Parallel()
	inEachFormat(t, "create", manyFirstCreates)
}

func manyFirstCreates(t *testing.T, format aws.Format) {
	t.Helper()
	server := startAWS(t)
	for _, name := range []string{"first/a", "first/b", "first/c"} {
		w := newWorld(t, server, name)
		w.settings.Format = format
		runs := make([]func(), 6)
		for i := range runs {
			engine := w.engine(w.wire())
			request := w.request(rotation.Rotate, schedule.ReasonCreated)
			runs[i] = func() {
				if _, err := engine.Run(t.Context(), request); err != nil {
					t.Logf("a run failed: %v", err)
				}
			}
		}
		together(runs...)
		if err := w.check(); err != nil {
			t.Error(err)
		}
	}
}

func TestDestroyAgainstRotate(t *testing.T) {
	t.Parallel()
	server := startAWS(t)
	for _, name := range []string{"end/a", "end/b", "end/c", "end/d"} {
		w := newWorld(t, server, name)
		w.create()
		w.paistrike.Clock().Advance(30 * day)
		destroyer, rotator := w.engine(w.wire()), w.engine(w.wire())
		together(
			func() {
				request := rotation.DestroyRequest{At: w.at, Owner: "resource-1", Ending: entry.EndDelete}
				ended, err := destroyer.Destroy(t.Context(), request)
				if err != nil || !ended.Closed {
					t.Errorf("destroy: %+v, %v", ended, err)
				}
			},
			func() {
				if _, err := rotator.Run(t.Context(), w.request(rotation.IfDue, schedule.ReasonNone)); err != nil {
					t.Errorf("rotate: %v", err)
				}
			},
		)
		if record := w.current(); record != nil && record.State == entry.StateActive {
			t.Fatalf("a token is served after the entry was destroyed: %+v, %v", record, w.labels())
		}
		if live := w.live(); len(live) != 0 {
			t.Fatalf("%d tokens live after destroy and rotate met", len(live))
		}
	}
}

// TestHandWrittenBetweenObserveAndPublish shows that a run names the version that it
// observed before the mint: a value that somebody wrote since then stays.
func TestHandWrittenBetweenObserveAndPublish(t *testing.T) {
	t.Parallel()
	server := startAWS(t)
	// The run may learn of it by a refusal, or first lose the reply to a write.
	for name, lose := range map[string]string{"refused": "", "put lost": "PutSecretValue", "move lost": "UpdateSecretVersionStage"} {
		w := newWorld(t, server, "hand/"+name[:3])
		w.create()
		w.advance(30 * day)
		minted, lost, byHand := false, false, ""
		wire := roundTripper(func(r *http.Request) (*http.Response, error) {
			response, err := w.send(r)
			if operation(r) == "" && r.Method == http.MethodPost && !minted {
				minted = true
				w.put("by hand")
				_, byHand = w.value()
			}
			if minted && !lost && operation(r) == lose && lose != "" {
				lost = true
				return nil, http.ErrServerClosed
			}
			return response, err
		})
		_, err := w.engine(wire).Run(t.Context(), w.request(rotation.IfDue, schedule.ReasonNone))
		record := w.current()
		switch value, _ := w.value(); {
		case err != nil && value != "by hand":
			t.Errorf("%s: %q is served after %v", name, value, err)
		case err == nil && (record == nil || string(record.Base) != byHand || w.labels()["AWSPREVIOUS"] != byHand):
			// The run starts over, and heals the entry on top of what was written by hand.
			t.Errorf("%s: a version on %s is served, and %s was written by hand", name, record.Base, byHand)
		}
		if minted && len(w.live()) > 2 {
			t.Errorf("%s: %d tokens live", name, len(w.live()))
		}
	}
}

// TestClosedBetweenLookAndRead shows that an entry which Terraform destroys while a
// scheduled run looks at it is not brought back.
func TestClosedBetweenLookAndRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t, startAWS(t), "closing")
	w.create()
	w.paistrike.Clock().Advance(30 * day)
	wire := roundTripper(func(r *http.Request) (*http.Response, error) {
		if operation(r) == "GetSecretValue" && w.described().DeletedDate == nil {
			w.destroy(entry.EndDelete)
		}
		return w.send(r)
	})
	result, err := w.engine(wire).Run(t.Context(), w.request(rotation.IfDue, schedule.ReasonNone))
	if err != nil || !result.Closed || len(w.live()) != 0 || w.described().DeletedDate == nil {
		t.Errorf("%+v, %v: %d live", result, err, len(w.live()))
	}
}
