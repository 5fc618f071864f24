package paistrike

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// APIError is an answer of PAIStrike that is not a success. None of its texts holds
// the token, and none is longer than 300 characters.
type APIError struct {
	Op     string // the act: "creating a token"
	Method string
	Path   string // without query
	Status int
	// Code is the machine-readable code of the answer, "" if there is none.
	Code string
	// FieldCodes are the codes of the single faults that a 422 lists.
	FieldCodes []string
	// Message is what the server says in words.
	Message   string
	RequestID string
	// RetryAfter is the pause that the server asked for, 0 if it did not.
	RetryAfter time.Duration
	// Location is where a 3xx points: scheme, host and path.
	Location string
	// Attempts is how often the request went out.
	Attempts int

	// elsewhere says that the path names no token: a 404 is then no word on any
	// token but a sign of a wrong endpoint or prefix.
	elsewhere bool
	// foreign says that the body is not the API's but a page or a text, as of a
	// proxy or a sign-in, which knows nothing of tokens.
	foreign bool
	// refused says that the status is the one with which this service refuses a dead
	// token.
	refused bool
}

func (e *APIError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: PAIStrike answered %d", e.Op, e.Status)
	if text := http.StatusText(e.Status); text != "" {
		b.WriteString(" " + text)
	}
	if e.Code != "" {
		fmt.Fprintf(&b, " (%s)", e.Code)
	}
	if e.Message != "" {
		b.WriteString(": " + e.Message)
	}
	if e.Status >= 300 && e.Status < 400 {
		b.WriteString(": redirects are not followed")
		if e.Location != "" {
			b.WriteString(", this one leads to " + e.Location)
		}
		b.WriteString("; set endpoint and api_prefix to where the API is")
	}
	if e.RetryAfter > maxWait {
		fmt.Fprintf(&b, "; it asks to wait %s, longer than the %s that is waited at most", e.RetryAfter, maxWait)
	}
	if e.Attempts > 1 {
		fmt.Fprintf(&b, "; after %d attempts", e.Attempts)
	}
	fmt.Fprintf(&b, " [%s %s", e.Method, e.Path)
	if e.RequestID != "" {
		b.WriteString(", request " + e.RequestID)
	}
	b.WriteString("]")
	return b.String()
}

// has reports whether the answer carries the code, as a whole or for one field.
func (e *APIError) has(code string) bool {
	return e.Code == code || slices.Contains(e.FieldCodes, code)
}

// ConnectionError says that no whole answer came from PAIStrike.
type ConnectionError struct {
	Op string // the act: "creating a token"
	// Host is whom the request was for, "" if it was not tried.
	Host string
	// Sent is false if it is certain that the request did not go out.
	Sent     bool
	Attempts int
	Err      error
}

func (e *ConnectionError) Error() string {
	var b strings.Builder
	b.WriteString(e.Op + ": ")
	switch {
	case e.Host != "" && e.Sent:
		b.WriteString("no whole answer from " + e.Host + ": ")
	case e.Host != "":
		b.WriteString("cannot reach " + e.Host + ": ")
	}
	b.WriteString(e.Err.Error())
	if e.Attempts > 1 {
		fmt.Fprintf(&b, "; after %d attempts", e.Attempts)
	}
	return b.String()
}

func (e *ConnectionError) Unwrap() error { return e.Err }

// AnswerError is a success whose answer cannot be used. It says what is missing
// and holds nothing of the answer, which may carry a secret.
type AnswerError struct {
	Op     string
	Status int
	Reason string
}

func (e *AnswerError) Error() string {
	return fmt.Sprintf("%s: PAIStrike answered %d, but %s", e.Op, e.Status, e.Reason)
}

// UnknownOutcomeError says that a create may or may not have made a token.
// Whoever gets it looks for Name in the list.
type UnknownOutcomeError struct {
	Name string
	Err  error
	// ID is the token's id if the answer has one: the token then exists, and
	// its secret is lost.
	ID string
	// Revoked says that the token was revoked again, and seen to be.
	Revoked bool
}

func (e *UnknownOutcomeError) Error() string {
	switch {
	case e.Revoked:
		return fmt.Sprintf("token %s named %q cannot be used and is revoked again: %v", e.ID, e.Name, e.Err)
	case e.ID != "":
		return fmt.Sprintf("token %s named %q exists and its secret is lost: %v", e.ID, e.Name, e.Err)
	}
	return fmt.Sprintf("a token named %q may or may not have been created: %v", e.Name, e.Err)
}

