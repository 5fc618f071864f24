package rotation

import (
	"errors"
	"fmt"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

// This file and its siblings contain every text that a user of the protocol can see. A
// message has a code to search the documentation for, a summary (action and object), and a
// detail: what happened, to which token and entry, what is true now, and what to do. No
// message contains a secret.

// Message is one piece of information for the user.
type Message struct {
	Code    string // for example "PS205": PS1 mint, PS2 publish, PS3 store, PS4 verify, PS5 retire, PS6 destroy
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

// OfOther reports whether the error is that another resource owns the entry.
func (e *Error) OfOther() bool { return e.Code == "PS209" }

// OfStore reports whether the secret store caused the error: it could not be reached, or
// it refused.
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

// serving states what a consumer currently gets from the entry.
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

// Where to find the management token, in Terraform and in a workflow.
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
			"Check endpoint (PAISTRIKE_ENDPOINT) and whose management token this is. If the account is right and the service drops revoked tokens from its list, set api_routes.list.drops_revoked = true. To replace the token anyway, change rotation.triggers, or use --force.",
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
