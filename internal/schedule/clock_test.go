package schedule_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

var noon = time.Date(2026, time.January, 5, 12, 0, 0, 0, time.UTC)

// silent represents a clock whose time is unknown.
const silent = time.Duration(1<<63 - 1)

// clocks returns the three clocks, each by its distance from noon.
func clocks(paistrike, store, machine time.Duration) schedule.Clock {
	at := func(d time.Duration) time.Time {
		if d == silent {
			return time.Time{}
		}
		return noon.Add(d)
	}
	return schedule.Clock{PAIStrike: at(paistrike), Store: at(store), Machine: at(machine)}
}

func TestClockOfTwoServers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name           string
		storeAhead     time.Duration
		skew           time.Duration
		rotate, revoke time.Duration // relative to noon
		trusted        bool
	}{
		{name: "in step", trusted: true},
		{name: "store 59 s ahead", storeAhead: 59 * time.Second, skew: 59 * time.Second, rotate: 59 * time.Second, trusted: true},
		{name: "store 59 s behind", storeAhead: -59 * time.Second, skew: 59 * time.Second, revoke: -59 * time.Second, trusted: true},
		{name: "store 61 s ahead", storeAhead: 61 * time.Second, skew: 61 * time.Second, rotate: 61 * time.Second, trusted: true},
		{name: "store 61 s behind", storeAhead: -61 * time.Second, skew: 61 * time.Second, revoke: -61 * time.Second, trusted: true},
		{name: "store 14 min ahead", storeAhead: 14 * time.Minute, skew: 14 * time.Minute, rotate: 14 * time.Minute, trusted: true},
		{name: "store 14 min behind", storeAhead: -14 * time.Minute, skew: 14 * time.Minute, revoke: -14 * time.Minute, trusted: true},
		{name: "store 15 min ahead", storeAhead: 15 * time.Minute, skew: 15 * time.Minute, rotate: 15 * time.Minute, trusted: true},
		{name: "store 15 min behind", storeAhead: -15 * time.Minute, skew: 15 * time.Minute, revoke: -15 * time.Minute, trusted: true},
		{name: "store 15 min and 1 s ahead", storeAhead: 15*time.Minute + time.Second, skew: 15*time.Minute + time.Second, rotate: 15*time.Minute + time.Second},
		{name: "store 15 min and 1 s behind", storeAhead: -15*time.Minute - time.Second, skew: 15*time.Minute + time.Second, revoke: -15*time.Minute - time.Second},
		{name: "store 16 min ahead", storeAhead: 16 * time.Minute, skew: 16 * time.Minute, rotate: 16 * time.Minute},
		{name: "store 16 min behind", storeAhead: -16 * time.Minute, skew: 16 * time.Minute, revoke: -16 * time.Minute},
		{name: "store a year ahead", storeAhead: 365 * day, skew: 365 * day, rotate: 365 * day},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := clocks(0, tt.storeAhead, silent)
			if got := c.Skew(); got != tt.skew {
				t.Errorf("skew %v, want %v", got, tt.skew)
			}
			if got := c.Trusted(); got != tt.trusted {
				t.Errorf("trusted %t, want %t", got, tt.trusted)
			}
			if got := c.Skewed(); got != (tt.skew > time.Minute) {
				t.Errorf("skewed %t", got)
			}
			if got := c.Rotate().Sub(noon); got != tt.rotate {
				t.Errorf("rotates by %v after PAIStrike's clock, want %v", got, tt.rotate)
			}
			if got := c.Revoke().Sub(noon); got != tt.revoke {
				t.Errorf("revokes by %v after PAIStrike's clock, want %v", got, tt.revoke)
			}
		})
	}
}

