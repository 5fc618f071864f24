package rotation

import (
	"context"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
)

// Inventory is the account's token list. It is fetched once per run and then updated with
// the changes of the engines that share it. Tokens that others create in the meantime are
// left to the next run. A token that seems to be missing is looked up by its ID. An
// Inventory is safe for concurrent use.
type Inventory struct {
	turn   chan struct{} // taken while the list is fetched
	mu     sync.RWMutex
	loaded bool
	byID   map[string]listed
	bySlot map[string][]string // token IDs, by the slot in their names
}

// NewInventory returns an empty inventory. It does no I/O.
func NewInventory() *Inventory { return &Inventory{turn: make(chan struct{}, 1)} }

// load fetches the list if it has not been fetched yet. Concurrent callers share one
// fetch. An error is not cached: the next caller tries again.
func (e *Engine) load(ctx context.Context) error {
	if e.inventory.isLoaded() {
		return nil
	}
	return e.reload(ctx, false)
}

// reload fetches the list. Unless forced, a caller that waited for another fetch uses its
// result.
func (e *Engine) reload(ctx context.Context, force bool) error {
	select {
	case e.inventory.turn <- struct{}{}:
		defer func() { <-e.inventory.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if !force && e.inventory.isLoaded() {
		return nil
	}
	tokens, err := e.tokens.List(ctx)
	if err != nil {
		return err
	}
	e.inventory.replace(tokens)
	return nil
}

func (i *Inventory) isLoaded() bool {
	i.mu.RLock()
	defer i.mu.RUnlock()
	return i.loaded
}

func (i *Inventory) replace(tokens []paistrike.Token) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.loaded = true
	i.byID = make(map[string]listed, len(tokens))
	i.bySlot = map[string][]string{}
	for _, token := range tokens {
		i.add(token)
	}
}

// add records a token. The caller holds the lock.
func (i *Inventory) add(token paistrike.Token) {
	if _, known := i.byID[token.ID]; !known {
		if name, ok := ParseName(token.Name); ok {
			i.bySlot[name.Slot] = append(i.bySlot[name.Slot], token.ID)
		}
	}
	i.byID[token.ID] = listedOf(token)
}

func (i *Inventory) note(token paistrike.Token) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.loaded {
		i.add(token)
	}
}

// revoked records that a token was revoked.
func (i *Inventory) revoked(id string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if token, ok := i.byID[id]; ok {
		token.status = paistrike.StatusRevoked
		i.byID[id] = token
	}
}

func (i *Inventory) get(id string) (paistrike.Token, bool) {
	i.mu.RLock()
	defer i.mu.RUnlock()
	token, ok := i.byID[id]
	if !ok {
		return paistrike.Token{}, false
	}
	return token.token(id), true
}

// isAnother reports whether the ID is known as that of a token with a different name. A
// token with the same name is the same token, because no two creates send the same name; a
// list that was fetched during the create may already contain it.
func (i *Inventory) isAnother(id string, name Name) bool {
	token, known := i.get(id)
	return known && token.Name != name.String()
}

// forget drops what is known about a token, so that it is looked up again.
func (i *Inventory) forget(id string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	token, known := i.byID[id]
	if !known {
		return
	}
	delete(i.byID, id)
	if name, ok := ParseName(token.name); ok {
		i.bySlot[name.Slot] = slices.DeleteFunc(i.bySlot[name.Slot], func(other string) bool { return other == id })
	}
}

// named returns the tokens with one of the slots in their names, ordered by ID.
func (i *Inventory) named(slots []string) []paistrike.Token {
	i.mu.RLock()
	defer i.mu.RUnlock()
	var tokens []paistrike.Token
	for _, slot := range slots {
		for _, id := range i.bySlot[slot] {
			tokens = append(tokens, i.byID[id].token(id))
		}
	}
	slices.SortFunc(tokens, func(a, b paistrike.Token) int { return strings.Compare(a.ID, b.ID) })
	return tokens
}

// Tokens returns all tokens of the account, from the shared list of this run, in the order
// of their IDs.
func (e *Engine) Tokens(ctx context.Context) (iter.Seq[paistrike.Token], error) {
	if err := e.load(ctx); err != nil {
		return nil, err
	}
	return e.inventory.all(), nil
}

// all returns the tokens one by one, because a copy of a long list would take more memory
// than anything else that a run keeps.
func (i *Inventory) all() iter.Seq[paistrike.Token] {
	i.mu.RLock()
	ids := slices.Sorted(maps.Keys(i.byID))
	i.mu.RUnlock()
	return func(yield func(paistrike.Token) bool) {
		for _, id := range ids {
			if token, ok := i.get(id); ok && !yield(token) {
				return
			}
		}
	}
}

// lookup finds a token in the list, or else by its ID, so that a token minted after the
// list was fetched is not mistaken for a deleted one. If PAIStrike does not know the
// token, the result has only the ID and no status, which is not the same as revoked.
func (e *Engine) lookup(ctx context.Context, id string) (paistrike.Token, error) {
	if token, ok := e.inventory.get(id); ok {
		return token, nil
	}
	token, err := e.tokens.Get(ctx, id)
	switch {
	case paistrike.IsNotFound(err):
		return paistrike.Token{ID: id}, nil
	case err != nil:
		return paistrike.Token{}, err
	}
	e.inventory.note(token)
	return token, nil
}
