package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/tools/loopback"
)

// clock is the server's only source of time: the machine's clock or another server's,
// possibly moved by control requests.
type clock struct {
	base loopback.Clock

	mu     sync.Mutex
	offset time.Duration
	still  time.Time // time at which it is stopped; zero while it runs
}

// now returns the time in UTC. It returns an error if the other server does not answer.
func (c *clock) now(ctx context.Context) (time.Time, error) {
	c.mu.Lock()
	still, offset := c.still, c.offset
	c.mu.Unlock()
	if !still.IsZero() {
		return still, nil
	}
	base, err := c.base.Now(ctx)
	return base.Round(0).UTC().Add(offset), err
}

// move is one change of the clock. Exactly one field is set.
type move struct {
	Set     *time.Time `json:"set,omitempty"`     // stops the clock at this time
	Advance *duration  `json:"advance,omitempty"` // moves the clock; it stays stopped or keeps running
	Real    bool       `json:"real,omitempty"`    // restores the initial state
}

func (c *clock) move(m move) error {
	given := 0
	for _, one := range []bool{m.Set != nil, m.Advance != nil, m.Real} {
		if one {
			given++
		}
	}
	if given != 1 {
		return errors.New(`give one of {"set": time}, {"advance": duration}, {"real": true}`)
	}
	if m.Set != nil && (m.Set.Year() < 1970 || m.Set.Year() > 9999) {
		return errors.New("the clock knows the years 1970 to 9999")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case m.Set != nil:
		c.still, c.offset = m.Set.UTC(), 0
	case m.Real:
		c.still, c.offset = time.Time{}, 0
	case !c.still.IsZero():
		c.still = c.still.Add(time.Duration(*m.Advance))
	default:
		c.offset += time.Duration(*m.Advance)
	}
	return nil
}

// epoch is a time in the JSON protocol: seconds since 1970 with three decimals.
type epoch time.Time

// MarshalJSON implements [json.Marshaler].
func (e epoch) MarshalJSON() ([]byte, error) { //nolint:unparam // as json.Marshaler has it
	ms := time.Time(e).UnixMilli()
	return fmt.Appendf(nil, "%d.%03d", ms/1000, ms%1000), nil
}

// stamp returns the time for an answer, or nil if t is zero.
func stamp(t time.Time) *epoch {
	if t.IsZero() {
		return nil
	}
	e := epoch(t)
	return &e
}
