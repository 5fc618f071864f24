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
	return warning("PS201", "Another run was first",
		"Another run published %s. The token minted here (%s) was never published and was revoked.", o.At, id)
}

// publishUndecided describes a write without a mint if minted is nil.
func publishUndecided(o observation, minted *mint, gen int, err error) error {
	if minted == nil {
		return failure("PS205", "It is undecided whether the store holds a new version", err,
			"Writing generation %d of %s, which brings no new token, was not confirmed and may still land. %s Run again when the store answers.",
			gen, o.At, serving(o))
	}
	return failure("PS205", "Token created, but it is undecided whether the store holds it", err,
		"Publishing token %s (%s) as generation %d of %s was not confirmed. It was left active on purpose, because the write may still land: a later run adopts or revokes it. %s Run again when the store answers.",
		minted.ID, minted.Token.Name, gen, o.At, serving(o))
}

func publishRefused(o observation, minted mint, gen int, revoked error, err error) error {
	now := "It was revoked."
	if revoked != nil {
		now = fmt.Sprintf("Revoking it failed too (%v), so it may still be active: the next run sweeps it.", revoked)
	}
	return failure("PS210", "Token created but not stored", causeOf(err),
		"The store refused the write of generation %d of %s, so token %s (%s) reached no consumer. %s %s%s",
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
		"The versions of %s start anew. Tokens of its former history that still work: %d. Those that were in use keep working for an overlap; the others are revoked.", o.At, left)
}

func foreignEntry(at entry.Location, problem error) error {
	return failure("PS208", "Entry is not managed by paistrike", problem,
		"%s holds a secret that paistrike did not write. Nothing was created or written. Choose another place, or set adopt = true to write the token on top of it (the older versions stay in the store).", at)
}

func copiedEntry(at entry.Location, here, written string) error {
	through := "another identity"
	if written != "" {
		through = fmt.Sprintf("the identity %q", written)
	}
	return failure("PS213", "Entry belongs to another secret store", nil,
		"The record at %s was written through %s, and this store's identity is %q: it is a copy of that store, or the same one under another address. Nothing was created, revoked or written. "+
			"If it is the same store, set one identity in every place (vault.identity, vault_identity, PAISTRIKE_VAULT_IDENTITY), and list the earlier ones in former_identities. If it is a copy, its entries are not yours to rotate: use other paths, or set adopt = true to begin anew here.",
		at, through, here)
}

func otherOwner(at entry.Location, record entry.Record, label string) error {
	if Label(record.TokenName) == label {
		return failure("PS209", "Entry is managed by another resource", nil,
			"%s is published by another resource (owner %s): token %s (%s), generation %d. Nothing was created or written. If that resource is this one under another name, import it: terraform import ADDRESS '%s'. Otherwise, use a separate place for each integration.",
			at, record.Owner, record.TokenID, record.TokenName, record.Gen, importID(at))
	}
	return failure("PS209", "Entry holds the token of another integration", nil,
		"%s holds token %s (%s), and its name does not begin with %q. Nothing was created or written. Give each integration a place of its own, or set adopt = true to take this one over.",
		at, record.TokenID, record.TokenName, label)
}

func takesOver(at entry.Location, record entry.Record) Message {
	return warning("PS214", "Entry will be taken over from another resource",
		"%s is published by another resource (owner %s, generation %d, token created %s). An apply of this plan makes this one its owner; the other's plan will then show that it has lost the entry. "+
			"If this is a rename, write a moved block instead: without it Terraform destroys the other resource in the same apply, and its token may end before the new one is there. If a state was lost, import %s. If these are two integrations, use two places.",
		at, record.Owner, record.Gen, instant(record.CreatedAt), importID(at))
}

