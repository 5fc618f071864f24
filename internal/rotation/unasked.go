package rotation

import (
	"context"
	"errors"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
)

// Unasked stands in for PAIStrike if it is not called: in a plan that must do without a
// management token, and when an entry is abandoned. It takes every token for one
// that works, as the store has it, and carries nothing out. Nothing may be concluded from
// what it says of a token.
type Unasked struct{}

var errUnasked = errors.New("this run does without PAIStrike's API")

// List returns no token.
func (Unasked) List(context.Context) ([]paistrike.Token, error) { return nil, nil }

// Get returns a token of which nothing is told but its id.
func (Unasked) Get(_ context.Context, id string) (paistrike.Token, error) {
	return paistrike.Token{ID: id, Status: paistrike.StatusActive, Untold: paistrike.LastUsed | paistrike.Expiry | paistrike.State}, nil
}

// Create carries nothing out.
func (Unasked) Create(context.Context, string, time.Time) (paistrike.Minted, error) {
	return paistrike.Minted{}, errUnasked
}

// Verify carries nothing out.
func (Unasked) Verify(context.Context, secret.Secret) error { return errUnasked }

// Revoke carries nothing out.
func (Unasked) Revoke(context.Context, string) error { return errUnasked }

// MayBeOwn cannot tell.
func (Unasked) MayBeOwn(context.Context, string) (bool, error) { return true, errUnasked }

// As carries nothing out either.
func (u Unasked) As(secret.Secret) Tokens { return u }

// ServerTime is not known.
func (Unasked) ServerTime() (time.Time, bool) { return time.Time{}, false }

// Endpoint is not known.
func (Unasked) Endpoint() string { return "" }

// DropsRevoked is not known.
func (Unasked) DropsRevoked() bool { return false }

// Unasked reports that the engine does without PAIStrike.
func (e *Engine) Unasked() bool {
	_, unasked := e.tokens.(Unasked)
	return unasked
}
