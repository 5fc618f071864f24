package sandbox

import (
	"context"
	"slices"
	"sync"
)

// holds keeps requests until they are released.
type holds struct {
	mu      sync.Mutex
	waiting []chan struct{} // requests whose callers are waiting
	late    []func()        // work whose callers were cut off
	changed chan struct{}   // closed and replaced whenever something is held
}

func newHolds() *holds { return &holds{changed: make(chan struct{})} }

// wait blocks until release is called. It returns false if the caller left earlier.
func (h *holds) wait(ctx context.Context) bool {
	released := make(chan struct{})
	h.hold(func() { h.waiting = append(h.waiting, released) })
	select {
	case <-released:
		return true
	case <-ctx.Done():
		h.mu.Lock()
		defer h.mu.Unlock()
		h.waiting = slices.DeleteFunc(h.waiting, func(c chan struct{}) bool { return c == released })
		return false
	}
}

// later keeps work until release is called.
func (h *holds) later(work func()) {
	h.hold(func() { h.late = append(h.late, work) })
}

func (h *holds) hold(add func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	add()
	close(h.changed)
	h.changed = make(chan struct{})
}

// release releases everything and returns the number of requests released. It returns after
// the late work is done.
func (h *holds) release() int {
	h.mu.Lock()
	waiting, late := h.waiting, h.late
	h.waiting, h.late = nil, nil
	h.mu.Unlock() // late work may be slow and may be held again
	for _, c := range waiting {
		close(c)
	}
	for _, work := range late {
		work()
	}
	return len(waiting) + len(late)
}

// await blocks until at least n requests are held.
func (h *holds) await(ctx context.Context, n int) error {
	for {
		h.mu.Lock()
		held, changed := len(h.waiting)+len(h.late), h.changed
		h.mu.Unlock()
		if held >= n {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
