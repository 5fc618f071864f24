package paistrike

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Reasons why [End] does not revoke a token.
var (
	ErrNotOurs = errors.New("PAIStrike does not list it under a name that this run chose, so it was not revoked")
	ErrOwn     = errors.New("it is, or may be, the token that this run uses")
	ErrUnknown = errors.New("PAIStrike does not know it")
)

// Warrant is the justification for revoking a token. Nothing is revoked because a store,
// saved state, or the response to a create says so: any of these is untrusted input and
// may name someone else's token. What counts is how PAIStrike lists the token now.
type Warrant struct {
	sent       []string
	recognized func(Token) bool
}

// Sent covers a token that PAIStrike lists under exactly one of these names, which the
// caller sent to create it. Such a token cannot be the caller's own.
func Sent(names ...string) Warrant { return Warrant{sent: names} }

// Recognized covers a token that the caller recognizes from PAIStrike's list.
func Recognized(as func(Token) bool) Warrant { return Warrant{recognized: as} }

// Asked covers any token, because a user named its ID.
func Asked() Warrant { return Recognized(func(Token) bool { return true }) }

func (w Warrant) sentIt(t Token) bool { return t.Name != "" && slices.Contains(w.sent, t.Name) }

// Covers decides from PAIStrike's list entry of a token whether it may be revoked.
func (w Warrant) Covers(t Token) bool {
	return w.sentIt(t) || w.recognized != nil && w.recognized(t)
}

// Account is the part of PAIStrike that [End] needs. [Client] implements it.
type Account interface {
	// Lookup returns the token as PAIStrike lists it. If PAIStrike does not know the
	// token, only its ID is set.
	Lookup(ctx context.Context, id string) (Token, error)
	// MayBeOwn reports whether a token is, or may be, the token that makes the calls.
	MayBeOwn(ctx context.Context, id string) (bool, error)
	// Revoke revokes a token. It returns nil only if the token was then seen as revoked.
	Revoke(ctx context.Context, id string) error
	// DropsRevoked reports whether absence from a complete list means revoked.
	DropsRevoked() bool
}

// End revokes a token if the warrant covers it as PAIStrike lists it. Every revocation of
// a token by ID uses this function. End succeeds if PAIStrike already lists the token as
// revoked. It returns [ErrUnknown] if PAIStrike does not know the token, because such a
// token is neither revoked nor revocable.
func End(ctx context.Context, account Account, id string, by Warrant) error {
	token, err := account.Lookup(ctx, id)
	switch {
	case err != nil:
		return err
	case token.Status == StatusRevoked:
		return nil
	case !token.Known() && account.DropsRevoked():
		return nil
	case !token.Known():
		return ErrUnknown
	case !by.Covers(token):
		return ErrNotOurs
	}
	if !by.sentIt(token) {
		own, err := account.MayBeOwn(ctx, id)
		switch {
		case err != nil:
			return fmt.Errorf("finding out which token this run uses: %w", err)
		case own:
			return ErrOwn
		}
	}
	return account.Revoke(ctx, id)
}

// End is [End] on the client's account.
func (c *Client) End(ctx context.Context, id string, by Warrant) error { return End(ctx, c, id, by) }

// Lookup reads a token by its ID, or from the list if the server does not find it.
func (c *Client) Lookup(ctx context.Context, id string) (Token, error) {
	token, err := c.find(ctx, id)
	if IsNotFound(err) {
		return Token{ID: id}, nil
	}
	return token, err
}