func (e *UnknownOutcomeError) Unwrap() error { return e.Err }

// NotRevokedError says that a token was not seen to be revoked.
type NotRevokedError struct {
	// ID is "" for the token in use if the server does not tell its id.
	ID string
	// Seen is [StatusActive] if the token was seen to be active after the attempt.
	// Else it is "", and what is true is not known.
	Seen Status
	Err  error
}

func (e *NotRevokedError) Error() string {
	token := "token " + e.ID
	if e.ID == "" {
		token = "the API token in use"
	}
	if e.Seen == StatusActive {
		return fmt.Sprintf("%s is still active: %v", token, e.Err)
	}
	return fmt.Sprintf("it is not known whether %s is revoked: %v", token, e.Err)
}

func (e *NotRevokedError) Unwrap() error { return e.Err }

// IncompleteListError says that the server has more tokens than it lists.
type IncompleteListError struct {
	Op   string
	Read int // tokens that were read
	// Total is how many there are by the server's word, 0 if it has none.
	Total  int
	Reason string

	moved bool // rows may have shifted while the list was read
}

func (e *IncompleteListError) Error() string {
	read := fmt.Sprintf("%d tokens", e.Read)
	if e.Total > 0 {
		read = fmt.Sprintf("%d of %d tokens", e.Read, e.Total)
	}
	return fmt.Sprintf("%s: the list is not whole, PAIStrike lists %s: %s", e.Op, read, e.Reason)
}

// interruptedError says that the wait before another attempt was broken off.
type interruptedError struct{ last, cause error }

func (e *interruptedError) Error() string {
	return fmt.Sprintf("%v; stopped waiting to try again: %v", e.last, e.cause)
}

func (e *interruptedError) Unwrap() []error { return []error{e.last, e.cause} }

// interrupted words the end of a wait before an attempt; last is what the attempt before
// it ended in, nil if there was none.
func interrupted(op string, last, cause error) error {
	if last == nil {
		return &ConnectionError{Op: op, Err: cause}
	}
	return &interruptedError{last: last, cause: cause}
}

// then joins an error to the one that came before it, in one line.
func then(first, second error) error {
	switch {
	case first == nil:
		return second
	case second == nil:
		return first
	}
	return fmt.Errorf("%w; then %w", first, second)
}

// StatusOf returns the HTTP status of an [*APIError] in err's chain, else 0.
func StatusOf(err error) int {
	var api *APIError
	if errors.As(err, &api) {
		return api.Status
	}
	return 0
}

// IsNotFound reports whether err says that the token is not there (404 or 410).
// That is not the same as revoked: an id of another account is not there either. A
// 404 of the list or of another path without an id, or one whose body is a page,
// is a wrong address, and not this.
func IsNotFound(err error) bool {
	if _, unseen := errors.AsType[*NotRevokedError](err); unseen {
		return false
	}
	api, ok := errors.AsType[*APIError](err)
	return ok && isGone(api.Status) && !api.elsewhere && !api.foreign
}

func isGone(status int) bool { return status == http.StatusNotFound || status == http.StatusGone }

// IsUnauthorized reports whether PAIStrike refused the bearer: revoked, expired or
// unknown. That is a 401, or what [Routes.UnauthorizedStatus] says.
func IsUnauthorized(err error) bool {
	api, ok := errors.AsType[*APIError](err)
	return ok && (api.Status == http.StatusUnauthorized || api.refused)
}

// IsForbidden reports whether the bearer is good but lacks the right (403).
func IsForbidden(err error) bool {
	return StatusOf(err) == http.StatusForbidden && !IsUnauthorized(err)
}

// IsRateLimited reports whether PAIStrike refused for now (429). Nothing was done.
func IsRateLimited(err error) bool { return StatusOf(err) == http.StatusTooManyRequests }

// IsLimitReached reports whether PAIStrike refused because there are as many
// tokens as it allows.
func IsLimitReached(err error) bool {
	var api *APIError
	return errors.As(err, &api) && api.Status >= 400 && api.Status < 500 && api.has("limit_reached")
}

// HasCode reports whether PAIStrike's refusal carries the code, such as
// "minting_not_allowed" or "exceeds_issuer", as a whole or for one field.
func HasCode(err error, code string) bool {
	var api *APIError
	return errors.As(err, &api) && api.has(code)
}
