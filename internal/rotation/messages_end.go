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
		now = fmt.Sprintf("It could not be revoked (%v) and may still be active; the next run revokes it", revoked)
	}
	return failure("PS401", "PAIStrike refused the new token", err,
		"PAIStrike did not accept token %s (%s) in %d attempts, so it was not published. %s. %s Run again.", minted.ID, minted.Name, tries, now, serving(o))
}

func windowsMissed(o observation, v schedule.Verdict) Message {
	return warning("PS402", "Rotation windows were missed",
		"Windows of the schedule of %s that passed without a rotation: %d. Token %s (%s) expires at %s, so it is replaced now. Run a pipeline at least once per window.",
		o.At, v.MissedWindows, o.record().TokenID, o.record().TokenName, instant(o.record().ExpiresAt))
}

func otherExpiry(asked, got time.Time) Message {
	return warning("PS403", "PAIStrike granted a different expiry",
		"Requested expiry: %s. Granted expiry: %s. The granted expiry is used.", instant(asked), instant(got))
}

func revokedElsewhere(o observation) error {
	return failure("PS404", "Token was revoked outside Terraform", nil, "%s", RevokedElsewhere(o.record().TokenID, o.At))
}

// RevokedElsewhere states that a token no longer works and must not be replaced.
func RevokedElsewhere(id string, at entry.Location) string {
	return fmt.Sprintf("Token %s no longer works, and rotation.on_revoked = \"error\" does not allow replacing it. Consumers of %s have no working token. Set on_revoked = \"rotate\", or change rotation.triggers.", id, at)
}

// --- PS5: retiring

func revokeFailed(id, name string, expires time.Time, err error) Message {
	return warning("PS501", "Old token not revoked yet",
		"Token %s (%s) should be revoked but is still active (%v). The next run tries again. It expires: %s.", id, name, err, instant(expires))
}

func usedLate(token paistrike.Token, at entry.Location) Message {
	return warning("PS502", "Revoked token was still in use",
		"Token %s (%s) was last used at %s, at the end of its overlap. A consumer may not have read the new token from %s. Consider a longer rotation.overlap.", token.ID, token.Name, instant(token.LastUsedAt), at)
}

func heldBack(token paistrike.Token, until time.Time) Message {
	return warning("PS504", "Replaced token is still in use",
		"Token %s (%s) was last used at %s by a consumer that has not read the new token. Its overlap has ended. It is kept until it is no longer used, but not after %s. Find the consumer and make it read the store again.", token.ID, token.Name, instant(token.LastUsedAt), instant(until))
}

func retiringFull(o observation) error {
	return failure("PS503", "Too many replaced tokens are still in their overlap", nil,
		"%s has %d replaced tokens that still work. Nothing was created. Wait until an overlap ends, or shorten rotation.overlap.", o.At, len(o.retiring))
}

func previousEnded(id, name string, at time.Time) Message {
	return warning("PS505", "Compromised token was revoked",
		"Token %s (%s) is revoked, as PAIStrike confirmed at %s. Consumers are refused until they read the new token.", id, name, instant(at))
}

// StillWorks reports whether a code is that of the warning that follows: a compromised
// token was not confirmed as revoked.
func StillWorks(code string) bool { return code == "PS506" }

func previousStillWorks(id, name string, err error) Message {
	return warning("PS506", "Compromised token may still work",
		"The new token is published, but PAIStrike did not confirm that token %s (%s) is revoked (%v). Run again, or revoke it in PAIStrike under Profile Settings, API Tokens.", id, name, err)
}

// --- PS6: destroying

func destroyIncomplete(at entry.Location, left []string, err error) error {
	return failure("PS601", "Destroy incomplete", err,
		"PAIStrike did not confirm that these tokens are revoked: %s. %s no longer serves a token, and no run can publish a new one there. Run again.", strings.Join(left, ", "), at)
}

// destroyUndecided replaces the message of a publication that is undecided.
func destroyUndecided(o observation, gen int, err error) error {
	if published, ok := errors.AsType[*Error](err); ok {
		err = published.Err
	}
	return failure("PS602", "Destroy not started", err,
		"The store did not confirm generation %d of %s, which closes the entry, so no token was revoked. %s Run again when the store responds.", gen, o.At, serving(o))
}

func deleteFailed(at entry.Location, err error) error {
	return failure("PS604", "Destroy incomplete", err,
		"All tokens of %s are revoked and its current version contains no secret, but the entry could not be closed. Run again, or set on_destroy = \"keep\".", at)
}

func leftAlone(o observation) Message {
	owner := ""
	if o.active() && o.record().Owner != "" {
		owner = fmt.Sprintf(" Another resource (owner %s) publishes token %s (%s) there.", o.record().Owner, o.record().TokenID, o.record().TokenName)
	}
	return warning("PS605", "Entry was not changed", "%s does not belong to this resource, or no longer does, so neither the entry nor its tokens were changed.%s", o.At, owner)
}

func tokenLeftAlone(id, name string) Message {
	return warning("PS606", "Token was not revoked",
		"PAIStrike lists token %s as %q, which is not a name of this entry, so it was not revoked. If it belonged to this resource, revoke it in PAIStrike under Profile Settings, API Tokens.", id, name)
}

func placeGone(at entry.Location) Message {
	return warning("PS607", "Secrets engine of the entry no longer exists",
		"The secrets engine at %s/ no longer exists, so the entry no longer exists either. The tokens that were created for it are revoked.", at.Mount)
}

func ownToken(at entry.Location, id string) error {
	return failure("PS608", "Token is in use by this run", nil,
		"Token %s of %s is, or may be, the management token of this run. Revoking it would lock you out, so nothing was changed. Use another management token.", id, at)
}

// isNotRevoked reports whether a code is that of the warning that follows.
func isNotRevoked(code string) bool { return code == "PS609" }

func notRevoked(at entry.Location, left []entry.Retiring) Message {
	ids := make([]string, len(left))
	for i, token := range left {
		ids[i] = token.ID
	}
	return warning("PS609", "Entry was closed without revoking its tokens",
		"%s no longer serves a token. PAIStrike was not called, so these tokens were not revoked: %s. If that PAIStrike still exists, they work there until they expire.", at, strings.Join(ids, ", "))
}

func abandonIncomplete(at entry.Location, err error) error {
	return failure("PS610", "Entry is closed, but its metadata was not updated", err,
		"%s no longer serves a token, and none of its tokens was revoked. Its metadata could not be updated. Run again.", at)
}
