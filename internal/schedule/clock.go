package schedule

import (
	"slices"
	"time"
)

const (
	// skewWarning is the difference between two clocks that causes a warning.
	skewWarning = time.Minute
	// skewLimit is the difference between PAIStrike's clock and the median from which no
	// token is minted for a time-based reason, and none is revoked.
	skewLimit = 15 * time.Minute
)

// Clock contains the time of three sources. A zero time is unknown. A single wrong clock
// changes nothing: with three times, the median counts. With two, a token is rotated by
// the later and revoked by the earlier, so that no token expires unnoticed and no overlap
// is shortened.
type Clock struct {
	PAIStrike time.Time // enforces expiry
	Store     time.Time
	Machine   time.Time // where this program runs
}

// times returns the known times in ascending order.
func (c Clock) times() []time.Time {
	told := slices.DeleteFunc([]time.Time{c.PAIStrike, c.Store, c.Machine}, time.Time.IsZero)
	slices.SortFunc(told, time.Time.Compare)
	return told
}

// IsZero reports whether no server's time is known. The machine's clock alone does not
// count.
func (c Clock) IsZero() bool { return c.PAIStrike.IsZero() && c.Store.IsZero() }

// Now returns the median, which expiry is computed from. Of two times it is the earlier,
// so that a token does not live longer than requested.
func (c Clock) Now() time.Time {
	if told := c.times(); len(told) > 0 {
		return told[(len(told)-1)/2]
	}
	return time.Time{}
}

// Rotate returns the time that decides whether a token is due.
func (c Clock) Rotate() time.Time {
	if told := c.times(); len(told) > 0 {
		return told[len(told)/2]
	}
	return time.Time{}
}

// Revoke returns the time that decides whether an overlap is over.
func (c Clock) Revoke() time.Time { return c.Now() }

// Skew returns the difference between the earliest and the latest time.
func (c Clock) Skew() time.Duration {
	told := c.times()
	if len(told) == 0 {
		return 0
	}
	return told[len(told)-1].Sub(told[0])
}

// Skewed reports whether the clocks disagree enough to warn the user. If the clocks of
// both servers are known and agree, the machine's clock decides nothing, and a laptop or a
// runner may be hours off.
func (c Clock) Skewed() bool {
	if !c.PAIStrike.IsZero() && !c.Store.IsZero() && !c.Machine.IsZero() {
		return c.PAIStrike.Sub(c.Store).Abs() > skewWarning
	}
	return c.Skew() > skewWarning
}

// Trusted reports whether PAIStrike's clock is close enough to the others to mint a token
// for a time-based reason, or to revoke anything. It is true if PAIStrike's time is
// unknown.
func (c Clock) Trusted() bool {
	if c.PAIStrike.IsZero() {
		return true
	}
	return c.PAIStrike.Sub(c.Now()).Abs() <= skewLimit && c.PAIStrike.Sub(c.Rotate()).Abs() <= skewLimit
}
