package rotation

import (
	"context"
	"errors"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
)

// Unasked replaces PAIStrike where its API is not called: in a plan without a management
// token, and when an entry is abandoned. It reports every token as active, as the store
// does, and every call that changes something fails. Do not draw conclusions from what it
// reports about a token.
type Unasked struct{}

var errUnasked = errors.New("this run does without PAIStrike's API")

// List returns no token.
func (Unasked) List(context.Context) ([]paistrike.Token, error) { return nil, nil }

// Get returns an active token of which only the ID is known.
func (Unasked) Get(_ context.Context, id string) (paistrike.Token, error) {
	return paistrike.Token{ID: id, Status: paistrike.StatusActive, Untold: paistrike.LastUsed | paistrike.Expiry | paistrike.State}, nil
}

// Create always fails.
func (Unasked) Create(context.Context, string, time.Time) (paistrike.Minted, error) {
	return paistrike.Minted{}, errUnasked
}

// Verify always fails.
func (Unasked) Verify(context.Context, secret.Secret) error { return errUnasked }

// Revoke always fails.
func (Unasked) Revoke(context.Context, string) error { return errUnasked }

// MayBeOwn always fails.
func (Unasked) MayBeOwn(context.Context, string) (bool, error) { return true, errUnasked }

// As returns the receiver.
func (u Unasked) As(secret.Secret) Tokens { return u }

// ServerTime returns false: the time is unknown.
func (Unasked) ServerTime() (time.Time, bool) { return time.Time{}, false }

// Endpoint returns "".
func (Unasked) Endpoint() string { return "" }

// DropsRevoked returns false.
func (Unasked) DropsRevoked() bool { return false }

// Unasked reports whether the engine works without PAIStrike's API.
func (e *Engine) Unasked() bool {
	_, unasked := e.tokens.(Unasked)
	return unasked
}
