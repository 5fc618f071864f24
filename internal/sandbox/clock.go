package sandbox

import (
	"sync"
	"time"
)

// Modes of a [Clock].
const (
	clockReal    = "real"    // follows the real clock
	clockShifted = "shifted" // runs at real speed from the time it was set to
	clockStill   = "still"   // stopped until it is moved
)

// Clock is the sandbox's only source of time. A clock that was started at a given time is
// stopped between moves; any other clock keeps running from the time it was set to.
type Clock struct {
	mu     sync.Mutex
	base   func() time.Time
	offset time.Duration
	still  bool
	at     time.Time // meaningful while still
}

// newClock returns a clock stopped at start, or one that follows base if start is zero.
func newClock(base func() time.Time, start time.Time) *Clock {
	c := &Clock{base: base}
	c.restore(savedClock{Still: start})
	return c
}

// Now returns the sandbox's time, in UTC.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now()
}

func (c *Clock) now() time.Time {
	if c.still {
		return c.at
	}
	return c.base().Round(0).UTC().Add(c.offset)
}

// Set moves the clock to t, forward or back.
func (c *Clock) Set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.move(t)
}

// Advance moves the clock by d, which may be negative.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.move(c.now().Add(d))
}

func (c *Clock) move(t time.Time) {
	if c.still {
		c.at = t.UTC()
		return
	}
	c.offset += t.Sub(c.now())
}

// Real makes the clock follow the real clock again.
func (c *Clock) Real() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset, c.still = 0, false
}

// mode returns one of the modes above.
func (c *Clock) mode() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.still:
		return clockStill
	case c.offset != 0:
		return clockShifted
	}
	return clockReal
}

// savedClock is the form in which the state file stores a clock: the time at which it is
// stopped, or its offset from the real clock.
type savedClock struct {
	Still  time.Time    `json:"still,omitzero"`
	Offset textDuration `json:"offset"`
}

func (c *Clock) saved() savedClock {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.still {
		return savedClock{Still: c.at}
	}
	return savedClock{Offset: textDuration(c.offset)}
}

func (c *Clock) restore(s savedClock) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset, c.still, c.at = time.Duration(s.Offset), !s.Still.IsZero(), s.Still.UTC()
}
