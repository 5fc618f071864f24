package paistrike

import (
	"context"
	"sync"
	"time"
)

// gate limits the calls of one token to its known rate limit. A limit applies to the
// token, so what one call learns is true for all of them. Until a response reports a
// limit, few calls are in flight. From then on, no more calls are in flight than requests
// are left. Nothing is sent while none are left. After that, the first call goes alone, to
// learn how many there are now.
type gate struct {
	mu      sync.Mutex
	window  window
	silence silence
	flying  int           // calls in flight
	changed chan struct{} // closed when one of them has returned
}

// window contains the known data about the current window of a rate limit. The zero value means
// that the server announces no limit.
type window struct {
	known bool
	ends  time.Time // by this machine's clock, which also measures pauses
	first int       // requests left, by the first response in the window
	left  int       // requests left, by the lowest response in the window; it counts all answered calls
	heard int       // responses in the window
	ended bool      // someone has waited for its end
}

// sameWindow is the maximum difference between announced ends of the same window, caused
// by rounding and delays.
const sameWindow = 3 * time.Second

// with returns the window updated from a response. A response from an earlier window
// changes nothing.
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

// shut returns the window without any requests left until a time, or until a later known
// end.
func (w window) shut(until time.Time) window {
	if !w.known || w.ended || until.After(w.ends) {
		w = window{known: true, ends: until}
	}
	w.left = 0
	return w
}

// room reports whether one more call may be sent while some are in flight. Others may use
// the same limit. A client takes the same share of the remaining requests as it has had of
// the window so far, and assumes that others have proportionally as many calls in flight.
// It starts with few calls, so that its share is known before many requests are used.
func (w window) room(flying int) bool {
	used := w.first - w.left + 1 // by all clients, since the first response
	own := min(w.heard, used)
	return flying < w.heard && w.left*own >= (flying+1)*(2*used-own)
}

// wait returns what a call has to wait for: nothing, the end of the window, or the
// response to another call.
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

// silence contains what is known about a limit that the server does not announce. Only a
// refusal shows such a limit, and then the server refuses every call in flight.
type silence struct {
	served int // calls that were served since the last refusal
	held   int // calls that the window before it served; 0 if not known
}

const (
	// inSilence is the maximum number of calls in flight at first. It grows by one for every
	// perFlying calls that were served. A limit that is reached after 400 calls therefore
	// refuses at most one call in a hundred.
	inSilence = 4
	perFlying = 200
)

// room reports whether one more call may be sent while some are in flight. When a window has
// served as many calls as the one before it, calls go one at a time until it has served a
// quarter more.
func (s silence) room(flying int) bool {
	if sent := s.served + flying; sent >= s.held && sent <= s.held+s.held/4 {
		return flying == 0
	}
	return flying < inSilence+s.served/perFlying
}

// answered returns the silence after a response. closed is true if a call was refused
// before and no call has been sent since.
func (s silence) answered(refused, closed bool) silence {
	switch {
	case refused && closed:
	case refused:
		return silence{held: s.served}
	case closed:
		s.held++ // it was sent before the refusal
	default:
		s.served++
	}
	return s
}

// enter waits until a call may be sent. Every call that has entered must leave. An error
// means that the call has not entered.
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

// try enters, or returns what to wait for: a time, or the response to another call.
func (g *gate) try(now time.Time) (seen window, pause time.Duration, answer <-chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	pause, others := g.window.wait(now, g.flying)
	if !g.window.known {
		others = !g.silence.room(g.flying)
	}
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

// leave records the result of a call. refused is how long the server asked to wait, or 0
// if it did not refuse.
func (g *gate) leave(now time.Time, got answer, refused time.Duration) {
	told, announced := readQuota(got.header, now)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.flying--
	if got.status != 0 {
		g.silence = g.silence.answered(refused > 0, g.window.known && !g.window.ended)
	}
	switch {
	case announced:
		g.window = g.window.with(told, now)
	case g.window.ended && got.status != 0 && refused == 0:
		g.window = window{} // only a refusal announced it, and that is over
	}
	if refused > 0 {
		g.window = g.window.shut(now.Add(refused))
	}
	if g.changed != nil {
		close(g.changed)
		g.changed = nil
	}
}

// end records that someone waited for a window, whatever the clock says: a clock that was
// set back must not block calls.
func (g *gate) end(seen window) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.window.ends.Equal(seen.ends) {
		g.window.ended = true
	}
}
