package rotation_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

// outcome is how a remote call ends.
type outcome string

const (
	done    outcome = "ok"
	stale   outcome = "stale"   // a standby responds, one version behind
	drop    outcome = "dropped" // never arrives
	unheard outcome = "unheard" // done, and the response is lost
	delayed outcome = "delayed" // still in flight when the caller gives up
	crash   outcome = "crash"   // the caller dies before the call
)

// visit is a remote call of an actor that waits for its turn.
type visit struct {
	label    string
	outcomes []outcome // other than done, while faults are left
	perform  func(w *smallWorld, upTo int) string
	reply    chan outcome
}

// actor is one process that runs the protocol.
type actor struct {
	kind    byte // see [execution.live]
	turn    chan *visit
	current *visit // nil when it has ended
	history [32]byte
	nonces  uint64
}

// ask waits for the scheduler's decision and carries it out for the actor.
func (a *actor) ask(v visit) outcome {
	v.reply = make(chan outcome)
	a.turn <- &v
	decided := <-v.reply
	if decided == crash {
		runtime.Goexit()
	}
	return decided
}

// actorTokens and actorStore are PAIStrike and the store as one actor reaches them. A call
// that changes something, or whose result others can change, waits for its turn. All other
// calls are answered at once.
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

func (s actorStore) Read(context.Context, entry.Location) (entry.Version, error) {
	var found entry.Version
	s.a.ask(visit{label: "read", outcomes: []outcome{stale}, perform: func(w *smallWorld, upTo int) string {
		found = w.version(upTo)
		return seenOf(found)
	}})
	return found, nil
}

func (s actorStore) After(_ context.Context, _ entry.Location, base entry.Revision) (entry.Version, error) {
	var found entry.Version
	s.a.ask(visit{label: "after " + string(base), outcomes: []outcome{stale}, perform: func(w *smallWorld, upTo int) string {
		if found = w.after(base); upTo < w.at && found.Revision == w.revision() {
			found = entry.Version{Condition: entry.Absent} // a standby does not have it yet
		}
		return seenOf(found)
	}})
	return found, nil
}

func seenOf(v entry.Version) string {
	if v.Record == nil {
		return fmt.Sprint(v.Revision, v.Condition)
	}
	return fmt.Sprint(v.Revision, v.Record.Op)
}

func (s actorStore) Publish(_ context.Context, _ entry.Location, base entry.Revision, record entry.Record) (entry.Published, error) {
	var published entry.Published
	var err error
	got := s.a.ask(visit{
		label: fmt.Sprintf("publish on %s %s %s", base, record.State, record.TokenID), outcomes: []outcome{drop, unheard, delayed},
		perform: func(w *smallWorld, _ int) string {
			published, err = w.publish(base, record)
			return fmt.Sprint(published.Revision, err == nil)
		},
	})
	if got != done {
		return entry.Published{}, errConnection
	}
	return published, err
}

// Describe may arrive late, because metadata has no check-and-set.
func (s actorStore) Describe(_ context.Context, _ entry.Location, mirror entry.Mirror) error {
	if s.a.ask(visit{label: fmt.Sprintf("describe %s %s", mirror.State, mirror.Revision), outcomes: []outcome{drop, delayed}, perform: func(w *smallWorld, _ int) string {
		w.describe(mirror)
		return ""
	}}) != done {
		return errConnection
	}
	return nil
}

// Close makes three calls in Vault. Other actors may run between them.
func (s actorStore) Close(ctx context.Context, at entry.Location, tombstone entry.Revision, mirror entry.Mirror, _ entry.Ending) error {
	var current entry.Revision
	var upTo int
	s.a.ask(visit{label: "look before close", perform: func(w *smallWorld, _ int) string {
		current, upTo = w.revision(), w.at
		return string(current)
	}})
	if current != tombstone {
		return entry.ErrSuperseded
	}
	if err := s.Describe(ctx, at, mirror); err != nil {
		return err
	}
	s.a.ask(visit{label: "delete", perform: func(w *smallWorld, _ int) string {
		w.hide(upTo)
		return ""
	}})
	return nil
}

// Read returns the actor's nonces, which are the same in every execution.
func (a *actor) Read(p []byte) (int, error) {
	for i := range p {
		a.nonces++
		p[i] = byte((a.nonces*37)^(a.nonces>>3)) ^ a.kind*29 //nolint:gosec // any bytes will do
	}
	return len(p), nil
}

var smallRequest = rotation.Request{
	At: entry.Location{Mount: "secret", Path: "ci", Key: "token"}, Label: "ci", Owner: "resource-1",
	Policy:   schedule.Policy{Lifetime: 90 * day, Period: 30 * day, Overlap: day}.WithDefaults(),
	Schedule: schedule.Schedule{ExpiresIn: "90d", Period: "30d", Overlap: "1d"},
}

// copySlot is the slot of the same entry in a copy of the store.
const copySlot = "c0pyc0pyc0py"

// copiedStore is a copy of the store, made when the exploration began, with its own
// identity.
type copiedStore struct{ directStore }

func (s copiedStore) Look(context.Context, entry.Location) (entry.Glance, error) {
	return s.w.glance(strings.Map(func(c rune) rune { return 'a' + (c % 26) }, copySlot)), nil
}

// live starts an actor and waits for its first call.
func (x *execution) live(kind, number byte) *actor {
	a := &actor{kind: kind + number, turn: make(chan *visit)}
	var store rotation.Store = actorStore{directStore{x.world}, a}
	if kind == 'V' {
		store = copiedStore{directStore{x.world.clone()}}
	}
	engine := rotation.New(actorTokens{directTokens{x.world}, a}, store, rotation.WithRandom(a), rotation.WithSleep(noSleep), rotation.WithNow(func() time.Time { return x.world.now }),
		rotation.WithTogether(x.config.together()))
	go func() {
		defer close(a.turn)
		request := smallRequest
		switch kind {
		case 'R': // rotates if due
			request.Wish, request.Reason = rotation.IfDue, schedule.ReasonNone
			_, _ = engine.Run(context.Background(), request)
		case 'F': // rotates if due, as a schedule does
			_, _ = engine.Run(context.Background(), rotation.Request{At: request.At, Stored: true, Wish: rotation.IfDue, MayRepublish: true})
		case 'P': // rotates because a person forces it
			_, _ = engine.Run(context.Background(), rotation.Request{At: request.At, Stored: true, Wish: rotation.Rotate, Reason: schedule.ReasonForced})
		case 'C': // creates
			request.Wish, request.Reason = rotation.Rotate, schedule.ReasonCreated
			_, _ = engine.Run(context.Background(), request)
		case 'O': // creates as another resource
			request.Wish, request.Reason, request.Owner = rotation.Rotate, schedule.ReasonCreated, "resource-2"
			_, _ = engine.Run(context.Background(), request)
		case 'S': // settles and fences
			request.Wish, request.MayRepublish = rotation.Settle, true
			_, _ = engine.Run(context.Background(), request)
		case 'D': // destroys
			_, _ = engine.Destroy(context.Background(), rotation.DestroyRequest{At: request.At, Owner: request.Owner})
		case 'E': // destroys as another resource
			_, _ = engine.Destroy(context.Background(), rotation.DestroyRequest{At: request.At, Owner: "resource-2", TokenIDs: []string{x.world.victims[0]}})
		case 'V': // runs the schedule of a copy of the store
			_, _ = engine.Run(context.Background(), rotation.Request{At: request.At, Stored: true, Wish: rotation.Rotate, Reason: schedule.ReasonForced})
		}
	}()
	a.current = <-a.turn
	return a
}
