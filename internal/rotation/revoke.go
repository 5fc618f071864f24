package rotation

import (
	"context"
	"slices"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
)

// Imported is a token that a person took over by its id: what the import saw.
type Imported struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// entryTokens covers the tokens of an entry: PAIStrike lists them under a name with one of
// the entry's slots, or a person imported them, and id and listed name are still those that
// the import saw.
func entryTokens(slots []string, imported []Imported) paistrike.Warrant {
	return paistrike.Recognized(func(token paistrike.Token) bool {
		if name, structured := ParseName(token.Name); structured && ours(slots, name.Slot) {
			return true
		}
		return token.Name != "" && slices.Contains(imported, Imported{ID: token.ID, Name: token.Name})
	})
}

// account is PAIStrike with what this run has listed of it already.
type account struct {
	Tokens
	e *Engine
}

// Lookup finds a token in the list of the run, else by its id.
func (a account) Lookup(ctx context.Context, id string) (paistrike.Token, error) {
	return a.e.lookup(ctx, id)
}

// Revoke ends a token, and notes that in the list of the run.
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

// detached returns a context that outlives the caller's cancellation, for clean-up.
func detached(ctx context.Context, budget time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), budget)
}
