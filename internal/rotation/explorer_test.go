package rotation_test

import (
	"context"
	"crypto/sha256"
	"flag"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/proof"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

// execution is one interleaving of actors, faults and the environment.
type execution struct {
	config exploration
	world  *smallWorld
	actors []*actor
	faults int
	ticks  int
	human  int
	fresh  int // versions up to this one are a day old: every standby has them
	trace  []string
}

// choice is one thing that may happen next.
type choice struct {
	label string
	take  func()
}

// choices returns what may happen next, in a fixed order.
func (x *execution) choices() []choice {
	var list []choice
	for i, a := range x.actors {
		if a.current == nil {
			continue
		}
		list = append(list, choice{fmt.Sprintf("actor %d: %s", i, a.current.label), func() { x.step(a, done) }})
		for _, o := range a.current.outcomes {
			if o == stale && x.config.stale && x.world.at > x.fresh {
				list = append(list, choice{fmt.Sprintf("actor %d: %s: stale", i, a.current.label), func() { x.step(a, stale) }})
			}
			if o != stale && x.faults > 0 {
				list = append(list, choice{fmt.Sprintf("actor %d: %s: %s", i, a.current.label, o), func() { x.faults--; x.step(a, o) }})
			}
		}
		if x.faults > 0 {
			list = append(list, choice{fmt.Sprintf("actor %d dies before %s", i, a.current.label), func() { x.faults--; x.step(a, crash) }})
		}
	}
	for i, p := range x.world.pending {
		list = append(list, choice{"lands: " + p.label, func() {
			x.world.pending = slices.Delete(slices.Clone(x.world.pending), i, i+1)
			p.land(x.world)
		}})
	}
	return append(list, x.environment()...)
}

// environment returns what people and time may do next.
func (x *execution) environment() []choice {
	var list []choice
	if x.ticks > 0 && len(x.world.cells) > 1 && !x.critical() {
		list = append(list, choice{"a day passes", func() {
			x.ticks--
			x.fresh = x.world.at
			x.world.now = x.world.now.Add(25 * time.Hour)
			if x.world.opaque { // by then no request is in flight
				x.world.pending = nil
			}
		}})
	}
	if x.human == 0 {
		return list
	}
	if n := x.world.at; strings.Contains(x.config.actors, "H") && n > 1 && x.world.top() != nil && x.world.top().State == entry.StateActive && !x.world.cells[n-2].deleted {
		list = append(list, choice{"a human goes back one version", func() {
			x.human--
			x.goBack(n - 1)
		}})
	}
	if top := x.world.top(); strings.Contains(x.config.actors, "M") && top != nil && top.State == entry.StateActive {
		for _, forgery := range forgeries(x.world) {
			list = append(list, choice{"someone forges metadata: " + forgery.label, func() {
				x.human--
				forgery.take()
			}})
		}
	}
	if top := x.world.top(); strings.Contains(x.config.actors, "W") && top != nil && top.State == entry.StateActive {
		list = append(list, choice{"someone forges the record", func() {
			x.human--
			forged := *top
			forged.Base, forged.Gen = x.world.revision(), forged.Gen+1
			forged.Retiring = append(slices.Clone(forged.Retiring), entry.Retiring{ID: x.world.victims[0], Name: "x", RevokeAfter: firstDay})
			x.world.put(forged)
		}})
	}
	if strings.Contains(x.config.actors, "X") && len(x.world.cells) > 0 {
		list = append(list, choice{"a human purges the entry", func() {
			x.human--
			x.world.cells, x.world.at, x.world.from, x.world.custom, x.world.safe = nil, 0, "", map[string]string{}, map[string]time.Time{}
		}})
	}
	return list
}

// critical reports whether an actor is between mint and publication. Its deadline of 90
// seconds keeps that time short.
func (x *execution) critical() bool {
	return slices.ContainsFunc(x.actors, func(a *actor) bool {
		return a.current != nil && (strings.HasPrefix(a.current.label, "publish") || strings.HasPrefix(a.current.label, "after"))
	})
}

// step performs one call of an actor and waits for its next call.
func (x *execution) step(a *actor, o outcome) {
	v, result := a.current, ""
	switch o {
	case done, unheard:
		result = v.perform(x.world, x.world.at)
	case stale:
		result = v.perform(x.world, x.world.at-1)
	case delayed:
		x.world.pending = append(slices.Clone(x.world.pending), pendingWrite{label: v.label, land: func(w *smallWorld) { v.perform(w, 0) }})
	}
	a.history = sha256.Sum256(append(a.history[:], v.label+string(o)+result...))
	v.reply <- o
	a.current = <-a.turn
}

// state returns a fingerprint of the world and the actors. An actor's next steps depend
// only on the responses that it received.
func (x *execution) state() [32]byte {
	text := []byte(x.world.fingerprint())
	for _, a := range x.actors {
		text = append(text, a.history[:]...)
		if a.current == nil {
			text = append(text, '.')
		}
	}
	return sha256.Sum256(fmt.Appendf(text, "%d %d %d %d", x.fresh, x.faults, x.ticks, x.human))
}

// end makes every actor die.
func (x *execution) end() {
	for _, a := range x.actors {
		for a.current != nil {
			a.current.reply <- crash
			a.current = <-a.turn
		}
	}
}

// explored is the result of an exploration.
type explored struct {
	states, executions int
	violation          string // with the trace that leads to it
}

// run explores every interleaving, up to a number of states.
func (c exploration) run(most int) explored {
	var found explored
	visited := map[[32]byte]struct{}{}
	stack := [][]int{nil}
	for len(stack) > 0 && found.violation == "" && len(visited) < most {
		path := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		found.executions++
		found.violation = c.execute(path, visited, func(branch []int) { stack = append(stack, branch) })
	}
	found.states = len(visited)
	return found
}

// execute replays a path. Then it takes the first choice repeatedly until it reaches a
// known state or the end, and branches off all other choices.
func (c exploration) execute(path []int, visited map[[32]byte]struct{}, branch func([]int)) string {
	x := c.start()
	defer x.end()
	for depth := 0; ; depth++ {
		if len(x.world.found) > 0 {
			return strings.Join(x.world.found, "; ") + "\n  " + strings.Join(x.trace, "\n  ")
		}
		list := x.choices()
		next := 0
		if depth < len(path) {
			next = path[depth]
		} else {
			state := x.state()
			if _, known := visited[state]; known {
				return ""
			}
			visited[state] = struct{}{}
			for i := len(list) - 1; i > 0; i-- {
				branch(append(slices.Clone(path[:min(len(path), depth)]), i))
			}
			path = append(slices.Clone(path), 0)
		}
		if len(list) == 0 {
			return x.finally()
		}
		x.trace = append(x.trace, list[next].label)
		list[next].take()
	}
}

// start creates the world of an exploration and starts its actors.
func (c exploration) start() *execution {
	x := &execution{config: c, world: newSmallWorld(), faults: c.faults, ticks: c.ticks}
	if c.seeded {
		x.world = seededWorld().clone()
	}
	x.world.opaque = c.opaque
	for _, kind := range []byte(c.actors) {
		if strings.ContainsRune("HXMW", rune(kind)) {
			x.human++
			continue
		}
		x.world.closing = x.world.closing || kind == 'D' || kind == 'E' && strings.Contains(c.actors, "O")
		x.actors = append(x.actors, x.live(kind, byte(len(x.actors)))) //nolint:gosec // a handful
	}
	return x
}

// seededWorld returns a world with one token, which is due.
var seededWorld = sync.OnceValue(func() *smallWorld {
	x := &execution{world: newSmallWorld()}
	seed := smallRequest
	seed.Wish, seed.Reason = rotation.Rotate, schedule.ReasonCreated
	if err := x.clean(seed); err != nil {
		panic(err)
	}
	x.world.now = x.world.now.Add(30 * day)
	return x.world
})

// clean runs once without faults.
func (x *execution) clean(request rotation.Request) error {
	_, err := x.world.engine(&actor{kind: 'Z', nonces: uint64(len(x.world.tokens)) * 1000}).Run(context.Background(), request)
	return err
}

// finally runs without faults, as the next process would, and checks I3 and I6.
func (x *execution) finally() string {
	w := x.world
	if strings.Contains(x.config.actors, "D") {
		if _, err := w.engine(&actor{kind: 'Z'}).Destroy(context.Background(), rotation.DestroyRequest{At: smallRequest.At, Owner: smallRequest.Owner}); err != nil {
			w.violate("I6: the clean destroy failed: %v", err)
		}
		w.now = w.now.Add(25 * time.Hour) // by then nothing is in flight
		if _, err := w.engine(&actor{kind: 'Y'}).Destroy(context.Background(), rotation.DestroyRequest{At: smallRequest.At, Owner: smallRequest.Owner}); err != nil {
			w.violate("I6: the destroy of the day after failed: %v", err)
		}
		for range 2 * strings.Count(x.config.actors, "O") { // the other resource owns it now, or creates it again
			request := smallRequest
			request.Owner, request.MayRepublish, request.Wish, request.Reason = "resource-2", true, rotation.Rotate, schedule.ReasonCreated
			if err := x.clean(request); err != nil {
				w.violate("I6: the clean run of the owner failed: %v", err)
			}
			w.now = w.now.Add(25 * time.Hour)
		}
	} else {
		request := smallRequest
		request.Wish, request.Reason, request.MayRepublish = rotation.Rotate, schedule.ReasonCreated, true
		if top := w.top(); top != nil && top.Owner != "" {
			request.Owner = top.Owner // the current owner keeps it
		}
		for range 3 { // an adoption, then a day for its overlap, then a day for what was in flight
			if err := x.clean(request); err != nil {
				w.violate("I6: the clean run failed: %v", err)
			}
			if top := w.top(); top == nil || w.token(top.TokenID).Status != paistrike.StatusActive {
				w.violate("I1: after a clean run version %d serves no working token", len(w.cells))
			}
			w.now = w.now.Add(25 * time.Hour)
		}
	}
	w.described()
	for _, token := range w.tokens {
		if top := w.top(); token.Usable(w.now) && (top == nil || top.TokenID != token.ID) && !x.spared(token) {
			w.violate("I3: token %s is left over in the end", token.ID)
		}
	}
	if len(w.found) == 0 {
		return ""
	}
	return strings.Join(w.found, "; ") + "\n  " + strings.Join(x.trace, "\n  ")
}

// spared reports whether a token must never be revoked here: it is a victim, or belongs to
// a copy of the store.
func (x *execution) spared(token paistrike.Token) bool {
	name, ok := rotation.ParseName(token.Name)
	return !ok || name.Slot != smallSlot || slices.Contains(x.world.victims, token.ID)
}

// described checks that metadata agrees with the record after a clean run.
func (w *smallWorld) described() {
	top := w.top()
	if top == nil || top.State != entry.StateActive {
		return
	}
	mirror, err := entry.DecodeMirror(w.custom)
	if err != nil || mirror.State != entry.StateActive || mirror.Revision != w.revision() || mirror.TokenID != top.TokenID || mirror.Owner != top.Owner || mirror.Schedule != top.Schedule {
		w.violate("I6: after a clean run metadata describes something else: %+v, %v", mirror, err)
	}
	if top.Schedule.ExpiresIn != "90d" || top.Schedule.Overlap != "1d" {
		w.violate("I7: the schedule of the record comes from metadata: %+v", top.Schedule)
	}
}

// mostStates limits each exploration. With a larger limit, all of them end on their own.
var mostStates = flag.Int("states", 30_000, "how many states each exploration may visit")

func TestExplorer(t *testing.T) {
	t.Parallel()
	for _, c := range explorations() {
		t.Run(c.name(), func(t *testing.T) {
			t.Parallel()
			found := c.run(*mostStates)
			tally := proof.Tally{Kind: proof.States, N: found.states}
			if strings.ContainsAny(c.actors, "OEMWV") {
				tally.Kind = proof.Neighbors
			}
			if found.violation != "" {
				tally.Violations = 1
				t.Error(found.violation)
			}
			t.Logf("%+v: %d states, %d executions, complete: %t", c, found.states, found.executions, found.states < *mostStates)
			proof.Add(t, tally)
		})
	}
}
