package rotation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
)

// Imported is a token that a person took over by its id: what the import saw.
type Imported struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// warrant says by what right a token is revoked. Nothing is revoked on a store's word: a
// record, a mirror and private state are input like any other, and may have been
// written by a neighbor.
type warrant struct {
	slots    []string   // PAIStrike lists it under a name with one of these slots
	name     string     // PAIStrike lists it under exactly this name, which this run has sent
	imported []Imported // a person imported it: id and listed name both match
}

// covers decides from what PAIStrike lists whether a token may be revoked.
func (w warrant) covers(token paistrike.Token) bool {
	name, structured := ParseName(token.Name)
	switch {
	case w.name != "" && token.Name == w.name:
		return true
	case structured && ours(w.slots, name.Slot):
		return true
	}
	return token.Name != "" && slices.Contains(w.imported, Imported{ID: token.ID, Name: token.Name})
}

// Why a token is not revoked.
var (
	errNotOurs = errors.New("PAIStrike does not list it under a name of this entry, so it is left alone")
	errOwn     = errors.New("it is, or may be, the token that this run itself uses")
	errGone    = errors.New("PAIStrike does not know it")
)

// end revokes a token: the one function through which every revocation passes. A token
// that PAIStrike shows as revoked is done. One that it does not know is neither done nor
// revocable: errGone.
func (e *Engine) end(ctx context.Context, id string, by warrant) error {
	token, err := e.lookup(ctx, id)
	switch {
	case err != nil:
		return err
	case token.Status == paistrike.StatusRevoked:
		return nil
	case !known(token) && e.tokens.DropsRevoked():
		return nil
	case !known(token):
		return errGone
	case !by.covers(token):
		return errNotOurs
	}
	if err := e.mayBeOwn(ctx, token, by); err != nil {
		return err
	}
	if err := e.tokens.Revoke(ctx, id); err != nil {
		return err
	}
	e.inventory.revoked(id)
	failpoint("after one revoke")
	return nil
}

// mayBeOwn refuses the token that this run itself uses. One whose name this run has just
// sent cannot be that.
func (e *Engine) mayBeOwn(ctx context.Context, token paistrike.Token, by warrant) error {
	if by.name != "" && token.Name == by.name {
		return nil
	}
	own, err := e.tokens.MayBeOwn(ctx, token.ID)
	switch {
	case err != nil:
		return fmt.Errorf("finding out which token this run uses: %w", err)
	case own:
		return errOwn
	}
	return nil
}

// detached returns a context that outlives the caller's cancellation, for clean-up.
func detached(ctx context.Context, budget time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), budget)
}
