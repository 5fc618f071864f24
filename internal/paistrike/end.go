package paistrike

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Why [End] does not revoke a token.
var (
	ErrNotOurs = errors.New("PAIStrike does not list it under a name of this run's, so it is left alone")
	ErrOwn     = errors.New("it is, or may be, the token that this run itself uses")
	ErrUnknown = errors.New("PAIStrike does not know it")
)

// Warrant says by what right a token is revoked. Nothing is revoked on the word of a
// store, of kept state, or of the answer to a create: each is input like any other, and
// may name someone else's token. What counts is how PAIStrike lists the token now.
type Warrant struct {
	sent       []string
	recognized func(Token) bool
}

// Sent covers a token that PAIStrike lists under exactly one of these names, which the
// caller has sent to create it. Such a token cannot be the caller's own.
func Sent(names ...string) Warrant { return Warrant{sent: names} }

// Recognized covers a token that the caller recognizes by what PAIStrike lists of it.
func Recognized(as func(Token) bool) Warrant { return Warrant{recognized: as} }

// Asked covers any token, because a person named its id.
func Asked() Warrant { return Recognized(func(Token) bool { return true }) }

func (w Warrant) sentIt(t Token) bool { return t.Name != "" && slices.Contains(w.sent, t.Name) }

// Covers decides from what PAIStrike lists of a token whether it may be revoked.
func (w Warrant) Covers(t Token) bool {
	return w.sentIt(t) || w.recognized != nil && w.recognized(t)
}

// Account is what [End] needs of PAIStrike. A [Client] is one.
type Account interface {
	// Lookup finds out how PAIStrike lists a token. One that it does not know has its id
	// alone.
	Lookup(ctx context.Context, id string) (Token, error)
	// MayBeOwn reports whether a token is, or may be, the one that the calls are made with.
	MayBeOwn(ctx context.Context, id string) (bool, error)
	// Revoke ends a token. It returns nil only if the token was seen to be revoked.
	Revoke(ctx context.Context, id string) error
	// DropsRevoked reports that absence from a whole list means revoked.
	DropsRevoked() bool
}

// End revokes a token if the warrant covers what PAIStrike lists of it. Every revocation
// of a token by its id passes through here. A token that PAIStrike shows as revoked is
// done. One that it does not know is neither done nor revocable: [ErrUnknown].
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

// Lookup reads a token by its id, and in the list if the server does not find it.
func (c *Client) Lookup(ctx context.Context, id string) (Token, error) {
	token, err := c.find(ctx, id)
	if IsNotFound(err) {
		return Token{ID: id}, nil
	}
	return token, err
}
