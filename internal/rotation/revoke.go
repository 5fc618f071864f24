package rotation

import (
	"context"
	"slices"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
)

// Imported is a token that a user imported by its ID, with the name that it had then.
type Imported struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// entryTokens returns a warrant for the tokens of an entry: those that PAIStrike lists
// under a name with one of the entry's slots, and imported ones whose ID and listed name
// are still those of the import.
func entryTokens(slots []string, imported []Imported) paistrike.Warrant {
	return paistrike.Recognized(func(token paistrike.Token) bool {
		if name, structured := ParseName(token.Name); structured && ours(slots, name.Slot) {
			return true
		}
		return token.Name != "" && slices.Contains(imported, Imported{ID: token.ID, Name: token.Name})
	})
}

// account combines PAIStrike with the list of this run.
type account struct {
	Tokens
	e *Engine
}

// Lookup finds a token in the list of this run, or else by its ID.
func (a account) Lookup(ctx context.Context, id string) (paistrike.Token, error) {
	return a.e.lookup(ctx, id)
}

// Revoke revokes a token and records that in the list of this run.
func (a account) Revoke(ctx context.Context, id string) error {
	if err := a.Tokens.Revoke(ctx, id); err != nil {
		return err
	}
	a.e.inventory.revoked(id)
	failpoint("after one revoke")
	return nil
}

// end revokes a token if the warrant covers it.
func (e *Engine) end(ctx context.Context, id string, by paistrike.Warrant) error {
	return paistrike.End(ctx, account{e.tokens, e}, id, by)
}

// detached returns a context for cleanup that ignores the caller's cancellation.
func detached(ctx context.Context, budget time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), budget)
}
