package paistrike

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Minter is the part of a [Client] that [MintOnce] needs.
type Minter interface {
	Create(ctx context.Context, name string, expiresAt time.Time) (Minted, error)
	List(ctx context.Context) ([]Token, error)
	End(ctx context.Context, id string, by Warrant) error
}

// LostError reports that a create returned no usable token, and whether the token that it
// may have created is revoked.
type LostError struct {
	Name string // the name that was sent
	ID   string // the token's ID, or "" if unknown
	// Revoked is true if the token was created and then seen as revoked.
	Revoked bool
	// MayExist is true if a token with that name may exist now or soon: a create whose
	// response is lost may still be carried out.
	MayExist bool
	Err      error
}

func (e *LostError) Error() string {
	switch {
	case e.MayExist && e.ID != "":
		return fmt.Sprintf("token %s named %q cannot be used, but may still be active: %v", e.ID, e.Name, e.Err)
	case e.MayExist:
		return fmt.Sprintf("a token named %q may exist, or appear later: %v", e.Name, e.Err)
	}
	return fmt.Sprintf("token %s named %q cannot be used and was revoked: %v", e.ID, e.Name, e.Err)
}

func (e *LostError) Unwrap() error { return e.Err }

// MintOnce creates a token with a single request. If the outcome is unknown, it looks for
// the name in a new list, revokes the token with exactly that name, and returns a
// [*LostError]. So no one else may send the same name. Any other error means that no token
// was created.
func MintOnce(ctx context.Context, m Minter, name string, expiresAt time.Time) (Minted, error) {
	minted, err := m.Create(ctx, name, expiresAt)
	unknown, lost := errors.AsType[*UnknownOutcomeError](err)
	if !lost {
		return minted, err
	}
	e := &LostError{Name: name, ID: unknown.ID, Revoked: unknown.Revoked, MayExist: !unknown.Revoked, Err: unknown.Err}
	if e.Revoked {
		return Minted{}, e
	}
	tokens, err := m.List(ctx)
	if err != nil {
		e.Err = then(e.Err, err)
		return Minted{}, e
	}
	var failed error
	for _, token := range tokens {
		if token.Name != name {
			continue
		}
		e.ID = token.ID
		if token.Status != StatusRevoked {
			if err := m.End(ctx, token.ID, Sent(name)); err != nil {
				failed = then(failed, err)
				continue
			}
		}
		e.Revoked = true
	}
	e.MayExist = failed != nil || !e.Revoked
	e.Err = then(e.Err, failed)
	return Minted{}, e
}
