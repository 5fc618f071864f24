package rotation

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

// --- PS2: publishing

func lostRace(o observation, id string) Message {
	return warning("PS201", "Another run published first",
		"Another run published a new token at %s. The token that this run created (%s) was not published and was revoked.", o.At, id)
}

// publishUndecided describes a write without a mint if minted is nil.
func publishUndecided(o observation, minted *mint, gen int, err error) error {
	if minted == nil {
		return failure("PS205", "It is unknown whether the new version was stored", err,
			"The store did not confirm the write of generation %d of %s, which contains no new token. The write may still take effect. %s Run again when the store responds.",
			gen, o.At, serving(o))
	}
	return failure("PS205", "Token created, but it is unknown whether it was stored", err,
		"The store did not confirm that token %s (%s) was published as generation %d of %s. The token was left active, because the write may still take effect; a later run adopts or revokes it. %s Run again when the store responds.",
		minted.ID, minted.Token.Name, gen, o.At, serving(o))
}

func publishRefused(o observation, minted mint, gen int, revoked error, err error) error {
	now := "It was revoked."
	if revoked != nil {
		now = fmt.Sprintf("It could not be revoked (%v) and may still be active; the next run revokes it.", revoked)
	}
	return failure("PS210", "Token created but not stored", causeOf(err),
		"The store refused the write of generation %d of %s, so token %s (%s) was not published. %s %s%s",
		gen, o.At, minted.ID, minted.Token.Name, now, serving(o), advice(err))
}

// causeOf returns the cause of a store's failure, or the error itself. The failure's own
// text is already part of the message.
func causeOf(err error) error {
	if of, ok := errors.AsType[*entry.Failure](err); ok && of.Err != nil {
		return of.Err
	}
	return err
}

// advice returns the advice of a store's failure with a leading space, or "".
func advice(err error) string {
	if of, ok := errors.AsType[*entry.Failure](err); ok && of.Advice != "" {
		return " " + of.Advice
	}
	return ""
}

func historyReset(o observation, left int) Message {
	return warning("PS207", "History of the entry was removed",
		"The versions of %s start again. Tokens of its earlier history that still work: %d. Tokens that were in use keep working for one overlap; the others are revoked.", o.At, left)
}

func foreignEntry(at entry.Location, problem error) error {
	return failure("PS208", "Entry is not managed by paistrike", problem,
		"%s contains a secret that paistrike did not write. Nothing was created or written. Choose another place, or set adopt = true to write the token as a new version (older versions stay in the store).", at)
}

func copiedEntry(at entry.Location, here, written string) error {
	through := "a different identity"
	if written != "" {
		through = fmt.Sprintf("the identity %q", written)
	}
	return failure("PS213", "Entry belongs to another secret store", nil,
		"The record at %s was written through %s, but this store's identity is %q. This store is either a copy of that store, or the same store at another address. Nothing was created, revoked or written. "+
			"If it is the same store, set the same identity everywhere (vault.identity, vault_identity, PAISTRIKE_VAULT_IDENTITY), and list the earlier ones in former_identities. If it is a copy, the original store rotates its entries: use other paths here, or set adopt = true to start a new history.",
		at, through, here)
}

func otherOwner(at entry.Location, record entry.Record, label string) error {
	if Label(record.TokenName) == label {
		return failure("PS209", "Entry is managed by another resource", nil,
			"%s is published by another resource (owner %s): token %s (%s), generation %d. Nothing was created or written. If it is this resource under another name, import it: terraform import ADDRESS '%s'. Otherwise, use a separate place for each integration.",
			at, record.Owner, record.TokenID, record.TokenName, record.Gen, importID(at))
	}
	return failure("PS209", "Entry contains the token of another integration", nil,
		"%s contains token %s (%s), whose name does not begin with %q. Nothing was created or written. Use a separate place for each integration, or set adopt = true to take this one over.",
		at, record.TokenID, record.TokenName, label)
}

func takesOver(at entry.Location, record entry.Record) Message {
	return warning("PS214", "Entry will be taken over from another resource",
		"%s is published by another resource (owner %s, generation %d, token created %s). Applying this plan makes this resource its owner; the plan of the other resource will then show that it has lost the entry. "+
			"If this is a rename, write a moved block instead: without it, Terraform destroys the other resource in the same apply, and its token may be revoked before the new one is published. If the state was lost, import %s. If these are two integrations, use two places.",
		at, record.Owner, record.Gen, instant(record.CreatedAt), importID(at))
}

func tookOver(at entry.Location, record entry.Record) Message {
	return warning("PS214", "Entry was taken over from another resource",
		"%s was last published by another resource (owner %s, generation %d, token created %s). This resource publishes it from now on; the plan of the former owner will show that it has lost the entry. "+
			"If this is a rename, write a moved block instead. If the state was lost, import %s. If these are two integrations, use two places.",
		at, record.Owner, record.Gen, instant(record.CreatedAt), importID(at))
}

// importID returns the ID of an entry for terraform import.
func importID(at entry.Location) string {
	id := "vault/" + at.Mount + "/" + at.Path
	if at.Namespace != "" {
		id += "?namespace=" + url.QueryEscape(at.Namespace)
	}
	return id
}

