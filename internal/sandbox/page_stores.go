package sandbox

import (
	"context"
	"sync"
	"time"
)

// SecretStore is a store from which consumers read the tokens' secrets. The page shows its
// entries next to the tokens.
type SecretStore interface {
	// Name returns the display name of the store, such as "Vault".
	Name() string
	// Entries returns all entries, without their secrets.
	Entries(ctx context.Context) ([]Entry, error)
}

// Entry is the metadata of an entry in a secret store.
type Entry struct {
	Place        string     // path that consumers read, such as "secret/ci/paistrike"
	State        string     // [EntryActive] or [EntryEnded]
	Version      string     // generation of the secret
	TokenID      string     // token that the entry serves
	TokenName    string     // name of that token
	Retiring     []Retiring // replaced tokens that still work
	NextRotation time.Time  // zero = none planned
	LastError    string     // error code of the last run, "" = none
}

// States of an [Entry].
const (
	EntryActive = "active"
	EntryEnded  = "tombstone" // the entry has ended and its tokens are revoked
)

// Retiring is a replaced token that is revoked after its overlap.
type Retiring struct {
	TokenID     string
	RevokeAfter time.Time
}

const (
	storeEvery   = time.Second     // polling interval while someone views the page
	storeTimeout = 5 * time.Second // limit for reading all stores
	storeShare   = 4               // at most 1/storeShare of the time is spent on reading
)

// reading is the last result from one store.
type reading struct {
	store   string
	entries []Entry
	failed  bool // the last attempt failed; entries are from an earlier one
}

// watch reads the stores while someone views the page, at a limited rate. A store that hangs
// delays only the first response.
type watch struct {
	now func() time.Time // the real time, not the sandbox's

	mu     sync.Mutex
	stores []SecretStore
	last   []reading // nil = not read yet
	due    time.Time
	busy   chan struct{} // closed when the current reading is done; nil = none in progress
}

func (w *watch) show(stores []SecretStore) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stores, w.last, w.due = stores, nil, time.Time{}
}

// look returns the last readings and starts a new reading if one is due.
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
