package rotation

import (
	"context"
	"sync"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/vault"
)

// keyedLock lets one run at a time touch one Vault entry. It saves wasted mints;
// safety does not rest on it, Vault's check-and-set does that across processes.
type keyedLock struct {
	mu    sync.Mutex
	turns map[entry.Location]chan struct{}
}

// lock waits for the entry's turn or for ctx, and returns how to give it back.
func (l *keyedLock) lock(ctx context.Context, at entry.Location) (func(), error) {
	at.Key = "" // two keys of one entry share its versions
	l.mu.Lock()
	if l.turns == nil {
		l.turns = map[entry.Location]chan struct{}{}
	}
	turn, ok := l.turns[at]
	if !ok {
		turn = make(chan struct{}, 1)
		l.turns[at] = turn
	}
	l.mu.Unlock()
	select {
	case turn <- struct{}{}:
		return func() { <-turn }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// glances hands the metadata that a plan has just read to the run that carries the
// plan out, once. A glance that is out of date costs a lost check-and-set, never
// more.
type glances struct {
	mu   sync.Mutex
	seen map[entry.Location]vault.Metadata
}

func (g *glances) leave(at entry.Location, meta vault.Metadata) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.seen == nil {
		g.seen = map[entry.Location]vault.Metadata{}
	}
	g.seen[at] = meta
}

func (g *glances) take(at entry.Location) (vault.Metadata, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	meta, ok := g.seen[at]
	delete(g.seen, at)
	return meta, ok
}
