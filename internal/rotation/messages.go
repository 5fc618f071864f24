package rotation

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/vault"
)

// Every text that a user of the protocol can see is worded in this file. A
// message has a code that the documentation can be searched for, a summary (act
// and object), and a detail: what happened, to which token and Vault version,
// what is true now, what to do. None of it ever holds a secret.

// Message is one thing to tell the user.
type Message struct {
	Code    string // "PS205": PS1 mint, PS2 publish, PS3 Vault, PS4 verify, PS5 retire, PS6 destroy
	Summary string
	Detail  string
}

// Error is a [Message] that ended a run, with its cause.
type Error struct {
	Message
	Err error
}

// Error gives code, summary, detail and cause in one line.
func (e *Error) Error() string {
	text := e.Code + ": " + e.Summary + ": " + e.Detail
	if e.Err != nil {
		text += " (" + e.Err.Error() + ")"
	}
	return text
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Vault reports whether it was Vault that could not be asked or refused.
func (e *Error) Vault() bool {
	return slices.Contains([]string{"PS300", "PS301", "PS302", "PS305", "PS309"}, e.Code)
}

func failure(code, summary string, cause error, detail string, args ...any) *Error {
	return &Error{Message: Message{Code: code, Summary: summary, Detail: fmt.Sprintf(detail, args...)}, Err: cause}
}

func warning(code, summary, detail string, args ...any) Message {
	return Message{Code: code, Summary: summary, Detail: fmt.Sprintf(detail, args...)}
}

// place names a Vault entry as a person would: "secret/ci/paistrike", with the
// namespace in front where there is one.
func place(at entry.Location) string {
	parts := []string{at.Mount, at.Path}
	if at.Namespace != "" {
		parts = append([]string{strings.Trim(at.Namespace, "/")}, parts...)
	}
	return strings.Join(parts, "/")
}

// serving says what a consumer gets from the entry as it stands.
func serving(o observation) string {
	switch {
	case o.kind == kindOurs && o.entry.Record.State == entry.StateActive:
		return fmt.Sprintf("Version %d of %s still serves token %s.", o.version(), place(o.at), o.entry.Record.TokenID)
	case o.version() == 0:
		return fmt.Sprintf("Nothing was written to %s.", place(o.at))
	default:
		return fmt.Sprintf("%s is unchanged at version %d.", place(o.at), o.version())
	}
}

func instant(t time.Time) string {
	if t.IsZero() {
		return schedule.Never
	}
	return t.UTC().Format(time.RFC3339)
}

// --- PS1: minting

// Where the management token comes from, in Terraform and in a workflow.
const (
	checkManagementToken = "Check that it is active and not expired: api_token (PAISTRIKE_API_TOKEN), or the entry at broker_path in a workflow."
	inManagementToken    = "in api_token (PAISTRIKE_API_TOKEN), or in the entry at broker_path in a workflow."
)

func mintFailed(o observation, name string, err error) error {
	const nothing = "Nothing was created. %s "
	switch status := paistrike.StatusOf(err); {
	case paistrike.IsLimitReached(err):
		return failure("PS105", "PAIStrike refused a new token because the account's limit is reached", err,
			nothing+"Revoke tokens that are no longer needed in PAIStrike under Profile Settings, API Tokens, then run again.", serving(o))
	case status == 401:
		return failure("PS101", "PAIStrike refused the management token", err,
			nothing+checkManagementToken, serving(o))
	case status == 403:
		return failure("PS102", "The management token may not create tokens", err,
			nothing+"Use a token whose user may create API tokens: "+inManagementToken, serving(o))
	case status == 429:
		return failure("PS107", "PAIStrike kept answering 429", err,
			nothing+"Wait for the limit to clear, or do less at once: -parallelism, or concurrency in a workflow.", serving(o))
	default:
		return failure("PS100", "Token not created", err, nothing+"The refused name was %q.", serving(o), name)
	}
}

func createLost(id, name string) Message {
	return warning("PS103", "Reply to a create was lost",
		"PAIStrike had created token %s (%s), whose secret was lost with the reply. It was revoked.", id, name)
}

func createUnknown(o observation, name string, expires time.Time, err error) error {
	return failure("PS104", "It is unknown whether a token was created", err,
		"The create of %q was not answered and no such token is listed. %s If it appears later it is revoked by the next run that writes version %d; it expires: %s. Run again.",
		name, serving(o), o.version()+1, instant(expires))
}

func createUnreadable(o observation, name string, found bool, err error) error {
	now := "No such token is listed; if one appears it is revoked by the next run that writes this entry"
	if found {
		now = "The token was revoked"
	}
	return failure("PS109", "PAIStrike's answer to a create cannot be read", err,
		"PAIStrike answered the create of %q with success, but its answer has no id and secret that can be read. %s. %s Compare the server's reference with api_routes.", name, now, serving(o))
}

func createsLost(o observation, lost int, err error) error {
	return failure("PS110", "Replies to creates keep getting lost", err,
		"%d tokens were created whose secrets were lost with the replies, and each was revoked. %s Check the network between here and PAIStrike, then run again.", lost, serving(o))
}

func listFailed(err error) error {
	switch {
	case paistrike.IsUnauthorized(err):
		return failure("PS101", "PAIStrike refused the management token", err,
			"Nothing was created or changed. "+checkManagementToken)
	case paistrike.IsForbidden(err):
		return failure("PS102", "The management token may not list tokens", err,
			"Nothing was created or changed. Use a token whose user may manage API tokens: "+inManagementToken)
	}
	var unreached *paistrike.ConnectionError
	if errors.As(err, &unreached) && !unreached.Sent && unreached.Host != "" {
		return failure("PS108", "PAIStrike cannot be reached", err,
			"Nothing was created or changed. Check endpoint (PAISTRIKE_ENDPOINT) and the network.")
	}
	return failure("PS106", "Token list incomplete", err,
		"PAIStrike's list of tokens could not be read to its end, so nothing was created, revoked or swept. Run again.")
}

// --- PS2: publishing

func lostRace(o observation, id string) Message {
	return warning("PS201", "Another run was first",
		"Another run published version %d of %s. The token minted here (%s) was never published and was revoked.", o.version()+1, place(o.at), id)
}

// publishUndecided speaks of a write without a mint where the token is zero.
func publishUndecided(o observation, minted paistrike.Token, err error) error {
	if minted.ID == "" {
		return failure("PS205", "It is undecided whether Vault holds a new version", err,
			"Writing version %d of %s, which brings no new token, was not confirmed and may still land. %s Run again once Vault answers.",
			o.version()+1, place(o.at), serving(o))
	}
	return failure("PS205", "Token created, but it is undecided whether Vault holds it", err,
		"Publishing token %s (%s) as version %d of %s was not confirmed. It was left active on purpose, because the write may still land: the next run adopts or revokes it. %s Run again once Vault answers.",
		minted.ID, minted.Name, o.version()+1, place(o.at), serving(o))
}

func publishRefused(o observation, minted paistrike.Token, revoked error, err error) error {
	now := "It was revoked"
	if revoked != nil {
		now = "Revoking it was refused too, so it is still active and the next run sweeps it"
	}
	return failure("PS210", "Token created but not stored in Vault", err,
		"Vault refused the write of version %d of %s, so token %s (%s) reached no consumer. %s. %s Give the Vault token create and update on %s/data/%s.",
		o.version()+1, place(o.at), minted.ID, minted.Name, now, serving(o), o.at.Mount, o.at.Path)
}

func historyReset(o observation, left int) Message {
	return warning("PS207", "History of the Vault entry was removed",
		"The versions of %s start anew. Tokens of its former history that still work: %d. Those that were in use keep working for an overlap; the others are revoked.", place(o.at), left)
}

func foreignEntry(o observation) error {
	return failure("PS208", "Vault path is not managed by paistrike", o.entry.Problem,
		"%s holds a secret at version %d that paistrike did not write. Nothing was created or written. Choose another path, or set vault.adopt = true to write the token on top of it (the older versions stay in Vault).",
		place(o.at), o.version())
}

func otherOwner(o observation, label string) error {
	return failure("PS209", "Vault path holds the token of another integration", nil,
		"%s holds token %s (%s) at version %d, and its name does not begin with %q. Nothing was created or written. Give each integration a path of its own, or set vault.adopt = true to take this one over.",
		place(o.at), o.entry.Record.TokenID, o.entry.Record.TokenName, o.version(), label)
}

func newerRelease(o observation) error {
	return failure("PS212", "Vault entry was written by a newer release", o.entry.Problem,
		"Version %d of %s cannot be understood by this release. Nothing was created or written. Upgrade to the release that wrote it, or to a later one.", o.version(), place(o.at))
}

func rolledBack(o observation) Message {
	return warning("PS206", "Vault version was not written by paistrike",
		"Version %d of %s was put there by a rollback, undelete or manual write. No token of it is revoked until the next rotation, which keeps every live one for a full overlap.",
		o.version(), place(o.at))
}

func noProgress(o observation) error {
	return failure("PS211", "Other runs kept publishing first", nil,
		"%s changed three times while this run worked, so this run published nothing there. What it minted, if anything, was revoked. Run again.", place(o.at))
}

// --- PS3: Vault

func vaultFailed(at entry.Location, err error) error {
	const nothing = "Nothing was created or changed at %s. "
	var login *vault.LoginError
	switch {
	case errors.As(err, &login):
		return failure("PS309", "Vault login failed", err, nothing+"Check the login: the vault block of the provider, or the inputs of the workflow.", place(at))
	case vault.IsSealed(err):
		return failure("PS301", "Vault is sealed", err, nothing+"Unseal Vault, then run again.", place(at))
	case vault.IsForbidden(err):
		return failure("PS302", "Vault token lacks a permission", err, nothing+"Extend its policy by the path in the message.", place(at))
	case vault.IsRateLimited(err):
		return failure("PS305", "Vault kept answering 429", err, nothing+"Wait for the quota to clear, then run again.", place(at))
	case vault.StatusOf(err) == 0:
		return failure("PS301", "Vault cannot be reached", err, nothing+"Check vault.address (VAULT_ADDR), or vault_address in a workflow, and the network.", place(at))
	default:
		return failure("PS300", "Vault refused a request", err, nothing+"Vault's own words say why. Run again once that is mended.", place(at))
	}
}

func lacksCapabilities(path string, missing, has []string) error {
	return failure("PS302", "Vault token lacks a permission", nil,
		"The Vault token may not %s %s (it has: %s). Nothing was created. Extend its policy.",
		strings.Join(missing, ", "), path, strings.Join(has, ", "))
}

func notVersioned(at entry.Location) error {
	return failure("PS303", "Vault mount is not KV version 2", nil,
		"%s/ is no KV version 2 secrets engine, and check-and-set, on which safe rotation rests, needs version 2. Nothing was created. Choose another mount, or upgrade it with vault kv enable-versioning.", at.Mount)
}

func versionsExpire(at entry.Location, after time.Duration) error {
	return failure("PS304", "Vault would delete the live token", nil,
		"delete_version_after of %s is %s, shorter than the token's life: Vault would delete the secret while the token is in use. Nothing was created. Raise or remove delete_version_after.", place(at), schedule.FormatDuration(after))
}

func versionWillExpire(at entry.Location, version int, deletion time.Time) Message {
	return warning("PS304", "Vault will delete the live token",
		"Version %d of %s will be deleted by Vault at %s because of delete_version_after, before its token expires. Raise or remove delete_version_after.", version, place(at), instant(deletion))
}

func vaultTokenTooShort(ttl time.Duration) error {
	return failure("PS308", "Vault token expires too soon", nil,
		"The Vault token lives for another %s only, and %s are needed to replace a token safely. Nothing was created. Log in again.", schedule.FormatDuration(ttl), schedule.FormatDuration(minVaultTTL))
}

func timeless() error {
	return failure("PS310", "Neither server says what time it is", nil,
		"PAIStrike's answers carry no Date header, and Vault's sys/health cannot be read. Nothing was created or changed, because expiry and rotation are decided by the servers' time. Let the Vault token's network reach sys/health.")
}

func badSchedule(at entry.Location, err error) error {
	return failure("PS311", "Schedule in Vault cannot be read", err,
		"Custom metadata of %s does not say how the token is rotated. Nothing was created or written. Run terraform apply, which writes it anew from the configuration.", place(at))
}

// clockFailed is Vault's failure, unless there is no time at all.
func clockFailed(at entry.Location, err error) error {
	var worded *Error
	if errors.As(err, &worded) {
		return err
	}
	return vaultFailed(at, err)
}

func mirrorFailed(at entry.Location, version int, err error) Message {
	return warning("PS306", "Vault custom metadata not updated",
		"The secret at version %d of %s is right, but its custom metadata, which plans and schedulers read, is out of date (%v). The next run rebuilds it.", version, place(at), err)
}

func skewed(c schedule.Clock) Message {
	if !c.Trusted() {
		return warning("PS307", "PAIStrike's and Vault's clocks disagree",
			"PAIStrike says %s and Vault says %s. Nothing is revoked until they agree within 15 minutes; rotation goes on by PAIStrike's clock.", instant(c.PAIStrike), instant(c.Vault))
	}
	return warning("PS307", "PAIStrike's and Vault's clocks differ",
		"PAIStrike says %s and Vault says %s. Tokens are rotated by the later and revoked by the earlier clock.", instant(c.PAIStrike), instant(c.Vault))
}

// --- PS4: verifying

func verifyFailed(o observation, minted paistrike.Token, tries int, revoked error, err error) error {
	now := "It was revoked"
	if revoked != nil {
		now = "Revoking it failed too, so it is still active and the next run sweeps it"
	}
	return failure("PS401", "New token was refused by PAIStrike", err,
		"Token %s (%s) was not accepted in %d attempts, so it was not published. %s. %s Run again.", minted.ID, minted.Name, tries, now, serving(o))
}

func windowsMissed(o observation, v schedule.Verdict) Message {
	return warning("PS402", "Rotation windows were missed",
		"Windows of the schedule of %s that passed without a rotation: %d. Token %s (%s) is replaced now, because it expires at %s.",
		place(o.at), v.MissedWindows, o.entry.Record.TokenID, o.entry.Record.TokenName, instant(o.entry.Record.ExpiresAt))
}

func otherExpiry(asked, got time.Time) Message {
	return warning("PS403", "PAIStrike granted another expiry",
		"Asked for %s, the token expires: %s. What PAIStrike granted is what counts.", instant(asked), instant(got))
}

func revokedElsewhere(o observation) error {
	return failure("PS404", "Token was revoked outside Terraform", nil,
		"Token %s (%s) no longer works, and rotation.on_revoked = \"error\" forbids to replace it. Consumers of %s are without a working token. Set on_revoked = \"rotate\", or change rotation.triggers.",
		o.entry.Record.TokenID, o.entry.Record.TokenName, place(o.at))
}

// --- PS5: retiring

func revokeFailed(id, name string, expires time.Time, err error) Message {
	return warning("PS501", "Old token not revoked yet",
		"Token %s (%s) is due to be revoked but still active (%v). The next run tries again; it expires: %s.", id, name, err, instant(expires))
}

func usedLate(token paistrike.Token, at entry.Location) Message {
	return warning("PS502", "Revoked token was still in use",
		"Token %s (%s) was last used at %s, at the end of its overlap. A consumer may not have fetched the new one from %s. Consider a longer rotation.overlap.", token.ID, token.Name, instant(token.LastUsedAt), place(at))
}

func heldBack(token paistrike.Token, until time.Time) Message {
	return warning("PS504", "Replaced token is still in use",
		"Token %s (%s) was last used at %s by a consumer that has not fetched the new one. Its overlap is over, and it is held until nobody uses it, at the latest until %s.", token.ID, token.Name, instant(token.LastUsedAt), instant(until))
}

func retiringFull(o observation) error {
	return failure("PS503", "Too many replaced tokens are still in their overlap", nil,
		"%s has %d replaced tokens that still work. Nothing was created. Wait until an overlap is over, or shorten rotation.overlap.", place(o.at), len(o.retiring))
}

// --- PS6: destroying

func destroyIncomplete(at entry.Location, left []string, err error) error {
	return failure("PS601", "Destroy incomplete", err,
		"Still active: %s. %s no longer serves a token and nothing new can be published there. Run again.", strings.Join(left, ", "), place(at))
}

// destroyUndecided takes the place of what is said of any other publication.
func destroyUndecided(o observation, err error) error {
	var published *Error
	if errors.As(err, &published) {
		err = published.Err
	}
	return failure("PS602", "Destroy not started", err,
		"Whether the closing version %d of %s was written is undecided, so no token was revoked. %s Run again once Vault answers.", o.version()+1, place(o.at), serving(o))
}

func tombstoneNotMirrored(at entry.Location, err error) error {
	return failure("PS603", "Destroy incomplete", err,
		"All tokens of %s are revoked, but its custom metadata could not be updated, so its versions were not deleted. Run again.", place(at))
}

func deleteFailed(at entry.Location, err error) error {
	return failure("PS604", "Destroy incomplete", err,
		"All tokens of %s are revoked and its current version holds no secret, but its versions could not be deleted. Run again, or set vault.on_destroy = \"keep\".", place(at))
}

func leftAlone(at entry.Location, version int) Message {
	return warning("PS605", "Vault entry left alone",
		"Version %d of %s does not belong to this resource (any more), so nothing was changed there.", version, place(at))
}
