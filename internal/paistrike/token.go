package paistrike

import (
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
)

// Status is the status that PAIStrike reports for a token. There are only two: an expired
// token is still "active", so use [Token.Usable].
type Status string

// The two statuses in PAIStrike's token list.
const (
	StatusActive  Status = "active"
	StatusRevoked Status = "revoked"
)

// Facts is a set of facts that a service may report about a token.
type Facts uint8

// The facts that a service may omit, or report in an unknown format.
const (
	LastUsed Facts = 1 << iota
	Expiry
	State
)

// Has reports whether all of the facts are in the set.
func (f Facts) Has(facts Facts) bool { return f&facts == facts }

// Token is one row of PAIStrike's token list. It never contains the secret.
type Token struct {
	ID   string
	Name string
	// CreatedAt is zero if the server did not report it.
	CreatedAt time.Time
	// LastUsedAt is zero if the token was never used, or if Untold has LastUsed.
	LastUsedAt time.Time
	// ExpiresAt is zero if the token never expires, or if Untold has Expiry.
	ExpiresAt time.Time
	// Status is active if Untold has State.
	Status Status
	// Untold contains the facts that the response does not report: it has no field for
	// them, or the field could not be decoded. A null is reported: it means never. Do not
	// draw conclusions from the zero value of an untold fact.
	Untold Facts
	// Warnings name fields of the response that could not be decoded.
	Warnings []string
}

// Known reports whether PAIStrike knows the token. It is false for a token with only an
// ID.
func (t Token) Known() bool { return t.Status != "" }

// Expired reports whether the token has expired at now. Expiry is half-open: the token is
// refused from the second of ExpiresAt on. A token with an untold expiry counts as not
// expired.
func (t Token) Expired(now time.Time) bool {
	return !t.ExpiresAt.IsZero() && !now.Before(t.ExpiresAt)
}

// Usable reports whether PAIStrike accepts the token at now, as far as it is known.
func (t Token) Usable(now time.Time) bool {
	return t.Status == StatusActive && !t.Expired(now)
}

// Minted is a newly created token with its secret, which is shown only once.
type Minted struct {
	Token
	Secret secret.Secret
}
