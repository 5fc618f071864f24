package schedule

import (
	"slices"
	"time"
)

const (
	// skewWarning is how far apart two witnesses may be without a warning.
	skewWarning = time.Minute
	// skewLimit is how far PAIStrike's clock may be from the median for anything to be
	// minted for a reason of time, or to be revoked.
	skewLimit = 15 * time.Minute
)

// Clock is what three witnesses say the time is. A time that is zero was not told. One
// witness that lies changes nothing: with three of them the median counts. With two, a
// token is rotated by the later and revoked by the earlier, so that none expires
// unnoticed and no overlap is cut short.
type Clock struct {
	PAIStrike time.Time // enforces expiry
	Store     time.Time
	Machine   time.Time // where this program runs
}

// times returns what was told, the earliest first.
func (c Clock) times() []time.Time {
	told := slices.DeleteFunc([]time.Time{c.PAIStrike, c.Store, c.Machine}, time.Time.IsZero)
	slices.SortFunc(told, time.Time.Compare)
	return told
}

// IsZero reports that no server said what time it is. This machine alone is not asked.
func (c Clock) IsZero() bool { return c.PAIStrike.IsZero() && c.Store.IsZero() }

// Now is the median, which expiry counts from. Of two witnesses it is the earlier, so
// that a token lives no longer than was asked for.
func (c Clock) Now() time.Time {
	if told := c.times(); len(told) > 0 {
		return told[(len(told)-1)/2]
	}
	return time.Time{}
}

// Rotate is the time that decides whether a token is due.
func (c Clock) Rotate() time.Time {
	if told := c.times(); len(told) > 0 {
		return told[len(told)/2]
	}
	return time.Time{}
}

// Revoke is the time that decides whether an overlap is over.
func (c Clock) Revoke() time.Time { return c.Now() }

// Skew is how far the two witnesses that are furthest apart disagree.
func (c Clock) Skew() time.Duration {
	told := c.times()
	if len(told) == 0 {
		return 0
	}
	return told[len(told)-1].Sub(told[0])
}

// Skewed reports whether the witnesses disagree by so much that the user should know. If
// both servers tell the time and agree, this machine's clock decides nothing: a laptop or
// a runner may be hours off.
func (c Clock) Skewed() bool {
	if !c.PAIStrike.IsZero() && !c.Store.IsZero() && !c.Machine.IsZero() {
		return c.PAIStrike.Sub(c.Store).Abs() > skewWarning
	}
	return c.Skew() > skewWarning
}

// Trusted reports whether PAIStrike's clock is close enough to the others for a token
// to be minted for a reason of time, or for anything to be revoked. A PAIStrike that
// does not say is not distrusted.
func (c Clock) Trusted() bool {
	if c.PAIStrike.IsZero() {
		return true
	}
	return c.PAIStrike.Sub(c.Now()).Abs() <= skewLimit && c.PAIStrike.Sub(c.Rotate()).Abs() <= skewLimit
}
