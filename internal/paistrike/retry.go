package paistrike

import (
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	// maxWait is the longest pause that a server can request.
	maxWait = 60 * time.Second
	// Without Retry-After, the pause doubles from firstPause up to longestPause.
	firstPause   = 500 * time.Millisecond
	longestPause = 8 * time.Second
)

// outcome is the result of one attempt.
type outcome int

const (
	outcomeDone      outcome = iota // 2xx
	outcomeRefused                  // a response that another attempt would not change
	outcomeBusy                     // 429, which guarantees that nothing was done
	outcomeUnreached                // no connection: nothing was sent
	outcomeUnclear                  // 408, 425, 5xx, or no complete response: it may have been done
)

// repeatable reports whether another attempt may help. A call that must not be sent twice
// has already ended after an unclear outcome.
func (o outcome) repeatable() bool {
	return o == outcomeBusy || o == outcomeUnreached || o == outcomeUnclear
}

// classify returns the outcome of an attempt. reached matters only if err is set.
func classify(call call, got answer, reached bool, err error) outcome {
	switch {
	case err != nil && !reached:
		return outcomeUnreached
	case err != nil:
		return outcomeUnclear
	case got.status == http.StatusTooManyRequests:
		return outcomeBusy
	case got.status == http.StatusNotImplemented && !call.once:
		return outcomeRefused
	case got.status >= 500, got.status == http.StatusRequestTimeout, got.status == http.StatusTooEarly:
		return outcomeUnclear
	case got.status < 200 || got.status > 299:
		return outcomeRefused
	case got.cut != nil && call.method == http.MethodGet && !errors.Is(got.cut, errTooLong):
		return outcomeUnclear
	}
	return outcomeDone
}

// pause returns how long to wait before the next attempt, and whether to make one.
func (c *Client) pause(attempt int, got answer, came outcome) (time.Duration, bool) {
	if attempt >= c.attempts || !came.repeatable() {
		return 0, false
	}
	asked, ok := retryAfter(got.header, c.now)
	if !ok {
		return backoff(attempt), true
	}
	return asked, asked <= maxWait
}

// backoff returns the pause after the given attempt, counted from 1: a random time between
// half and all of a duration that doubles, so that many clients do not retry at the same
// time.
func backoff(attempt int) time.Duration {
	full := min(firstPause<<min(attempt-1, 10), longestPause)
	return full/2 + rand.N(full/2+1) //nolint:gosec // jitter is not a secret
}

// retryAfter reads how long the server asks to wait: seconds, possibly with a fraction, or
// a date, which is relative to the response's Date header. It calls now only without that
// header. It returns false if the server requests no usable time.
func retryAfter(header http.Header, now func() time.Time) (time.Duration, bool) {
	value := strings.TrimSpace(header.Get("Retry-After"))
	if value == "" {
		return 0, false
	}
	if strings.Trim(value, "0123456789.") == "" {
		seconds, err := strconv.ParseFloat(value, 64)
		if err != nil && !errors.Is(err, strconv.ErrRange) {
			return 0, false
		}
		// A century replaces anything longer, which would overflow.
		wait := time.Duration(min(seconds, 100*365*86400) * float64(time.Second))
		return wait, wait > 0
	}
	until, err := http.ParseTime(value)
	if err != nil {
		return 0, false
	}
	from, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		from = now()
	}
	wait := until.Sub(from)
	return wait, wait > 0
}

// isDialError reports whether err means that there was no connection.
func isDialError(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}
