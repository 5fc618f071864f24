package vault

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Error is a failed call to Vault. It never contains anything of a successful response,
// nor anything that was sent.
type Error struct {
	Op        string // the action: "reading"
	Namespace string
	Path      string // below /v1/: "secret/data/ci/paistrike"
	// Status is the HTTP status, or 0 if there was no response.
	Status int
	// Reasons are Vault's own error messages. A response that is not Vault's JSON adds
	// none, because it may contain anything.
	Reasons []string
	// Sealed is true if Vault's sys/health reports that it is sealed.
	Sealed bool
	Err    error

	standby    bool          // the server is not the active one and did nothing
	retryAfter time.Duration // the requested pause; negative if there was none
}

// Error returns the action, the path and Vault's own reasons.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Op)
	if e.Path != "" {
		b.WriteString(" " + e.Path)
	}
	if e.Namespace != "" {
		b.WriteString(" in namespace " + e.Namespace)
	}
	if e.Status != 0 {
		fmt.Fprintf(&b, ": Vault answered %d", e.Status)
	}
	if e.Sealed {
		b.WriteString(" (sealed)")
	}
	if len(e.Reasons) > 0 {
		b.WriteString(": " + strings.Join(e.Reasons, "; "))
	}
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	return b.String()
}

// Unwrap returns the cause, or nil.
func (e *Error) Unwrap() error { return e.Err }

// LoginError reports that Vault refused the login, or that the login lacks something. If
// Vault is sealed, busy or unreachable, the error is an [*Error] instead.
type LoginError struct {
	Method string // the method, such as "approle"
	Mount  string // the mount path of the method, such as "approle"; "" for a token
	Err    error
}

// Error names the method and the mount, never a credential.
func (e *LoginError) Error() string {
	at := ""
	if e.Mount != "" {
		at = " at auth/" + e.Mount
	}
	return fmt.Sprintf("logging in to Vault by %s%s: %v", e.Method, at, e.Err)
}

// Unwrap returns the cause.
func (e *LoginError) Unwrap() error { return e.Err }

// StatusOf returns the HTTP status of Vault's response, or 0 if err has none.
func StatusOf(err error) int {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Status
	}
	return 0
}

// RetryIn reports whether the same call may succeed later. pause is what the server asked
// for, at most a minute, or 0. It is for callers that repeat calls on their own, such as
// one that needs new credentials for every login.
func RetryIn(err error) (pause time.Duration, again bool) {
	e, ok := errors.AsType[*Error](err)
	if !ok || IsUnauthenticated(err) || !e.standby && !transient(e) {
		return 0, false
	}
	return min(max(e.retryAfter, 0), maxRetryAfter), true
}

// IsNotFound reports whether err is a 404 for an entry, and not for its mount.
func IsNotFound(err error) bool { return StatusOf(err) == http.StatusNotFound && !isNoRoute(err) }

// IsForbidden reports whether err is a 403: Vault does not know the token, or the token
// lacks a permission. Nothing was done.
func IsForbidden(err error) bool { return StatusOf(err) == http.StatusForbidden }

// isDead reports whether Vault does not accept the token at all: it is unknown, expired,
// revoked, or has no uses left. Vault states this only in words: a 403 on every path, and
// a 400 if this very call spent the last use (vault/request_handling.go).
func isDead(err error) bool {
	return says(err, "invalid token", http.StatusForbidden, http.StatusBadRequest)
}

// isNoRoute reports whether no secrets engine is mounted at the path of the request.
func isNoRoute(err error) bool { return says(err, "no handler for route", http.StatusNotFound) }

// says reports whether err is a response with one of the statuses and a reason that
// contains words.
func says(err error, words string, statuses ...int) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && slices.Contains(statuses, e.Status) &&
		slices.ContainsFunc(e.Reasons, func(reason string) bool { return strings.Contains(reason, words) })
}

// isFailover reports whether no server of the cluster became active in time.
func isFailover(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.standby
}

// IsRateLimited reports whether err is a 429: a quota of Vault is exhausted. Nothing was
// done.
func IsRateLimited(err error) bool { return StatusOf(err) == http.StatusTooManyRequests }

// IsSealed reports whether Vault's sys/health reports that it is sealed. A 503 from a
// proxy in front of Vault does not count.
func IsSealed(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Sealed
}

// IsUnauthenticated reports whether there is no Vault token for the call.
func IsUnauthenticated(err error) bool {
	_, ok := errors.AsType[*LoginError](err)
	return ok
}

// IsUpgrading reports whether the mount is being upgraded from KV version 1 to 2, which is
// temporary.
//
// It has to match Vault's message: the response is a plain 400 without a code, the same as
// for a check-and-set that did not match.
func IsUpgrading(err error) bool {
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Status != http.StatusBadRequest {
		return false
	}
	for _, reason := range e.Reasons {
		if strings.Contains(reason, "Upgrading from non-versioned to versioned") ||
			strings.Contains(reason, "Waiting for the primary to upgrade") {
			return true
		}
	}
	return false
}
