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

// Every text that a user of the protocol can see is worded in this file. A
// message has a code that the documentation can be searched for, a summary (act
// and object), and a detail: what happened, to which token and entry,
// what is true now, what to do. None of it ever holds a secret.

// Message is one thing to tell the user.
type Message struct {
	Code    string // "PS205": PS1 mint, PS2 publish, PS3 store, PS4 verify, PS5 retire, PS6 destroy
	Summary string
	Detail  string
}

// Error is a [Message] that ended a run, with its cause.
type Error struct {
	Message
	Err error

	ofStore bool
}

// Error returns code, summary, detail and cause in one line.
func (e *Error) Error() string {
	text := e.Code + ": " + e.Summary + ": " + e.Detail
	if e.Err != nil {
		text += " (" + e.Err.Error() + ")"
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// OfOther reports that the entry is another resource's.
func (e *Error) OfOther() bool { return e.Code == "PS209" }

// OfStore reports whether it was the secret store that could not be asked or refused.
func (e *Error) OfStore() bool {
	var of *entry.Failure
	return e.ofStore || errors.As(e.Err, &of)
}

func failure(code, summary string, cause error, detail string, args ...any) *Error {
	return &Error{Message: Message{Code: code, Summary: summary, Detail: fmt.Sprintf(detail, args...)}, Err: cause}
}

func warning(code, summary, detail string, args ...any) Message {
	return Message{Code: code, Summary: summary, Detail: fmt.Sprintf(detail, args...)}
}

// serving says what a consumer gets from the entry as it stands.
func serving(o observation) string {
	switch {
	case o.active():
		return fmt.Sprintf("%s still serves token %s.", o.At, o.record().TokenID)
	case o.Revision == "":
		return fmt.Sprintf("Nothing was written to %s.", o.At)
	default:
		return fmt.Sprintf("%s is unchanged.", o.At)
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

func createUnknown(o observation, lost paistrike.LostError, expires time.Time) error {
	return failure("PS104", "It is unknown whether a token was created", lost.Err,
		"The create of %q was not answered, and %s. %s If it is there, or appears later, it is revoked by a later run on this entry; it expires: %s. Run again.",
		lost.Name, whatIsKnown(lost), serving(o), instant(expires))
}

func whatIsKnown(lost paistrike.LostError) string {
	if lost.ID != "" {
		return "token " + lost.ID + ", which came of it, could not be revoked"
	}
	return "no such token is listed"
}

func createUnreadable(o observation, lost paistrike.LostError) error {
	now := "No such token is listed; if one appears it is revoked by a later run on this entry"
	switch {
	case lost.Revoked:
		now = "The token was revoked"
	case lost.ID != "":
		now = "Token " + lost.ID + " could not be revoked and may still work"
	}
	return failure("PS109", "PAIStrike's answer to a create cannot be read", lost.Err,
		"PAIStrike answered the create of %q with success, but the answer cannot be used. %s. %s Compare the server's reference with api_routes.", lost.Name, now, serving(o))
}

func createForeign(o observation, id, name, ended string, err error) error {
	now := "No token of that name is listed; if one appears it is revoked by a later run on this entry"
	switch {
	case ended != "" && err == nil:
		now = "The token of that name, " + ended + ", was revoked"
	case ended != "" || err != nil:
		now = "The token of that name may still work"
	}
	return failure("PS111", "PAIStrike answered a create with another token", err,
		"The answer to the create of %q names token %s, which existed before, so nothing was published and that token was left alone. %s. %s Check what answers at endpoint.", name, id, now, serving(o))
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
		"PAIStrike's list of tokens could not be read as a whole, so nothing was created, revoked or swept. Run again; if it stays so, compare the server's reference with api_routes.list.")
}

func otherAccount(o observation) error {
	was := "It was stored"
	if record := o.record(); record != nil && record.Endpoint != "" {
		was = "It was created at " + record.Endpoint
	}
	return failure("PS112", "Token is not known to this PAIStrike account", nil,
		"Token %s (%s), which %s serves, is neither listed nor found, and no other token of this entry is listed, so it may belong to another account. %s. Nothing was created, revoked or written. "+
			"Check endpoint (PAISTRIKE_ENDPOINT) and whose management token this is. If the account is right and the service drops revoked tokens from its list, set api_routes.list.drops_revoked = true. To replace the token all the same, change rotation.triggers, or use --force.",
		o.record().TokenID, o.record().TokenName, o.At, was)
}

func leftBehind(o observation) Message {
	return warning("PS113", "Token of another account is left behind",
		"Token %s (%s), which %s served, is not known to this PAIStrike account. It is replaced because you asked for it, and nothing revokes it: if it belongs to another account it still works there.",
		o.record().TokenID, o.record().TokenName, o.At)
}

func clocksDisagree(o observation) error {
	return failure("PS316", "PAIStrike's clock disagrees", nil,
		"PAIStrike says %s, %s and this machine says %s. A rotation is due by time, and nothing is created or revoked for a reason of time until PAIStrike's clock is within 15 minutes of the median. %s Run again when the clocks agree.",
		instant(o.Clock.PAIStrike), saysStore(o.Clock), instant(o.Clock.Machine), serving(o))
}

// --- PS2: publishing

func lostRace(o observation, id string) Message {
	return warning("PS201", "Another run was first",
		"Another run published %s. The token minted here (%s) was never published and was revoked.", o.At, id)
}

// publishUndecided speaks of a write without a mint if minted is nil.
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

// causeOf is what a store's own failure rests on: its words stand in the text already.
func causeOf(err error) error {
	if of, ok := errors.AsType[*entry.Failure](err); ok && of.Err != nil {
		return of.Err
	}
	return err
}

// advice is what the store's own failure says to do, with a space in front.
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
			"If it is the same store, give it one identity in every place (vault.identity, vault_identity, PAISTRIKE_VAULT_IDENTITY), and list the earlier ones in former_identities. If it is a copy, its entries are not yours to rotate: use other paths, or set adopt = true to begin anew here.",
		at, through, here)
}

func otherOwner(at entry.Location, record entry.Record, label string) error {
	if Label(record.TokenName) == label {
		return failure("PS209", "Entry is managed by another resource", nil,
			"%s is published by another resource (owner %s): token %s (%s), generation %d. Nothing was created or written. If that resource is this one under another name, import it: terraform import ADDRESS '%s'. Otherwise give each integration a place of its own.",
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

// importID is how terraform import names an entry.
func importID(at entry.Location) string {
	id := "vault/" + at.Mount + "/" + at.Path
	if at.Namespace != "" {
		id += "?namespace=" + url.QueryEscape(at.Namespace)
	}
	return id
}

func strangersAtWork(o observation, others []paistrike.Token) error {
	var names []string
	for _, token := range others {
		names = append(names, fmt.Sprintf("%s (%s)", token.ID, token.Name))
	}
	return failure("PS215", "Tokens of this entry are in use that this store never published", nil,
		"%s. A copy of this store may be at work on the same entry, or it was set back to an earlier state. Nothing of the entry was revoked. If the store was restored, set adopt = true (--adopt): the next rotation keeps them for an overlap and then revokes them. If a copy is at work, give it an identity of its own.",
		strings.Join(names, ", "))
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

// storeFailed puts what a store has to say together with what is true now.
func storeFailed(at entry.Location, err error) error {
	nothing := fmt.Sprintf("Nothing was created or changed at %s.", at)
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

// RevokedElsewhere says that a token no longer works and must not be replaced.
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

func previousStillWorks(id, name string, err error) Message {
	return warning("PS506", "Compromised token may still work",
		"The new token is published, but token %s (%s) was not seen to be revoked (%v). Run again, or revoke it in PAIStrike under Profile Settings, API Tokens.", id, name, err)
}

// --- PS6: destroying

func destroyIncomplete(at entry.Location, left []string, err error) error {
	return failure("PS601", "Destroy incomplete", err,
		"Not seen to be revoked: %s. %s no longer serves a token and nothing new can be published there. Run again.", strings.Join(left, ", "), at)
}

// destroyUndecided takes the place of what is said of any other publication.
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