func strangersAtWork(others []paistrike.Token) error {
	var names []string
	for _, token := range others {
		names = append(names, fmt.Sprintf("%s (%s)", token.ID, token.Name))
	}
	return failure("PS215", "Tokens are in use that this store never published", nil,
		"%s. A copy of this store may be managing the same entry, or this store was restored to an earlier state. No token of the entry was revoked. If the store was restored, set adopt = true (--adopt): the next rotation keeps these tokens for one overlap and then revokes them. If a copy is in use, set a different identity there.",
		strings.Join(names, ", "))
}

func unvouched(at entry.Location) error {
	return failure("PS216", "It is unknown whether the entry was closed", nil,
		"The current version of %s cannot be read, and PAIStrike lists no working token with the ID and name in its metadata. The entry may have been closed and its metadata edited afterward. Nothing was created or written. If the entry should serve a token, run terraform apply.", at)
}

func newerRelease(at entry.Location, problem error) error {
	return failure("PS212", "Entry was written by a newer release", problem,
		"This release cannot read the record of %s. Nothing was created, revoked or written. Upgrade to the release that wrote it, or to a later one.", at)
}

func rolledBack(o observation) Message {
	return warning("PS206", "Current version was not written by paistrike",
		"The current version of %s was written by a rollback, an undelete or a manual change. No token of this entry is revoked until the next rotation, which keeps every working token for a full overlap.", o.At)
}

func noProgress(at entry.Location) error {
	return failure("PS211", "Other runs kept publishing first", nil,
		"%s changed three times during this run, so this run published nothing there. Tokens that it created were revoked. Run again.", at)
}

// --- PS3: the store

// storeFailed combines a store's error with what is true now.
func storeFailed(at entry.Location, err error) error {
	nothing := fmt.Sprintf("Nothing was created or changed at %s.", at)
	if errors.Is(err, entry.ErrMayBeRestored) {
		nothing = fmt.Sprintf("No token was created. %s was scheduled for deletion, and may have been restored with its previous content.", at)
	}
	if worded, ok := errors.AsType[*Error](err); ok {
		return worded
	}
	of, ok := errors.AsType[*entry.Failure](err)
	if !ok {
		worded := failure("PS300", "The secret store did not answer as expected", err, "%s Run again.", nothing)
		worded.ofStore = true
		return worded
	}
	text := slices.DeleteFunc([]string{of.Facts, nothing, of.Advice}, func(s string) bool { return s == "" })
	worded := failure(of.Code, of.Summary, cmp.Or(of.Err, err), "%s", strings.Join(text, " "))
	if of.Err == nil {
		worded.Err = nil
	}
	worded.ofStore = true
	return worded
}

func versionsExpire(at entry.Location, after time.Duration) error {
	return failure("PS304", "The store would delete the live token", nil,
		"The store deletes versions of %s after %s, before the token expires, so the secret would be deleted while the token is in use. Nothing was created. Increase or remove delete_version_after.", at, schedule.FormatDuration(after))
}

func versionWillExpire(at entry.Location, gen int, deletion time.Time) Message {
	return warning("PS304", "The store will delete the live token",
		"Because of delete_version_after, the store will delete generation %d of %s at %s, before its token expires. Increase or remove delete_version_after.", gen, at, instant(deletion))
}

func timeless() error {
	return failure("PS310", "Time cannot be determined", nil,
		"PAIStrike's responses have no Date header, and the store's clock cannot be read. Nothing was created or changed, because this machine's clock alone must not decide about expiry and rotation. Allow requests to Vault's sys/health, and check for a proxy that removes Date.")
}

func badSchedule(at entry.Location, err error) error {
	return failure("PS311", "Schedule cannot be read", err,
		"The record of %s contains no valid rotation schedule. Nothing was created or written. Run terraform apply to write the schedule from the configuration again.", at)
}

func badMirror(at entry.Location, err error) error {
	return failure("PS317", "Metadata of the entry cannot be read", err,
		"The metadata of %s was edited and contains no valid rotation schedule. Nothing was created or written. Run terraform apply or a scheduled rotation to rebuild the metadata from the record.", at)
}

func mirrorFailed(at entry.Location, gen int, err error) Message {
	return warning("PS306", "Metadata not updated",
		"Generation %d of %s was stored, but its metadata, which plans and scheduled rotations read, is out of date (%v). The next run rebuilds the metadata.", gen, at, err)
}

func skewed(c schedule.Clock) Message {
	then := "The median of the clocks is used. Correct the clock that is wrong."
	if !c.Trusted() {
		then = "Nothing is revoked, and nothing is created because of the time, until PAIStrike's clock is within 15 minutes of the median. Correct the clock that is wrong."
	}
	return warning("PS307", "Clocks disagree",
		"PAIStrike's clock shows %s, %s and this machine's clock shows %s. %s", orNothing(c.PAIStrike), saysStore(c), instant(c.Machine), then)
}

func saysStore(c schedule.Clock) string { return "the store's clock shows " + orNothing(c.Store) }

func orNothing(t time.Time) string {
	if t.IsZero() {
		return "no time"
	}
	return instant(t)
}
