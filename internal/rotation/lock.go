package rotation

import (
	"context"
	"sync"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
)

// keyedLock lets one run at a time work on an entry. It only saves wasted mints: safety
// across processes depends on the store's check-and-set.
type keyedLock struct {
	mu    sync.Mutex
	turns map[entry.Location]*turn
}

type turn struct {
	taken chan struct{}
	count int // the number of runs that have ended
}

// get returns the turn of an entry.
func (l *keyedLock) get(at entry.Location) *turn {
	at = at.Entry() // two keys of one entry share its versions
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.turns == nil {
		l.turns = map[entry.Location]*turn{}
	}
	t, ok := l.turns[at]
	if !ok {
		t = &turn{taken: make(chan struct{}, 1)}
		l.turns[at] = t
	}
	return t
}

// turn returns how many runs have ended on an entry. What was seen before the last of them
// may no longer be true.
func (l *keyedLock) turn(at entry.Location) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if t, ran := l.turns[at.Entry()]; ran {
		return t.count
	}
	return 0
}

// lock waits for the entry's turn, or until ctx is done. It returns the function that
// releases the lock.
func (l *keyedLock) lock(ctx context.Context, at entry.Location) (func(), error) {
	t := l.get(at)
	select {
	case t.taken <- struct{}{}:
		return func() {
			l.mu.Lock()
			t.count++
			l.mu.Unlock()
			<-t.taken
		}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
