package rotation

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

// --- PS4: verifying

func verifyFailed(o observation, minted paistrike.Token, tries int, revoked error, err error) error {
	now := "It was revoked"
	if revoked != nil {
		now = fmt.Sprintf("Revoking it failed too (%v), so it may still be active: the next run sweeps it", revoked)
	}
	return failure("PS401", "New token was refused by PAIStrike", err,
		"Token %s (%s) was not accepted in %d attempts, so it was not published. %s. %s Run again.", minted.ID, minted.Name, tries, now, serving(o))
}

func windowsMissed(o observation, v schedule.Verdict) Message {
	return warning("PS402", "Rotation windows were missed",
		"Windows of the schedule of %s that passed without a rotation: %d. Token %s (%s) is replaced now, because it expires at %s.",
		o.At, v.MissedWindows, o.record().TokenID, o.record().TokenName, instant(o.record().ExpiresAt))
}

func otherExpiry(asked, got time.Time) Message {
	return warning("PS403", "PAIStrike granted another expiry",
		"Asked for %s, the token expires: %s. What PAIStrike granted is what counts.", instant(asked), instant(got))
}

func revokedElsewhere(o observation) error {
	return failure("PS404", "Token was revoked outside Terraform", nil, "%s", RevokedElsewhere(o.record().TokenID, o.At))
}

// RevokedElsewhere states that a token no longer works and must not be replaced.
func RevokedElsewhere(id string, at entry.Location) string {
	return fmt.Sprintf("Token %s no longer works, and rotation.on_revoked = \"error\" forbids to replace it. Consumers of %s are without a working token. Set on_revoked = \"rotate\", or change rotation.triggers.", id, at)
}

// --- PS5: retiring

func revokeFailed(id, name string, expires time.Time, err error) Message {
	return warning("PS501", "Old token not revoked yet",
		"Token %s (%s) is due to be revoked but still active (%v). The next run tries again; it expires: %s.", id, name, err, instant(expires))
}

func usedLate(token paistrike.Token, at entry.Location) Message {
	return warning("PS502", "Revoked token was still in use",
		"Token %s (%s) was last used at %s, at the end of its overlap. A consumer may not have fetched the new one from %s. Consider a longer rotation.overlap.", token.ID, token.Name, instant(token.LastUsedAt), at)
}

func heldBack(token paistrike.Token, until time.Time) Message {
	return warning("PS504", "Replaced token is still in use",
		"Token %s (%s) was last used at %s by a consumer that has not fetched the new one. Its overlap is over, and it is held until nobody uses it, at the latest until %s.", token.ID, token.Name, instant(token.LastUsedAt), instant(until))
}

func retiringFull(o observation) error {
	return failure("PS503", "Too many replaced tokens are still in their overlap", nil,
		"%s has %d replaced tokens that still work. Nothing was created. Wait until an overlap is over, or shorten rotation.overlap.", o.At, len(o.retiring))
}

func previousEnded(id, name string, at time.Time) Message {
	return warning("PS505", "Compromised token was revoked",
		"Token %s (%s) was seen to be revoked at %s. Consumers that have not fetched the new token are refused until they do.", id, name, instant(at))
}

// StillWorks reports whether a code is that of the warning that follows: a compromised
// token was not confirmed as revoked.
func StillWorks(code string) bool { return code == "PS506" }

func previousStillWorks(id, name string, err error) Message {
	return warning("PS506", "Compromised token may still work",
		"The new token is published, but token %s (%s) was not seen to be revoked (%v). Run again, or revoke it in PAIStrike under Profile Settings, API Tokens.", id, name, err)
}

// --- PS6: destroying

func destroyIncomplete(at entry.Location, left []string, err error) error {
	return failure("PS601", "Destroy incomplete", err,
		"Not seen to be revoked: %s. %s no longer serves a token and nothing new can be published there. Run again.", strings.Join(left, ", "), at)
}

// destroyUndecided replaces the message of a publication that is undecided.
func destroyUndecided(o observation, gen int, err error) error {
	if published, ok := errors.AsType[*Error](err); ok {
		err = published.Err
	}
	return failure("PS602", "Destroy not started", err,
		"Whether the closing generation %d of %s was written is undecided, so no token was revoked. %s Run again when the store answers.", gen, o.At, serving(o))
}

func deleteFailed(at entry.Location, err error) error {
	return failure("PS604", "Destroy incomplete", err,
		"All tokens of %s are revoked and its current version holds no secret, but it could not be closed. Run again, or set on_destroy = \"keep\".", at)
}

func leftAlone(o observation) Message {
	owner := ""
	if o.active() && o.record().Owner != "" {
		owner = fmt.Sprintf(" Another resource (owner %s) publishes it: token %s (%s).", o.record().Owner, o.record().TokenID, o.record().TokenName)
	}
	return warning("PS605", "Entry left alone", "%s does not belong to this resource (any more), so neither it nor its tokens were changed.%s", o.At, owner)
}

func tokenLeftAlone(id, name string) Message {
	return warning("PS606", "Token left alone",
		"PAIStrike lists token %s as %q, which is not a name of this entry, so it was not revoked. If it was this resource's, revoke it in PAIStrike under Profile Settings, API Tokens.", id, name)
}

func placeGone(at entry.Location) Message {
	return warning("PS607", "Place of the entry no longer exists",
		"The secrets engine at %s/ is gone, and the entry with it. The tokens that were created for it are revoked.", at.Mount)
}

func ownToken(at entry.Location, id string) error {
	return failure("PS608", "Token is the one that this run itself uses", nil,
		"Token %s of %s is, or may be, the management token that these calls are made with. Ending it would lock you out, so nothing was changed. Use another management token.", id, at)
}

// isNotRevoked reports whether a code is that of the warning that follows.
func isNotRevoked(code string) bool { return code == "PS609" }

func notRevoked(at entry.Location, left []entry.Retiring) Message {
	ids := make([]string, len(left))
	for i, token := range left {
		ids[i] = token.ID
	}
	return warning("PS609", "Entry was closed without revoking its tokens",
		"%s serves nothing any more. PAIStrike was not called, so these tokens were not revoked: %s. If that PAIStrike still exists, each works there until it expires.", at, strings.Join(ids, ", "))
}

func abandonIncomplete(at entry.Location, err error) error {
	return failure("PS610", "Entry is closed, and its metadata does not say so", err,
		"%s serves nothing any more, and no token of it was revoked. Its metadata could not be updated. Run again.", at)
}
