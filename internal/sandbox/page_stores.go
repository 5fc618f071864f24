package sandbox

import (
	"context"
	"sync"
	"time"
)

// SecretStore is a place that keeps tokens' secrets for their consumers. The page
// shows its entries beside the tokens.
type SecretStore interface {
	// Name is what people call the store, such as "Vault".
	Name() string
	// Entries reads all entries, without their secrets.
	Entries(ctx context.Context) ([]Entry, error)
}

// Entry is what a secret store says of the token that it serves.
type Entry struct {
	Place        string     // where consumers read it, such as "secret/ci/paistrike"
	State        string     // [EntryActive] or [EntryEnded]
	Version      string     // which generation of the secret it is
	TokenID      string     // the token that it serves
	TokenName    string     // the same token's name
	Retiring     []Retiring // tokens that it served before, and that still work
	NextRotation time.Time  // zero = none is planned
	LastError    string     // the code that the last run failed with, "" = none
}

// The states of an [Entry].
const (
	EntryActive = "active"
	EntryEnded  = "tombstone" // its tokens are revoked, and it serves none
)

// Retiring is a token that was replaced and that is revoked after its overlap.
type Retiring struct {
	TokenID     string
	RevokeAfter time.Time
}

const (
	storeEvery   = time.Second     // how often stores are read while someone looks
	storeTimeout = 5 * time.Second // for reading all of them
	storeShare   = 4               // at most a quarter of the time is spent on reading
)

// reading is what one store said last.
type reading struct {
	store   string
	entries []Entry
	failed  bool // what the entries say is from an earlier reading
}

// watch reads the stores while someone looks at the page, and no more often than
// helps. A store that hangs delays no answer but the first.
type watch struct {
	now func() time.Time // the real time

	mu     sync.Mutex
	stores []SecretStore
	last   []reading // nil = none yet
	due    time.Time
	busy   chan struct{} // closed when the reading under way is done; nil = none
}

func (w *watch) show(stores []SecretStore) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stores, w.last, w.due = stores, nil, time.Time{}
}

// look returns what was read last, and sees to it that there is something newer soon.
func (w *watch) look(ctx context.Context) []reading {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.busy == nil && len(w.stores) > 0 && !w.now().Before(w.due) {
		w.busy = make(chan struct{})
		go w.read(context.WithoutCancel(ctx), w.stores, w.last, w.busy)
	}
	if busy := w.busy; busy != nil && w.last == nil {
		w.mu.Unlock()
		select {
		case <-busy:
		case <-ctx.Done():
		}
		w.mu.Lock()
	}
	return w.last
}

func (w *watch) read(ctx context.Context, stores []SecretStore, before []reading, done chan struct{}) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	began := w.now()
	readings := make([]reading, len(stores))
	var all sync.WaitGroup
	for i, store := range stores {
		all.Go(func() {
			entries, err := store.Entries(ctx)
			if err != nil && i < len(before) {
				entries = before[i].entries
			}
			readings[i] = reading{store: store.Name(), entries: entries, failed: err != nil}
		})
	}
	all.Wait()
	took := w.now().Sub(began)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last, w.due, w.busy = readings, began.Add(max(storeEvery, storeShare*took)), nil
	close(done)
}
