package rotation_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/proof"
	"github.com/paistrike/terraform-provider-paistrike/internal/wallclock"
)

// Chaos combines at random what the other proofs try one at a time: faults, lies,
// neighbors, people and time, with the real engine and clients. The nth world of a seed is
// the first of seed+n, so a violation names a seed that reproduces it at once.

var (
	chaosSeed = flag.Uint64("chaos-seed", 0, "the seed that TestChaos begins with, instead of its own three")
	chaosFor  = flag.Duration("chaos-for", 0, "how long TestChaos goes on with -chaos-seed; at least one world")
)

const (
	chaosWorlds = 120 // for each fixed seed, over all stores
	chaosSteps  = 24  // in each world
)

// figures counts what a chaos run tried.
type figures struct{ worlds, runs, faults, lies, neighbors, violations int }

func (f *figures) add(more figures) {
	f.worlds += more.worlds
	f.runs += more.runs
	f.faults += more.faults
	f.lies += more.lies
	f.neighbors += more.neighbors
	f.violations += more.violations
}

func TestChaos(t *testing.T) {
	t.Parallel()
	overEachStore(t, func(t *testing.T, row storeRow) {
		t.Helper()
		if *chaosSeed != 0 {
			until := wallclock.Now().Add(*chaosFor)
			chaosFrom(t, row, *chaosSeed, func(worlds int) bool { return worlds == 0 || wallclock.Now().Before(until) })
			return
		}
		for _, seed := range []uint64{1_000_000, 2_000_000, 3_000_000} {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				t.Parallel()
				chaosFrom(t, row, seed, func(worlds int) bool { return worlds < chaosWorlds/len(stores()) })
			})
		}
	})
}

// chaosFrom plays one world after the other and counts them.
func chaosFrom(t *testing.T, row storeRow, seed uint64, more func(worlds int) bool) {
	t.Helper()
	var sum figures
	for number := seed; more(sum.worlds); number++ {
		c := newChaos(t, row, number)
		c.play()
		c.tried.worlds, c.tried.violations = 1, len(c.violations)
		sum.add(c.tried)
		if len(c.violations) > 0 {
			t.Errorf("%s, seed %d: %s\n  %s", row.name, number, strings.Join(c.violations, "; "), strings.Join(c.trace, "\n  "))
			break
		}
	}
	line := fmt.Sprintf("chaos: store=%q seed=%d worlds=%d runs=%d faults=%d lies=%d neighbors=%d violations=%d",
		row.name, seed, sum.worlds, sum.runs, sum.faults, sum.lies, sum.neighbors, sum.violations)
	t.Log(line)
	proof.Add(t, proof.Tally{Kind: proof.Chaos, N: sum.runs, Violations: sum.violations, Note: line})
}

// A world that is played twice behaves the same both times.
func TestChaosRepeatsItself(t *testing.T) {
	t.Parallel()
	overEachStore(t, func(t *testing.T, row storeRow) {
		t.Helper()
		for seed := range uint64(4) {
			first, second := newChaos(t, row, seed), newChaos(t, row, seed)
			first.play()
			second.play()
			if one, two := strings.Join(first.trace, "\n"), strings.Join(second.trace, "\n"); one != two {
				t.Errorf("seed %d goes two ways:\n%s\n\n%s", seed, one, two)
			}
		}
	})
}

// play takes random steps and then calms down. In between, consumers have time to use the
// tokens that they find.
func (c *chaos) play() {
	c.terraform("resource-1", true)
	for range chaosSteps {
		if len(c.violations) > 0 {
			return
		}
		c.step()
		c.paistrike.Clock().Advance(10 * time.Minute)
		c.consume()
	}
	c.calm()
}

// deed is one thing that may happen, with its relative frequency.
type deed struct {
	weight int
	take   func()
}

func (c *chaos) deeds() []deed {
	return []deed{
		{26, func() { c.terraform("resource-1", false) }},
		{24, c.scheduled},
		{30, c.timePasses},
		{8, c.forced},
		{3, c.incident},
		{10, c.lands},
		{4, func() { c.destroy("resource-1") }},
		{4, c.humanRevokes},
		{4, c.humanRollsBack},
		// Neighbors.
		{4, func() { c.terraform("resource-2", true) }},
		{4, func() { c.terraform("resource-2", false) }},
		{4, func() { c.destroy("resource-2") }},
		{6, c.metadataIsForged},
		{4, c.recordIsForged},
		{5, c.copyWorks},
	}
}

// step performs one deed.
func (c *chaos) step() {
	deeds, total := c.deeds(), 0
	for _, d := range deeds {
		total += d.weight
	}
	n := c.dice.IntN(total)
	for _, d := range deeds {
		if n -= d.weight; n < 0 {
			d.take()
			return
		}
	}
}

func (c *chaos) chance(one, of int) bool { return c.dice.IntN(of) < one }

// pick returns a random element of a list.
func pick[T any](dice *rand.Rand, list []T) T { return list[dice.IntN(len(list))] }

// note records what happened, for the analysis of a violation.
func (c *chaos) note(format string, args ...any) {
	text := strings.Repeat("  ", c.depth) + fmt.Sprintf(format, args...)
	c.trace = append(c.trace, fmt.Sprintf("%s %s", c.now().Format("01-02 15:04"), text))
}

// timePasses moves all clocks. Requests in flight arrive within an hour.
func (c *chaos) timePasses() {
	if c.critical {
		return
	}
	by := pick(c.dice, []time.Duration{time.Hour, 13 * time.Hour, 13 * time.Hour, 25 * time.Hour, 15 * day, 31 * day})
	for len(c.pending) > 0 {
		c.lands()
	}
	c.paistrike.Clock().Advance(by)
	c.note("%s pass", by)
	c.consume()
}

// lands delivers one of the requests that their callers have given up on.
func (c *chaos) lands() {
	if len(c.pending) == 0 {
		return
	}
	n := c.dice.IntN(len(c.pending))
	land := c.pending[n]
	c.pending = append(c.pending[:n:n], c.pending[n+1:]...)
	c.note("a late request arrives")
	land()
}
