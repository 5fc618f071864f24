package vault

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Error is a call to Vault that did not succeed. It never holds anything of a
// successful answer, nor anything that was sent.
type Error struct {
	Op        string // what was tried: "reading"
	Namespace string
	Path      string // below /v1/: "secret/data/ci/paistrike"
	// Status is the HTTP status, 0 if no answer came.
	Status int
	// Reasons are Vault's own error lines. An answer that is not Vault's JSON
	// adds none, because anything may stand in it.
	Reasons []string
	// Sealed tells that Vault said of itself, at sys/health, that it is sealed.
	Sealed bool
	Err    error

	standby    bool          // the server is not the active one, and did nothing
	retryAfter time.Duration // what the server asked for; negative if it did not
}

// Error returns the act, the path and Vault's own reasons.
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

// Unwrap returns the cause, if there is one.
func (e *Error) Unwrap() error { return e.Err }

// LoginError tells that Vault refused the login, or that what the login needs
// is not there. A Vault that is sealed, busy or out of reach is an [*Error].
type LoginError struct {
	Method string // the method, such as "approle"
	Mount  string // where it is mounted, such as "approle"; "" for a token
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

// StatusOf returns the HTTP status of Vault's answer, 0 if err has none.
func StatusOf(err error) int {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Status
	}
	return 0
}

// RetryIn reports whether the same call may fare better later, and the pause that
// the server asked for, capped at a minute; 0 if it asked for none. It is for
// callers that repeat on their own, such as one that needs new credentials for
// every login.
func RetryIn(err error) (pause time.Duration, again bool) {
	e, ok := errors.AsType[*Error](err)
	if !ok || IsUnauthenticated(err) || !e.standby && !transient(e) {
		return 0, false
	}
	return min(max(e.retryAfter, 0), maxRetryAfter), true
}

// IsNotFound reports a 404 about an entry, and not about its mount.
func IsNotFound(err error) bool { return StatusOf(err) == http.StatusNotFound && !isNoRoute(err) }

// IsForbidden reports a 403: the token is unknown to Vault or lacks the right.
// Nothing was done.
func IsForbidden(err error) bool { return StatusOf(err) == http.StatusForbidden }

// isDead reports that Vault does not accept the token at all: it is unknown, expired,
// revoked, or has no uses left. Vault says so in words alone: a 403 on every path, and a
// 400 if the last use was spent on this very call (vault/request_handling.go).
func isDead(err error) bool {
	return says(err, "invalid token", http.StatusForbidden, http.StatusBadRequest)
}

// isNoRoute reports that no secrets engine is mounted where the request went.
func isNoRoute(err error) bool { return says(err, "no handler for route", http.StatusNotFound) }

// says reports an answer with one of the statuses and a reason that contains words.
func says(err error, words string, statuses ...int) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && slices.Contains(statuses, e.Status) &&
		slices.ContainsFunc(e.Reasons, func(reason string) bool { return strings.Contains(reason, words) })
}

// isFailover reports that no server of the cluster became active in time.
func isFailover(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.standby
}

// IsRateLimited reports a 429: a quota of Vault is used up. Nothing was done.
func IsRateLimited(err error) bool { return StatusOf(err) == http.StatusTooManyRequests }

// IsSealed reports that Vault is sealed, by its own word at sys/health. A 503 of
// something in front of Vault is not that.
func IsSealed(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Sealed
}

// IsUnauthenticated reports that there is no Vault token to work with.
func IsUnauthenticated(err error) bool {
	_, ok := errors.AsType[*LoginError](err)
	return ok
}

// IsUpgrading reports that the mount is being turned from KV v1 into v2, which
// passes by itself.
//
// This is the one place that reads Vault's words: the answer is a plain 400 with
// no code, the same as for a check-and-set that did not match.
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
