package paistrike

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// APIError is a response of PAIStrike that is not a success. Its texts never contain the
// token, and none is longer than 300 characters.
type APIError struct {
	Op     string // the action: "creating a token"
	Method string
	Path   string // without the query
	Status int
	// Code is the machine-readable code of the response, or "" if there is none.
	Code string
	// FieldCodes are the codes of the individual errors that a 422 lists.
	FieldCodes []string
	// Message is the server's error message.
	Message   string
	RequestID string
	// RetryAfter is the pause that the server requested, or 0.
	RetryAfter time.Duration
	// Location is the target of a 3xx: scheme, host and path.
	Location string
	// Attempts is how often the request was sent.
	Attempts int

	// elsewhere is true if the path does not identify a token. Then a 404 indicates a
	// wrong endpoint or prefix and says nothing about any token.
	elsewhere bool
	// foreign is true if the body is HTML or plain text and so not from the API, but from
	// a proxy or a login page, which knows nothing about tokens.
	foreign bool
	// refused is true if the service uses this status to refuse a token that does not
	// work.
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
		fmt.Fprintf(&b, "; it asks to wait %s, longer than the maximum wait of %s", e.RetryAfter, maxWait)
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

// has reports whether the response contains the code, overall or for one field.
func (e *APIError) has(code string) bool {
	return e.Code == code || slices.Contains(e.FieldCodes, code)
}

// ConnectionError reports that no complete response was received from PAIStrike.
type ConnectionError struct {
	Op string // the action: "creating a token"
	// Host is the host that the request was for, or "" if no attempt was made.
	Host string
	// Sent is false if it is certain that the request was not sent.
	Sent     bool
	Attempts int
	Err      error
}

func (e *ConnectionError) Error() string {
	var b strings.Builder
	b.WriteString(e.Op + ": ")
	switch {
	case e.Host != "" && e.Sent:
		b.WriteString("incomplete response from " + e.Host + ": ")
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

// AnswerError is a successful response that cannot be used. It states what is missing and
// contains nothing of the response, which may include a secret.
type AnswerError struct {
	Op     string
	Status int
	Reason string
}

func (e *AnswerError) Error() string {
	return fmt.Sprintf("%s: PAIStrike answered %d, but %s", e.Op, e.Status, e.Reason)
}

// UnknownOutcomeError reports that a create may or may not have created a token. The
// caller should look for Name in the list.
type UnknownOutcomeError struct {
	Name string
	Err  error
	// ID is the token's ID if the response contained one. Then the token exists and its
	// secret is lost.
	ID string
	// Revoked is true if the token was revoked and then seen as revoked.
	Revoked bool
}

func (e *UnknownOutcomeError) Error() string {
	switch {
	case e.Revoked:
		return fmt.Sprintf("token %s named %q cannot be used and was revoked: %v", e.ID, e.Name, e.Err)
	case e.ID != "":
		return fmt.Sprintf("token %s named %q exists, but its secret is lost: %v", e.ID, e.Name, e.Err)
	}
	return fmt.Sprintf("a token named %q may or may not have been created: %v", e.Name, e.Err)
}

func (e *UnknownOutcomeError) Unwrap() error { return e.Err }

// NotRevokedError reports that a token was not seen as revoked.
type NotRevokedError struct {
	// ID is "" for the token in use if the server does not report its ID.
	ID string
	// Seen is [StatusActive] if the token was seen as active after the attempt. Otherwise
	// it is "", and the state is unknown.
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

// IncompleteListError reports that the server has more tokens than it lists.
type IncompleteListError struct {
	Op   string
	Read int // tokens that were read
	// Total is the number of tokens that the server reports, or 0 if it reports none.
	Total  int
	Reason string

	moved bool // rows may have shifted while the list was read
}

func (e *IncompleteListError) Error() string {
	read := fmt.Sprintf("%d tokens", e.Read)
	if e.Total > 0 {
		read = fmt.Sprintf("%d of %d tokens", e.Read, e.Total)
	}
	return fmt.Sprintf("%s: the list is incomplete, PAIStrike lists %s: %s", e.Op, read, e.Reason)
}

// interruptedError reports that the wait for another attempt was canceled.
type interruptedError struct{ last, cause error }

func (e *interruptedError) Error() string {
	return fmt.Sprintf("%v; stopped waiting to try again: %v", e.last, e.cause)
}

func (e *interruptedError) Unwrap() []error { return []error{e.last, e.cause} }

// interrupted returns the error for a canceled wait before an attempt. last is the error
// of the previous attempt, or nil if there was none.
func interrupted(op string, last, cause error) error {
	if last == nil {
		return &ConnectionError{Op: op, Err: cause}
	}
	return &interruptedError{last: last, cause: cause}
}

// then joins an error to the one before it, in one line.
func then(first, second error) error {
	switch {
	case first == nil:
		return second
	case second == nil:
		return first
	}
	return fmt.Errorf("%w; then %w", first, second)
}

// StatusOf returns the HTTP status of an [*APIError] in err's chain, or 0.
func StatusOf(err error) int {
	var api *APIError
	if errors.As(err, &api) {
		return api.Status
	}
	return 0
}

// IsNotFound reports whether err means that the token does not exist (404 or 410). That is
// not the same as revoked: a token of another account does not exist either. A 404 for the
// list or another path without an ID, or with an HTML body, is a wrong address, and
// IsNotFound returns false.
func IsNotFound(err error) bool {
	if _, unseen := errors.AsType[*NotRevokedError](err); unseen {
		return false
	}
	api, ok := errors.AsType[*APIError](err)
	return ok && isGone(api.Status) && !api.elsewhere && !api.foreign
}

func isGone(status int) bool { return status == http.StatusNotFound || status == http.StatusGone }

// IsUnauthorized reports whether PAIStrike refused the token because it is revoked,
// expired or unknown: with 401, or with [Routes.UnauthorizedStatus].
func IsUnauthorized(err error) bool {
	api, ok := errors.AsType[*APIError](err)
	return ok && (api.Status == http.StatusUnauthorized || api.refused)
}

// IsForbidden reports whether the token is valid but lacks permission (403).
func IsForbidden(err error) bool {
	return StatusOf(err) == http.StatusForbidden && !IsUnauthorized(err)
}

// IsRateLimited reports whether PAIStrike refused temporarily (429). Nothing was done.
func IsRateLimited(err error) bool { return StatusOf(err) == http.StatusTooManyRequests }

// IsLimitReached reports whether PAIStrike refused because the maximum number of tokens
// exists.
func IsLimitReached(err error) bool {
	var api *APIError
	return errors.As(err, &api) && api.Status >= 400 && api.Status < 500 && api.has("limit_reached")
}

// HasCode reports whether PAIStrike's refusal contains the code, overall or for one field.
// Codes are, for example, "minting_not_allowed" and "exceeds_issuer".
func HasCode(err error, code string) bool {
	var api *APIError
	return errors.As(err, &api) && api.has(code)
}
