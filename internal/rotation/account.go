package rotation

import (
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

// Account states whether the PAIStrike account in use is the one that an entry's tokens
// belong to. A token that is neither listed nor found by its ID was either revoked or
// belongs to another account. The two cases look alike, and confusing them would replace a
// working token with one of another account.
type Account int

// The zero value applies if there was nothing to decide.
const (
	AccountKnown   Account = iota
	AccountDropped         // revoked: the service drops revoked tokens from its list
	AccountUnknown         // no evidence that the entry was written from this account
)

// accountOf decides from evidence in the entry itself, because plan and apply are separate
// processes. The account is known if the current token exists in it, if another token of
// the slot does (in any state), or if the recorded expiry has passed, in which case no one
// can lose a working token.
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

// unhealthyToken returns the reason why a token does not serve its consumers, or
// [schedule.ReasonNone].
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
