package paistrike

import (
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
)

// Status is PAIStrike's own word for a token. There is no third one: an expired
// token still reads "active", so ask [Token.Usable].
type Status string

// The two states that PAIStrike's token list shows.
const (
	StatusActive  Status = "active"
	StatusRevoked Status = "revoked"
)

// Facts is a set of what a service may say about a token.
type Facts uint8

// The facts that a service may leave out, or write in a way that cannot be read.
const (
	LastUsed Facts = 1 << iota
	Expiry
	State
)

// Has reports whether all of the facts are in the set.
func (f Facts) Has(facts Facts) bool { return f&facts == facts }

// Token is one row of PAIStrike's token list. It never carries the secret.
type Token struct {
	ID   string
	Name string
	// CreatedAt is zero if the server did not say.
	CreatedAt time.Time
	// LastUsedAt is zero if the token was never used, or if Untold has LastUsed.
	LastUsedAt time.Time
	// ExpiresAt is zero if the token never expires, or if Untold has Expiry.
	ExpiresAt time.Time
	// Status is active if Untold has State.
	Status Status
	// Untold names the facts that the answer does not tell: it has no field for
	// them, or one that cannot be read. A null is told: it means never. Nothing
	// may be concluded from the zero value of a fact that was not told.
	Untold Facts
	// Warnings name fields of the answer that could not be read.
	Warnings []string
}

// Known reports whether PAIStrike told of the token itself; false for one that has its id
// alone.
func (t Token) Known() bool { return t.Status != "" }

// Expired reports whether the token's life is over at now. Expiry is half-open:
// at the very second of ExpiresAt the token is refused. A token whose expiry was
// not told counts as unexpired.
func (t Token) Expired(now time.Time) bool {
	return !t.ExpiresAt.IsZero() && !now.Before(t.ExpiresAt)
}

// Usable reports whether PAIStrike accepts the token at now, as far as it was told.
func (t Token) Usable(now time.Time) bool {
	return t.Status == StatusActive && !t.Expired(now)
}

// Minted is a token just created, with the secret that is shown this once.
type Minted struct {
	Token
	Secret secret.Secret
}
