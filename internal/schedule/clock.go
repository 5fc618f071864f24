package schedule

import "time"

const (
	// skewWarning is how far apart the two servers' clocks may be unremarked.
	SkewWarning = time.Minute
	// skewLimit is how far apart they may be for anything to be revoked.
	skewLimit = 15 * time.Minute
)

// Clock is what the two servers say the time is. This machine's own clock decides
// nothing: a laptop or a runner may be hours off.
type Clock struct {
	PAIStrike time.Time // enforces expiry
	Vault     time.Time // zero where Vault did not say
}

// Skew is how far apart the servers are, zero where Vault did not say.
func (c Clock) Skew() time.Duration {
	if c.Vault.IsZero() {
		return 0
	}
	return c.Vault.Sub(c.PAIStrike).Abs()
}

// Trusted reports whether the servers agree well enough to revoke anything.
func (c Clock) Trusted() bool { return c.Skew() <= skewLimit }

// Rotate is the time that decides whether a token is due: the later clock, so
// that none expires unnoticed. Beyond the skew limit PAIStrike's alone counts,
// because a Vault that is a year ahead would make every new token due.
func (c Clock) Rotate() time.Time {
	if c.Trusted() && c.Vault.After(c.PAIStrike) {
		return c.Vault
	}
	return c.PAIStrike
}

// Revoke is the time that decides whether an overlap is over: the earlier clock,
// so that none is cut short.
func (c Clock) Revoke() time.Time {
	if !c.Vault.IsZero() && c.Vault.Before(c.PAIStrike) {
		return c.Vault
	}
	return c.PAIStrike
}
