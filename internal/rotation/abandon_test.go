package rotation_test

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"testing"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

// goneEndpoint is the PAIStrike endpoint that the records of every world name.
const goneEndpoint = "http://localhost:1/api/v1"

// abandon runs [rotation.Engine.Abandon] over wire.
func (w *world) abandon(wire http.RoundTripper) (rotation.Abandoned, error) {
	return w.abandonAt(wire, rotation.AbandonRequest{At: w.at, Endpoint: goneEndpoint})
}

func (w *world) abandonAt(wire http.RoundTripper, r rotation.AbandonRequest) (rotation.Abandoned, error) {
	engine := rotation.New(rotation.Unasked{}, w.backend.open(w, wire), rotation.WithSleep(noSleep), rotation.WithNow(w.now))
	return engine.Abandon(context.Background(), r)
}

// abandoned runs Abandon without faults and fails the test if it calls PAIStrike.
func (w *world) abandoned() rotation.Abandoned {
	w.t.Helper()
	asked := len(w.paistrike.Journal())
	result, err := w.abandon(w.wire())
	if err != nil {
		w.t.Fatalf("clean run: %v", err)
	}
	if now := len(w.paistrike.Journal()); now != asked {
		w.t.Errorf("PAIStrike was called %d times", now-asked)
	}
	return result
}

// twice provisions an entry and replaces its token, so that two tokens work. It returns
// their IDs, sorted.
func (w *world) twice() []string {
	w.t.Helper()
	w.run(w.request(rotation.Rotate, schedule.ReasonCreated))
	first := mustRecord(w).TokenID
	w.paistrike.Clock().Advance(30 * day)
	w.run(w.request(rotation.IfDue, schedule.ReasonNone))
	return sorted(first, mustRecord(w).TokenID)
}

func sorted(ids ...string) []string {
	slices.Sort(ids)
	return ids
}

func idsOf(left []entry.Retiring) []string {
	var ids []string
	for _, token := range left {
		ids = append(ids, token.ID)
	}
	return sorted(ids...)
}

// closedUnrevoked fails the test unless the entry serves no token and the result names all
// tokens in ids, which still work.
func (w *world) closedUnrevoked(result rotation.Abandoned, standing rotation.Standing, ids []string) {
	w.t.Helper()
	if record, _ := w.served(); record == nil || record.State != entry.StateTombstone || record.TokenID != "" || record.Endpoint != goneEndpoint {
		w.t.Errorf("the entry serves %+v, want a tombstone of its PAIStrike", record)
	}
	if result.Standing != standing || !slices.Equal(idsOf(result.Left), ids) {
		w.t.Errorf("%s with %v left, want %s with %v", result.Standing, idsOf(result.Left), standing, ids)
	}
	if live := w.live(); len(live) != len(ids) {
		w.t.Errorf("%d tokens work, want all %d", len(live), len(ids))
	}
}

// Abandon closes the entry and reports which tokens still work. A second run changes
// nothing and reports the same. If PAIStrike comes back after all, a destroy revokes the
// tokens.
func TestAbandon(t *testing.T) {
	t.Parallel()
	overEachStore(t, func(t *testing.T, row storeRow) {
		w := newWorld(t, row.memory())
		ids := w.twice()
		_, before := w.served()

		if result, err := w.abandonAt(w.wire(), rotation.AbandonRequest{At: w.at, Endpoint: goneEndpoint, DryRun: true}); err != nil || !slices.Equal(idsOf(result.Left), ids) {
			t.Errorf("dry run: %v with %v left", err, idsOf(result.Left))
		}
		if _, revision := w.served(); revision != before {
			t.Fatal("a dry run wrote")
		}

		result := w.abandoned()
		w.closedUnrevoked(result, rotation.StandingOpen, ids)
		for _, token := range result.Left {
			if token.ExpiresAt.IsZero() || token.Name == "" {
				t.Errorf("nothing but its id is told of %+v", token)
			}
		}
		if len(result.Notes) != 1 || result.Notes[0].Code != "PS609" {
			t.Errorf("notes: %v", result.Notes)
		}

		_, closed := w.served()
		w.closedUnrevoked(w.abandoned(), rotation.StandingClosed, ids)
		if _, revision := w.served(); revision != closed {
			t.Error("the second run wrote")
		}

		w.destroy()
		if live := w.live(); len(live) != 0 {
			t.Errorf("%d tokens work after PAIStrike came back and the resource was destroyed", len(live))
		}
	})
}

// An expired token needs no one's attention, so Abandon does not name it.
func TestAbandonNamesNoTokenThatHasExpired(t *testing.T) {
	t.Parallel()
	overEachStore(t, func(t *testing.T, row storeRow) {
		w := newWorld(t, row.memory())
		ids := w.twice()
		w.paistrike.Clock().Advance(75 * day) // the first token has expired
		current := mustRecord(w).TokenID
		if result := w.abandoned(); !slices.Equal(idsOf(result.Left), []string{current}) {
			t.Errorf("left %v of %v, want %s", idsOf(result.Left), ids, current)
		}
		w.paistrike.Clock().Advance(90 * day)
		if result := w.abandoned(); result.Standing != rotation.StandingClosed || len(result.Left) != 0 {
			t.Errorf("%+v, want a closed entry and no token", result)
		}
	})
}

