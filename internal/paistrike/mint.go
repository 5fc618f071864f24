package paistrike

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Minter is what [MintOnce] needs of a [Client].
type Minter interface {
	Create(ctx context.Context, name string, expiresAt time.Time) (Minted, error)
	List(ctx context.Context) ([]Token, error)
	End(ctx context.Context, id string, by Warrant) error
}

// LostError says that a create returned no token that can be used, and whether the
// token that it may have made is revoked.
type LostError struct {
	Name string // the name that was sent
	ID   string // the token's id, "" if it is not known
	// Revoked says that the token was made, and was seen to be revoked.
	Revoked bool
	// MayExist says that a token of that name may be live, now or in a moment: a
	// create whose answer is lost may still be carried out.
	MayExist bool
	Err      error
}

func (e *LostError) Error() string {
	switch {
	case e.MayExist && e.ID != "":
		return fmt.Sprintf("token %s named %q cannot be used, and may still be live: %v", e.ID, e.Name, e.Err)
	case e.MayExist:
		return fmt.Sprintf("a token named %q may exist, or appear later: %v", e.Name, e.Err)
	}
	return fmt.Sprintf("token %s named %q cannot be used, and is revoked: %v", e.ID, e.Name, e.Err)
}

func (e *LostError) Unwrap() error { return e.Err }

// MintOnce creates a token, once. If the outcome is unknown, it looks for the name
// in a fresh list, revokes what has exactly that name, and returns a
// [*LostError]; so the name must be one that nobody else sends. Any other error
// says that no token was made.
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
