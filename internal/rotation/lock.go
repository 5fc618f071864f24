package rotation

import (
	"context"
	"sync"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
)

// keyedLock lets one run at a time touch one Vault entry. It saves wasted mints;
// safety does not rest on it, Vault's check-and-set does that across processes.
type keyedLock struct {
	mu    sync.Mutex
	turns map[entry.Location]*turn
}

type turn struct {
	taken chan struct{}
	count int // how many runs have had it
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

// turn tells how many runs have ended at an entry: what was seen before the last of them
// may no longer be true.
func (l *keyedLock) turn(at entry.Location) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if t, ran := l.turns[at.Entry()]; ran {
		return t.count
	}
	return 0
}

// lock waits for the entry's turn or for ctx, and returns how to give it back.
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