func tookOver(at entry.Location, record entry.Record) Message {
	return warning("PS214", "Entry was taken over from another resource",
		"%s was last published by another resource (owner %s, generation %d, token created %s). This one publishes it from now on; the former owner's plan will show that it has lost the entry. "+
			"For a rename write a moved block instead, for a lost state import %s, and for two integrations use two places.",
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
	return failure("PS215", "Tokens of this entry are in use that this store never published", nil,
		"%s. A copy of this store may be at work on the same entry, or it was set back to an earlier state. Nothing of the entry was revoked. If the store was restored, set adopt = true (--adopt): the next rotation keeps them for an overlap and then revokes them. If a copy is at work, set a different identity there.",
		strings.Join(names, ", "))
}

func unvouched(at entry.Location) error {
	return failure("PS216", "It is unknown whether the entry was closed", nil,
		"The current version of %s cannot be read, and PAIStrike lists no working token under the id and the name that its metadata has. The entry may have been closed, and its metadata changed by hand. Nothing was created or written. Run terraform apply if the entry is to serve a token.", at)
}

func newerRelease(at entry.Location, problem error) error {
	return failure("PS212", "Entry was written by a newer release", problem,
		"%s cannot be understood by this release. Nothing was created, revoked or written. Upgrade to the release that wrote it, or to a later one.", at)
}

func rolledBack(o observation) Message {
	return warning("PS206", "Current version was not written by paistrike",
		"The current version of %s was put there by a rollback, undelete or manual write. No token of it is revoked until the next rotation, which keeps every live one for a full overlap.", o.At)
}

func noProgress(at entry.Location) error {
	return failure("PS211", "Other runs kept publishing first", nil,
		"%s changed three times while this run worked, so this run published nothing there. What it minted, if anything, was revoked. Run again.", at)
}

// --- PS3: the store

// storeFailed combines a store's error with what is true now.
func storeFailed(at entry.Location, err error) error {
	nothing := fmt.Sprintf("Nothing was created or changed at %s.", at)
	if errors.Is(err, entry.ErrMayBeRestored) {
		nothing = fmt.Sprintf("No token was created. %s was deleted, and may be there again with what it held.", at)
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
		"The store deletes versions of %s after %s, sooner than the token's life ends: the secret would be gone while the token is in use. Nothing was created. Raise or remove delete_version_after.", at, schedule.FormatDuration(after))
}

func versionWillExpire(at entry.Location, gen int, deletion time.Time) Message {
	return warning("PS304", "The store will delete the live token",
		"Generation %d of %s will be deleted by the store at %s because of delete_version_after, before its token expires. Raise or remove delete_version_after.", gen, at, instant(deletion))
}

func timeless() error {
	return failure("PS310", "Neither server says what time it is", nil,
		"PAIStrike's answers carry no Date header, and the store's clock cannot be read. Nothing was created or changed, because expiry and rotation are not decided by this machine's clock alone. Let this network reach Vault's sys/health.")
}

func badSchedule(at entry.Location, err error) error {
	return failure("PS311", "Schedule cannot be read", err,
		"The record of %s does not say how the token is rotated. Nothing was created or written. Run terraform apply, which writes it anew from the configuration.", at)
}

func badMirror(at entry.Location, err error) error {
	return failure("PS317", "Metadata of the entry cannot be read", err,
		"The metadata of %s was changed by hand and does not say how the token is rotated. Nothing was created or written. The next rotation, or terraform apply, writes it anew from the record.", at)
}

func mirrorFailed(at entry.Location, gen int, err error) Message {
	return warning("PS306", "Metadata not updated",
		"The secret of generation %d at %s is right, but its metadata, which plans and schedulers read, is out of date (%v). The next run rebuilds it.", gen, at, err)
}

func skewed(c schedule.Clock) Message {
	then := "The median decides."
	if !c.Trusted() {
		then = "Nothing is revoked, and nothing is created for a reason of time, until PAIStrike's clock is within 15 minutes of the median."
	}
	return warning("PS307", "Clocks disagree",
		"PAIStrike says %s, %s and this machine says %s. %s", orNothing(c.PAIStrike), saysStore(c), instant(c.Machine), then)
}

func saysStore(c schedule.Clock) string { return "the store says " + orNothing(c.Store) }

func orNothing(t time.Time) string {
	if t.IsZero() {
		return "nothing"
	}
	return instant(t)
}
