package rotation

import (
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

// Account says whether the PAIStrike that is called is the one that an entry's tokens
// belong to. A token that is neither listed nor found by its id may have been revoked,
// or it is another account's: the two look alike, and to take the one for the other
// overwrites a working token with one of another account.
type Account int

// The answers. The zero value is the answer if nothing was in question.
const (
	AccountKnown   Account = iota
	AccountDropped         // revoked: the service drops revoked tokens from its list
	AccountUnknown         // nothing shows that the entry was written from this account
)

// accountOf judges by the entry's own evidence, because plan and apply are separate
// processes: the current token is known here, another token of the slot is, in whatever
// state, or the recorded expiry has passed, so that nobody can lose a working token.
func accountOf(current paistrike.Token, slot []paistrike.Token, expires time.Time, clock schedule.Clock, tokens Tokens) Account {
	switch {
	case current.ID == "" || current.Known():
		return AccountKnown
	case tokens.DropsRevoked():
		return AccountDropped
	case len(slot) > 0, !expires.IsZero() && !clock.Rotate().Before(expires):
		return AccountKnown
	default:
		return AccountUnknown
	}
}

// unhealthyToken says why a token does not serve its consumers.
func unhealthyToken(current paistrike.Token, account Account, p schedule.Policy) schedule.Reason {
	switch {
	case current.ID == "":
		return schedule.ReasonNone
	case p.OnRevoked == schedule.OnRevokedIgnore && account != AccountUnknown:
		return schedule.ReasonNone
	case current.Status == paistrike.StatusRevoked, account == AccountDropped:
		return schedule.ReasonRevoked
	case !current.Known():
		return schedule.ReasonNotFound
	}
	return schedule.ReasonNone
}
