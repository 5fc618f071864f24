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
	checkManagementToken = "Check that api_token (PAISTRIKE_API_TOKEN), or the token at broker_path in a workflow, is active and has not expired."
	setManagementToken   = "Set api_token (PAISTRIKE_API_TOKEN), or the entry at broker_path in a workflow, to the token of a user who can "
)

func mintFailed(o observation, name string, err error) error {
	const nothing = "Nothing was created. %s "
	switch status := paistrike.StatusOf(err); {
	case paistrike.IsLimitReached(err):
		return failure("PS105", "PAIStrike refused to create a token because the account's limit is reached", err,
			nothing+"Revoke tokens that are no longer needed in PAIStrike under Profile Settings, API Tokens, then run again.", serving(o))
	case status == 401:
		return failure("PS101", "PAIStrike refused the management token", err,
			nothing+checkManagementToken, serving(o))
	case status == 403:
		return failure("PS102", "The management token may not create tokens", err,
			nothing+setManagementToken+"create API tokens.", serving(o))
	case status == 429:
		return failure("PS107", "PAIStrike kept responding with 429", err,
			nothing+"Wait until the limit resets, or lower -parallelism (concurrency in a workflow), then run again.", serving(o))
	default:
		return failure("PS100", "Token not created", err, nothing+"The name of the token was %q. Correct what PAIStrike reports, then run again.", serving(o), name)
	}
}

func createLost(id, name string) Message {
	return warning("PS103", "Response with a new token was lost",
		"PAIStrike created token %s (%s), but the response with its secret was lost. The token was revoked.", id, name)
}

func createUnknown(o observation, lost paistrike.LostError, expires time.Time) error {
	return failure("PS104", "It is unknown whether a token was created", lost.Err,
		"PAIStrike did not respond to the request to create %q, and %s. %s If the token exists, or appears later, a later run on this entry revokes it. It expires: %s. Run again.",
		lost.Name, whatIsKnown(lost), serving(o), instant(expires))
}

func whatIsKnown(lost paistrike.LostError) string {
	if lost.ID != "" {
		return "token " + lost.ID + ", which it created, could not be revoked"
	}
	return "lists no such token"
}

func createUnreadable(o observation, lost paistrike.LostError) error {
	now := "PAIStrike lists no such token; if one appears, a later run on this entry revokes it"
	switch {
	case lost.Revoked:
		now = "The token was revoked"
	case lost.ID != "":
		now = "Token " + lost.ID + " could not be revoked and may still work"
	}
	return failure("PS109", "PAIStrike's response with a new token cannot be read", lost.Err,
		"PAIStrike accepted the request to create %q, but its response cannot be used. %s. %s Compare api_routes with the server's API reference.", lost.Name, now, serving(o))
}

func createForeign(o observation, id, name, ended string, err error) error {
	now := "PAIStrike lists no token with that name; if one appears, a later run on this entry revokes it"
	switch {
	case ended != "" && err == nil:
		now = "The token with that name, " + ended + ", was revoked"
	case ended != "" || err != nil:
		now = "The token with that name may still work"
	}
	return failure("PS111", "PAIStrike returned an existing token instead of a new one", err,
		"The response to the request to create %q contains token %s, which already existed. Nothing was published, and the existing token was not changed. %s. %s Check which server endpoint leads to.", name, id, now, serving(o))
}

func createsLost(o observation, lost int, err error) error {
	return failure("PS110", "Responses with new tokens keep getting lost", err,
		"PAIStrike created %d tokens, but the responses with their secrets were lost. All of them were revoked. %s Check the network between this machine and PAIStrike, then run again.", lost, serving(o))
}

func listFailed(err error) error {
	switch {
	case paistrike.IsUnauthorized(err):
		return failure("PS101", "PAIStrike refused the management token", err,
			"Nothing was created or changed. "+checkManagementToken)
	case paistrike.IsForbidden(err):
		return failure("PS102", "The management token may not list tokens", err,
			"Nothing was created or changed. "+setManagementToken+"manage API tokens.")
	}
	var unreached *paistrike.ConnectionError
	if errors.As(err, &unreached) && !unreached.Sent && unreached.Host != "" {
		return failure("PS108", "PAIStrike cannot be reached", err,
			"Nothing was created or changed. Check endpoint (PAISTRIKE_ENDPOINT) and the network.")
	}
	return failure("PS106", "Token list incomplete", err,
		"PAIStrike's list of tokens could not be read completely, so nothing was created, revoked or swept. Run again. If the error persists, compare api_routes.list with the server's API reference.")
}

func otherAccount(o observation) error {
	was := "It was stored"
	if record := o.record(); record != nil && record.Endpoint != "" {
		was = "It was created at " + record.Endpoint
	}
	return failure("PS112", "Token is not known to this PAIStrike account", nil,
		"PAIStrike does not know token %s (%s), which %s serves, and lists no other token of this entry. The token may belong to another account. %s. Nothing was created, revoked or written. "+
			"Check endpoint (PAISTRIKE_ENDPOINT) and the account of the management token. If both are correct and the service drops revoked tokens from its list, set api_routes.list.drops_revoked = true. To replace the token anyway, change rotation.triggers, or use --force.",
		o.record().TokenID, o.record().TokenName, o.At, was)
}

func leftBehind(o observation) Message {
	return warning("PS113", "Token of another account is left behind",
		"This PAIStrike account does not know token %s (%s), which %s served. The token is replaced because you requested it, but it is not revoked: if it belongs to another account, it still works there.",
		o.record().TokenID, o.record().TokenName, o.At)
}

func clocksDisagree(o observation) error {
	return failure("PS316", "PAIStrike's clock disagrees with the other clocks", nil,
		"PAIStrike's clock shows %s, %s and this machine's clock shows %s. A rotation is due because of the time, but nothing is created or revoked because of the time until PAIStrike's clock is within 15 minutes of the median. %s Correct the clock that is wrong, then run again.",
		instant(o.Clock.PAIStrike), saysStore(o.Clock), instant(o.Clock.Machine), serving(o))
}
