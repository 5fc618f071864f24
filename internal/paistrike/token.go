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

// Token is one row of PAIStrike's token list. It never carries the secret.
type Token struct {
	ID   string
	Name string
	// CreatedAt is zero where the server did not say.
	CreatedAt time.Time
	// LastUsedAt is zero where the token was never used.
	LastUsedAt time.Time
	// ExpiresAt is zero where the token never expires.
	ExpiresAt time.Time
	Status    Status
	// Warnings name fields of the answer that could not be read.
	Warnings []string
}

// Expired reports whether the token's life is over at now. Expiry is half-open:
// at the very second of ExpiresAt the token is refused.
func (t Token) Expired(now time.Time) bool {
	return !t.ExpiresAt.IsZero() && !now.Before(t.ExpiresAt)
}

// Usable reports whether PAIStrike accepts the token at now.
func (t Token) Usable(now time.Time) bool {
	return t.Status == StatusActive && !t.Expired(now)
}

// Minted is a token just created, with the secret that is shown this once.
type Minted struct {
	Token
	Secret secret.Secret
}
