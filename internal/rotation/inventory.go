package rotation

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
)

// Inventory is the account's token list, fetched once per run and kept true to what the
// engines that share it do themselves. Tokens that appear meanwhile are the next run's
// business; a token that seems to be missing is asked for by id. It is safe for concurrent
// use.
type Inventory struct {
	turn   chan struct{} // held while the list is fetched
	mu     sync.RWMutex
	loaded bool
	byID   map[string]paistrike.Token
	bySlot map[string][]string // token ids, by the slot in their names
}

// NewInventory makes an inventory of an account. It does no I/O.
func NewInventory() *Inventory { return &Inventory{turn: make(chan struct{}, 1)} }

// load fetches the list unless it is there. Concurrent callers share one fetch;
// an error is not kept, the next caller asks again.
func (e *Engine) load(ctx context.Context) error {
	if e.inventory.isLoaded() {
		return nil
	}
	return e.reload(ctx, false)
}

// reload fetches the list. Unless forced, a caller that waited for another's
// fetch takes its result.
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
	i.byID = make(map[string]paistrike.Token, len(tokens))
	i.bySlot = map[string][]string{}
	for _, token := range tokens {
		i.add(token)
	}
}

// add notes a token; the caller holds the lock.
func (i *Inventory) add(token paistrike.Token) {
	if _, known := i.byID[token.ID]; !known {
		if name, ok := ParseName(token.Name); ok {
			i.bySlot[name.Slot] = append(i.bySlot[name.Slot], token.ID)
		}
	}
	i.byID[token.ID] = token
}

func (i *Inventory) note(token paistrike.Token) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.loaded {
		i.add(token)
	}
}

// revoked notes that a token has ended.
func (i *Inventory) revoked(id string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if token, ok := i.byID[id]; ok {
		token.Status = paistrike.StatusRevoked
		i.byID[id] = token
	}
}

func (i *Inventory) get(id string) (paistrike.Token, bool) {
	i.mu.RLock()
	defer i.mu.RUnlock()
	token, ok := i.byID[id]
	return token, ok
}

// isAnother reports whether an id is known as that of a token with another name. A token
// of the same name is the same one: a list that was fetched while its create was under
// way may hold it already, and no two creates send one name.
func (i *Inventory) isAnother(id string, name Name) bool {
	token, known := i.get(id)
	return known && token.Name != name.String()
}

// forget drops what is known of a token, so that it is asked for anew.
func (i *Inventory) forget(id string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	token, known := i.byID[id]
	if !known {
		return
	}
	delete(i.byID, id)
	if name, ok := ParseName(token.Name); ok {
		i.bySlot[name.Slot] = slices.DeleteFunc(i.bySlot[name.Slot], func(other string) bool { return other == id })
	}
}

// named returns the tokens that are named for one of the slots, in the order of their
// ids.
func (i *Inventory) named(slots []string) []paistrike.Token {
	i.mu.RLock()
	defer i.mu.RUnlock()
	var tokens []paistrike.Token
	for _, slot := range slots {
		for _, id := range i.bySlot[slot] {
			tokens = append(tokens, i.byID[id])
		}
	}
	slices.SortFunc(tokens, func(a, b paistrike.Token) int { return strings.Compare(a.ID, b.ID) })
	return tokens
}

// Tokens returns all tokens of the account from the one list of this run.
func (e *Engine) Tokens(ctx context.Context) ([]paistrike.Token, error) {
	if err := e.load(ctx); err != nil {
		return nil, err
	}
	e.inventory.mu.RLock()
	defer e.inventory.mu.RUnlock()
	tokens := make([]paistrike.Token, 0, len(e.inventory.byID))
	for _, token := range e.inventory.byID {
		tokens = append(tokens, token)
	}
	slices.SortFunc(tokens, func(a, b paistrike.Token) int { return strings.Compare(a.ID, b.ID) })
	return tokens, nil
}

// lookup finds a token in the list, else by id: a token minted after the list was
// fetched must not pass for a deleted one. A token that is nowhere has its id alone, and
// no status: PAIStrike does not know it, which is not the same as revoked.
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