func TestClockOfThreeWitnesses(t *testing.T) {
	t.Parallel()
	const second, year = time.Second, 365 * day
	for _, tt := range []struct {
		name                      string
		paistrike, store, machine time.Duration
		now, rotate, revoke       time.Duration
		trusted, skewed           bool
	}{
		{name: "in step", paistrike: 0, store: second, machine: -second, trusted: true},
		{name: "PAIStrike lies ahead", paistrike: year, store: 0, machine: 3 * second, now: 3 * second, rotate: 3 * second, revoke: 3 * second, skewed: true},
		{name: "PAIStrike lies behind", paistrike: -year, store: 0, machine: 3 * second, skewed: true},
		{name: "the store lies ahead", paistrike: 0, store: year, machine: -second, trusted: true, skewed: true},
		{name: "the store lies behind", paistrike: 0, store: -year, machine: -second, now: -second, rotate: -second, revoke: -second, trusted: true, skewed: true},
		{name: "this machine lies ahead", paistrike: 0, store: second, machine: year, now: second, rotate: second, revoke: second, trusted: true},
		{name: "this machine lies behind", paistrike: 0, store: second, machine: -year, trusted: true},
		{name: "PAIStrike 15 min from the median", paistrike: 15 * time.Minute, store: 0, machine: 0, trusted: true, skewed: true},
		{name: "PAIStrike a second more", paistrike: 15*time.Minute + second, store: 0, machine: 0, skewed: true},
		{name: "two that do not know: PAIStrike is not distrusted", paistrike: silent, store: 0, machine: year, now: 0, rotate: year, revoke: 0, trusted: true, skewed: true},
		{name: "PAIStrike and this machine", paistrike: 0, store: silent, machine: 2 * second, rotate: 2 * second, trusted: true},
		{name: "PAIStrike alone", paistrike: 0, store: silent, machine: silent, trusted: true},
		{name: "the store alone", paistrike: silent, store: second, machine: silent, now: second, rotate: second, revoke: second, trusted: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := clocks(tt.paistrike, tt.store, tt.machine)
			if now, rotate, revoke := c.Now().Sub(noon), c.Rotate().Sub(noon), c.Revoke().Sub(noon); now != tt.now || rotate != tt.rotate || revoke != tt.revoke {
				t.Errorf("now %v, rotates by %v, revokes by %v; want %v, %v, %v", now, rotate, revoke, tt.now, tt.rotate, tt.revoke)
			}
			if c.Trusted() != tt.trusted || c.Skewed() != tt.skewed || c.IsZero() {
				t.Errorf("trusted %t, skewed %t, zero %t", c.Trusted(), c.Skewed(), c.IsZero())
			}
		})
	}
}

// Without the time of a server there is no time: the machine's clock does not decide
// alone.
func TestClockWithoutAServer(t *testing.T) {
	t.Parallel()
	for _, c := range []schedule.Clock{{}, {Machine: noon}} {
		if !c.IsZero() || c.Skew() != 0 {
			t.Errorf("%+v: zero %t, skew %v", c, c.IsZero(), c.Skew())
		}
	}
	var c schedule.Clock
	if !c.Now().IsZero() || !c.Rotate().IsZero() || !c.Revoke().IsZero() {
		t.Errorf("a clock without witnesses shows %v, %v, %v", c.Now(), c.Rotate(), c.Revoke())
	}
}

// Whichever of the three clocks is wrong, and by whatever amount, the time stays between
// the other two.
func TestOneLiarChangesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		honest := func(label string) time.Duration {
			return time.Duration(rapid.Int64Range(-30, 30).Draw(t, label)) * time.Second
		}
		told := [3]time.Duration{honest("PAIStrike"), honest("store"), honest("machine")}
		liar := rapid.IntRange(0, 2).Draw(t, "liar")
		var truth []time.Duration
		for i, d := range told {
			if i != liar {
				truth = append(truth, d)
			}
		}
		told[liar] = time.Duration(rapid.Int64Range(-1<<32, 1<<32).Draw(t, "lie")) * time.Second
		c := clocks(told[0], told[1], told[2])
		for what, got := range map[string]time.Duration{"now": c.Now().Sub(noon), "rotate": c.Rotate().Sub(noon), "revoke": c.Revoke().Sub(noon)} {
			if got < min(truth[0], truth[1]) || got > max(truth[0], truth[1]) {
				t.Fatalf("%s is %v, of witnesses that say %v, where %d lies", what, got, told, liar)
			}
		}
		if liar != 0 && !c.Trusted() {
			t.Fatal("a lie about something else makes PAIStrike a liar")
		}
	})
}

// Either of two clocks may be wrong: the later one decides what is due and the earlier one
// what is over, so that no token expires unnoticed and no overlap is shortened.
func TestTwoWitnessesErrOnTheSafeSide(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a := time.Duration(rapid.Int64Range(-1<<32, 1<<32).Draw(t, "one")) * time.Second
		b := time.Duration(rapid.Int64Range(-1<<32, 1<<32).Draw(t, "other")) * time.Second
		pairs := []schedule.Clock{clocks(a, b, silent), clocks(a, silent, b), clocks(silent, a, b)}
		c := rapid.SampledFrom(pairs).Draw(t, "pair")
		if c.Rotate().Sub(noon) != max(a, b) || c.Revoke().Sub(noon) != min(a, b) || c.Now().Sub(noon) != min(a, b) || c.Skew() != (a-b).Abs() {
			t.Fatalf("%v and %v: now %v, rotates by %v, revokes by %v", a, b, c.Now(), c.Rotate(), c.Revoke())
		}
	})
}