// Abandon names the tokens that metadata knows even if someone changed the entry manually.
func TestAbandonNamesTokensThatMetadataAloneKnows(t *testing.T) {
	t.Parallel()
	overEachStore(t, func(t *testing.T, row storeRow) {
		for name, byHand := range map[string]func(w *world){
			"the version was deleted":    func(w *world) { w.backend.remove(w) },
			"an older version came back": func(w *world) { w.backend.goBack(w) },
		} {
			w := newWorld(t, row.memory())
			ids := w.twice()
			byHand(w)
			result := w.abandoned()
			if !slices.Equal(idsOf(result.Left), ids) {
				t.Errorf("%s: left %v, want %v", name, idsOf(result.Left), ids)
			}
			w.closedUnrevoked(w.abandoned(), rotation.StandingClosed, ids)
		}
	})
}

// Abandon does not change foreign entries, closed entries, or entries of another
// PAIStrike.
func TestWhatIsNotAbandoned(t *testing.T) {
	t.Parallel()
	provision := func(w *world) { w.run(w.request(rotation.Rotate, schedule.ReasonCreated)) }
	overEachStore(t, func(t *testing.T, row storeRow) {
		for _, test := range []struct {
			name     string
			arrange  func(w *world)
			endpoint string
			standing rotation.Standing
			code     string
		}{
			{"nothing was ever there", func(*world) {}, "", rotation.StandingEmpty, ""},
			{"another PAIStrike's", provision, "https://paistrike.example.com/api/v1", rotation.StandingOtherPlace, ""},
			{"a secret that someone wrote on top of it", func(w *world) {
				provision(w)
				w.backend.write(w, map[string]any{"password": "of someone"})
			}, "", rotation.StandingForeign, ""},
			{"destroyed, with its token", func(w *world) {
				provision(w)
				request := w.destroyRequest()
				request.Ending = entry.EndKeep
				if _, err := w.engine(w.wire()).Destroy(context.Background(), request); err != nil {
					w.t.Fatal(err)
				}
			}, "", rotation.StandingClosed, ""},
			{"a copy of another store", func(w *world) {
				provision(w)
				w.identity = "staging.example.com"
			}, "", "", "PS213"},
		} {
			w := newWorld(t, row.memory())
			test.arrange(w)
			_, before := w.served()
			asked := len(w.paistrike.Journal())
			result, err := w.abandonAt(w.wire(), rotation.AbandonRequest{At: w.at, Endpoint: cmp.Or(test.endpoint, goneEndpoint)})
			code := ""
			if failure, ok := errors.AsType[*rotation.Error](err); ok {
				code = failure.Code
			}
			if result.Standing != test.standing || code != test.code || len(result.Left) > 0 {
				t.Errorf("%s: %q with %v left, error %v", test.name, result.Standing, idsOf(result.Left), err)
			}
			if _, after := w.served(); after != before || len(w.paistrike.Journal()) != asked {
				t.Errorf("%s: it was touched", test.name)
			}
		}
	})
}

// Abandon fails if the engine could call PAIStrike.
func TestAbandonNeverAsks(t *testing.T) {
	t.Parallel()
	w := newWorld(t, inMemory())
	w.run(w.request(rotation.Rotate, schedule.ReasonCreated))
	asked := len(w.paistrike.Journal())
	if _, err := w.engine(w.wire()).Abandon(t.Context(), rotation.AbandonRequest{At: w.at, Endpoint: goneEndpoint}); err == nil {
		t.Error("an engine that calls PAIStrike abandoned an entry")
	}
	if now := len(w.paistrike.Journal()); now != asked {
		t.Errorf("PAIStrike was called %d times", now-asked)
	}
}

// dying delivers a limited number of requests and none after them, like a process that is
// killed. It may deliver the last request and lose the response.
type dying struct {
	next      http.RoundTripper
	left      int
	unheard   bool
	delivered int
}

var errDead = errors.New("the process is dead")

func (d *dying) RoundTrip(r *http.Request) (*http.Response, error) {
	d.left--
	if d.left < 0 && !(d.left == -1 && d.unheard) {
		return nil, errDead
	}
	d.delivered++
	response, err := d.next.RoundTrip(r)
	if d.left < 0 && err == nil {
		_ = response.Body.Close()
		return nil, errDead
	}
	return response, err
}

// Wherever a run is killed, the next run finishes its work and names every token.
func TestAbandonConvergesAfterAKill(t *testing.T) {
	t.Parallel()
	overEachStore(t, func(t *testing.T, row storeRow) {
		for _, unheard := range []bool{false, true} {
			for at := 0; ; at++ {
				w := newWorld(t, row.memory())
				ids := w.twice()
				killed := &dying{next: w.wire(), left: at, unheard: unheard}
				_, err := w.abandon(killed)
				w.abandoned()
				w.closedUnrevoked(w.abandoned(), rotation.StandingClosed, ids)
				if t.Failed() {
					t.Fatalf("killed after %d requests, the last unheard: %t", at, unheard)
				}
				if err == nil && killed.delivered <= at {
					break // it was not killed
				}
			}
		}
	})
}

// If a rotation in flight publishes first, its token is not lost: the next round closes
// the published version and names the token.
func TestAbandonAfterARace(t *testing.T) {
	t.Parallel()
	overEachStore(t, func(t *testing.T, row storeRow) {
		w := newWorld(t, row.memory())
		w.run(w.request(rotation.Rotate, schedule.ReasonCreated))
		first := mustRecord(w).TokenID
		raced, second := false, ""
		result, err := w.abandon(roundTripper(func(r *http.Request) (*http.Response, error) {
			if w.backend.publishes(r) && !raced {
				raced = true
				w.run(w.due(schedule.ReasonForced))
				second = mustRecord(w).TokenID
			}
			return w.send(r)
		}))
		if err != nil {
			t.Fatal(err)
		}
		w.closedUnrevoked(result, rotation.StandingOpen, sorted(first, second))
	})
}
