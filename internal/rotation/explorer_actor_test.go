package rotation_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/vault"
)

// outcome is what becomes of a remote call.
type outcome string

const (
	done    outcome = "ok"
	stale   outcome = "stale"   // a standby answers, one version behind
	drop    outcome = "dropped" // never arrives
	unheard outcome = "unheard" // done, and the reply is lost
	delayed outcome = "delayed" // still on its way when the caller gives up
	crash   outcome = "crash"   // the caller dies before the call
)

// visit is a remote call of an actor, waiting for its turn.
type visit struct {
	label    string
	outcomes []outcome // what may become of it beside done, while faults are left
	perform  func(w *smallWorld, upTo int) string
	reply    chan outcome
}

// actor is one process that runs the protocol.
type actor struct {
	kind    byte // R rotates what is due, C creates, S settles and fences, D destroys
	turn    chan *visit
	current *visit // nil when it has ended
	history [32]byte
	nonces  uint64
}

// ask waits for the scheduler's decision and carries it out in the actor's name.
func (a *actor) ask(v visit) outcome {
	v.reply = make(chan outcome)
	a.turn <- &v
	decided := <-v.reply
	if decided == crash {
		runtime.Goexit()
	}
	return decided
}

// actorTokens and actorStore are PAIStrike and Vault as one actor reaches them. A
// call that changes something, or that shows what others change, waits for its
// turn; the rest is answered at once.
type actorTokens struct {
	directTokens
	a *actor
}

func (t actorTokens) List(context.Context) ([]paistrike.Token, error) {
	var list []paistrike.Token
	t.a.ask(visit{label: "list", perform: func(w *smallWorld, _ int) string {
		list = slices.Clone(w.tokens)
		return fmt.Sprint(len(list))
	}})
	return list, nil
}

func (t actorTokens) Create(_ context.Context, name string, expires time.Time) (paistrike.Minted, error) {
	var minted paistrike.Minted
	got := t.a.ask(visit{label: "create " + name, outcomes: []outcome{drop, unheard, delayed}, perform: func(w *smallWorld, _ int) string {
		minted = w.create(name, expires)
		return minted.ID
	}})
	if got != done {
		return paistrike.Minted{}, &paistrike.UnknownOutcomeError{Name: name, Err: errConnection}
	}
	return minted, nil
}

func (t actorTokens) Revoke(_ context.Context, id string) error {
	if t.a.ask(visit{label: "revoke " + id, outcomes: []outcome{drop}, perform: func(w *smallWorld, _ int) string {
		w.revoke(id)
		return ""
	}}) != done {
		return errConnection
	}
	return nil
}

type actorStore struct {
	directStore
	a *actor
}

func (s actorStore) Read(_ context.Context, _ entry.Location, version int) (vault.Entry, error) {
	var entry vault.Entry
	s.a.ask(visit{label: fmt.Sprintf("read %d", version), outcomes: []outcome{stale}, perform: func(w *smallWorld, upTo int) string {
		entry = w.entry(version, upTo)
		if entry.Record == nil {
			return fmt.Sprint(entry.Version, entry.Condition)
		}
		return fmt.Sprint(entry.Version, entry.Record.Op)
	}})
	return entry, nil
}

func (s actorStore) Publish(_ context.Context, _ entry.Location, cas int, record entry.Record) (vault.Published, error) {
	var published vault.Published
	var err error
	got := s.a.ask(visit{
		label: fmt.Sprintf("publish cas=%d %s %s", cas, record.State, record.TokenID), outcomes: []outcome{drop, unheard, delayed},
		perform: func(w *smallWorld, _ int) string {
			published, err = w.publish(cas, record)
			return fmt.Sprint(published.Version, err == nil)
		},
	})
	if got != done {
		return vault.Published{}, &vault.Error{Op: "writing", Err: errConnection}
	}
	return published, err
}

func (s actorStore) Patch(ctx context.Context, at entry.Location, custom map[string]string) error {
	if s.a.ask(visit{label: "patch", outcomes: []outcome{drop}, perform: func(*smallWorld, int) string {
		return fmt.Sprint(s.directStore.Patch(ctx, at, custom))
	}}) != done {
		return errConnection
	}
	return nil
}

func (s actorStore) Delete(ctx context.Context, at entry.Location, versions []int) error {
	s.a.ask(visit{label: "delete", perform: func(*smallWorld, int) string {
		return fmt.Sprint(s.directStore.Delete(ctx, at, versions))
	}})
	return nil
}

// Read gives an actor its own nonces, the same in every execution.
func (a *actor) Read(p []byte) (int, error) {
	for i := range p {
		a.nonces++
		p[i] = byte((a.nonces*37)^(a.nonces>>3)) ^ a.kind*29 //nolint:gosec // any bytes will do
	}
	return len(p), nil
}

var smallRequest = rotation.Request{
	At: entry.Location{Mount: "secret", Path: "ci", Key: "token"}, Label: "ci", Owner: "resource-1",
	Policy: schedule.Policy{Lifetime: 90 * day, Period: 30 * day, Overlap: day}.WithDefaults(),
}

// live starts an actor and waits for its first call.
func (x *execution) live(kind, number byte) *actor {
	a := &actor{kind: kind + number, turn: make(chan *visit)}
	engine := rotation.New(actorTokens{directTokens{x.world}, a}, actorStore{directStore{x.world}, a}, rotation.WithRandom(a), rotation.WithSleep(noSleep))
	go func() {
		defer close(a.turn)
		request := smallRequest
		switch kind {
		case 'R':
			request.Wish, request.Reason = rotation.IfDue, schedule.ReasonNone
			_, _ = engine.Run(context.Background(), request)
		case 'C':
			request.Wish, request.Reason = rotation.Rotate, schedule.ReasonCreated
			_, _ = engine.Run(context.Background(), request)
		case 'S':
			request.Wish, request.MayRepublish = rotation.Settle, true
			_, _ = engine.Run(context.Background(), request)
		case 'D':
			_, _ = engine.Destroy(context.Background(), rotation.DestroyRequest{At: request.At, Owner: request.Owner})
		}
	}()
	a.current = <-a.turn
	return a
}
