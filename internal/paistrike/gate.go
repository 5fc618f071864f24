package paistrike

import (
	"context"
	"sync"
	"time"
)

// gate lets calls of one token through as far as its rate limit is known to allow: a
// limit is the token's, so what one call has heard is true of all of them. It is open
// until an answer tells of a limit. From then on no more calls are on their way than
// requests are left, nothing is sent while none is left, and after that the first call
// goes alone, to hear how many there are now.
type gate struct {
	mu      sync.Mutex
	window  window
	flying  int           // calls that are on their way
	changed chan struct{} // closed when one of them has come back
}

// window is what is known of the time for which a server counts requests. The zero value
// is a server that announces no limit.
type window struct {
	known bool
	ends  time.Time // by this machine's clock, with which a pause is measured
	first int       // requests left, by the first answer in it
	left  int       // by the lowest answer in it: whatever it was, all answered calls are counted
	heard int       // answers in it
	ended bool      // someone waited for its end
}

// sameWindow is how far the announced ends of one window lie apart, rounded and delayed.
const sameWindow = 3 * time.Second

// with takes what an answer says. An answer of an earlier window says nothing.
func (w window) with(told quota, now time.Time) window {
	ends := now.Add(told.resets)
	switch {
	case !w.known, w.ended && now.After(w.ends), ends.After(w.ends.Add(sameWindow)):
		return window{known: true, ends: ends, first: told.left, left: told.left, heard: 1}
	case ends.Before(w.ends.Add(-sameWindow)):
		return w
	}
	w.heard++
	w.left = min(w.left, told.left)
	return w
}

// shut leaves no request until a time, or until a later one that is known.
func (w window) shut(until time.Time) window {
	if !w.known || w.ended || until.After(w.ends) {
		w = window{known: true, ends: until}
	}
	w.left = 0
	return w
}

// room reports whether one more call may be sent while some are flying. Others may draw on
// the same limit: of what is left, a client takes the part that it has had of the window so
// far, and takes the others to have as many calls on their way, in proportion. It begins
// with few calls, so that its part is known before much is spent.
func (w window) room(flying int) bool {
	used := w.first - w.left + 1 // by all clients, since the first answer
	own := min(w.heard, used)
	return flying < w.heard && w.left*own >= (flying+1)*(2*used-own)
}

// wait is what a call has to wait for: its turn has come, the end of the window, or an
// answer to another call.
func (w window) wait(now time.Time, flying int) (pause time.Duration, answer bool) {
	switch {
	case !w.known:
		return 0, false
	case w.ended || !now.Before(w.ends):
		return 0, flying > 0
	case w.room(flying):
		return 0, false
	case flying > 0:
		return 0, true
	}
	return min(w.ends.Sub(now), maxWait), false
}

// enter waits until a call may be sent. An error means that it has not entered; a call
// that has entered leaves.
func (g *gate) enter(ctx context.Context, c *Client) error {
	for ctx.Err() == nil {
		seen, pause, answer := g.try(c.now())
		switch {
		case answer != nil:
			select {
			case <-answer:
			case <-ctx.Done():
			}
		case pause == 0:
			return nil
		default:
			if err := c.sleep(ctx, pause); err != nil {
				return err
			}
			g.end(seen)
		}
	}
	return ctx.Err()
}

// try enters, or returns what has to be waited for: a time, or an answer to another call.
func (g *gate) try(now time.Time) (seen window, pause time.Duration, answer <-chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	pause, others := g.window.wait(now, g.flying)
	switch {
	case others:
		if g.changed == nil {
			g.changed = make(chan struct{})
		}
		return g.window, 0, g.changed
	case pause == 0:
		g.flying++
	}
	return g.window, pause, nil
}

// leave takes what came of a call. refused is for how long the server asks to wait; 0 if
// it did not refuse.
func (g *gate) leave(now time.Time, got answer, refused time.Duration) {
	told, announced := readQuota(got.header, now)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.flying--
	switch {
	case announced:
		g.window = g.window.with(told, now)
	case g.window.ended && got.status != 0 && refused == 0:
		g.window = window{} // only a refusal told of it, and that is over
	}
	if refused > 0 {
		g.window = g.window.shut(now.Add(refused))
	}
	if g.changed != nil {
		close(g.changed)
		g.changed = nil
	}
}

// end notes that a window was waited for, whatever the clock says: one that is set back
// keeps no one.
func (g *gate) end(seen window) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.window.ends.Equal(seen.ends) {
		g.window.ended = true
	}
}
