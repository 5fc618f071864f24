package vault

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
)

// maxAnswer limits how much of a response is read, in bytes. By default, Vault limits KV
// entries to 1 MiB.
const maxAnswer = 8 << 20

// The headers of Vault's API.
const (
	headerIndex     = "X-Vault-Index"
	headerNamespace = "X-Vault-Namespace"
	headerRequest   = "X-Vault-Request"
	headerToken     = "X-Vault-Token"
)

// request is one call to Vault.
type request struct {
	op        string // the action for the error text, such as "reading"
	method    string
	path      string // below /v1/, without leading or trailing slashes
	query     url.Values
	body      any    // sent as JSON; nil sends none
	mediaType string // of the body; "" means application/json
	namespace string // "" sends no namespace
	// secrets are those in the body. No error repeats them, whoever sent them back.
	secrets []secret.Secret

	anonymous bool // without a Vault token
	once      bool // one attempt, on a new connection
	// refusable is true if a 403 is an expected response and not a reason to log in again.
	refusable bool
}

// answer is Vault's response. An error returned with it is an [*Error] with the same
// status.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// failed returns the error of a request without a successful response.
func (r request) failed(err error) *Error {
	return &Error{Op: r.op, Namespace: r.namespace, Path: r.path, Err: err, retryAfter: -1}
}

// do sends a request with the client's Vault token. If Vault does not accept the token and
// a login can return a new one, it logs in and sends the request again. A 403 means that
// nothing was done, so this is safe for writes too.
func (c *Client) do(ctx context.Context, r request) (answer, error) {
	token, number, err := c.token(ctx)
	if err != nil {
		return answer{}, r.wrapLogin(err)
	}
	got, err := c.exchange(ctx, r, token)
	if !IsForbidden(err) || r.refusable && !isDead(err) || !c.session.login.renewable() {
		return got, err
	}
	token, loginErr := c.renew(ctx, number)
	if loginErr != nil {
		return got, r.refused(loginErr)
	}
	return c.exchange(ctx, r, token)
}

// wrapLogin adds the call to the error of a failed login.
func (r request) wrapLogin(err error) error {
	if !IsUnauthenticated(err) {
		return err
	}
	return r.failed(err)
}

// refused returns the error for a 403 after which no new login was possible.
func (r request) refused(err error) error {
	e := r.failed(err)
	e.Status = http.StatusForbidden
	return e
}

// exchange sends a request until there is a final response. A server that is not the
// active one of its cluster did nothing, so while another server becomes active even a
// write is sent again, to the same address.
func (c *Client) exchange(ctx context.Context, r request, token secret.Secret) (answer, error) {
	transport, err := c.transports.pick(r)
	if err != nil {
		return answer{}, r.failed(err)
	}
	retries, failover := 0, time.Duration(0)
	for {
		got, failure := c.attempt(ctx, transport, r, token)
		if failure == nil {
			return got, nil
		}
		pause, again := c.pause(retries, failure), false
		if failure.standby {
			pause = standbyPause
			failover += pause
			again = failover <= failoverBudget
		} else {
			again = !r.once && retries < c.config.MaxRetries && transient(failure)
			retries++
		}
		if !again || ctx.Err() != nil || c.config.Sleep(ctx, pause) != nil {
			if failure.Status == http.StatusServiceUnavailable && r.path != healthPath {
				failure.Sealed = c.sealed(ctx)
			}
			return got, failure
		}
	}
}

// attempt sends a request once.
func (c *Client) attempt(ctx context.Context, transport http.RoundTripper, r request, token secret.Secret) (answer, *Error) {
	ctx, cancel := context.WithTimeout(ctx, c.config.Timeout)
	defer cancel()
	secrets := append([]secret.Secret{token}, r.secrets...)
	got, err := c.roundTrip(ctx, transport, r, token)
	if err != nil {
		// The transport's error may quote what the server sent.
		if text := secret.Redact(err.Error(), secrets...); text != err.Error() {
			err = &redactedError{text: text, err: err}
		}
		return answer{}, r.failed(err)
	}
	if got.status >= 200 && got.status < 300 {
		return got, nil
	}
	failure := r.failed(nil)
	failure.Status = got.status
	failure.Reasons = reasons(got.body, secrets)
	failure.retryAfter = retryAfter(got.header)
	failure.standby = isStandby(r, got, failure)
	switch {
	case failure.standby:
		failure.Err = errors.New("no server of the cluster has become active")
	case got.status >= 300 && got.status < 400:
		failure.Err = errors.New("redirects are not followed; let the address name Vault itself")
	}
	return got, failure
}

// redactedError is an error whose own text contained something secret.
type redactedError struct {
	text string
	err  error
}

func (e *redactedError) Error() string { return e.text }
func (e *redactedError) Unwrap() error { return e.err }

func (c *Client) roundTrip(ctx context.Context, transport http.RoundTripper, r request, token secret.Secret) (answer, error) {
	req, err := c.build(ctx, r, token)
	if err != nil {
		return answer{}, err
	}
	client := http.Client{Transport: transport, CheckRedirect: keepRedirect}
	resp, err := client.Do(req)
	if err != nil {
		// The outer error repeats the whole URL, which Path contains already.
		if outer, ok := errors.AsType[*url.Error](err); ok {
			err = outer.Err
		}
		return answer{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err == nil && len(body) > maxAnswer {
		err = fmt.Errorf("the answer is longer than %d bytes", maxAnswer)
	}
	if err != nil {
		return answer{}, fmt.Errorf("reading the answer: %w", err)
	}
	c.index.record(resp.Header)
	return answer{status: resp.StatusCode, header: resp.Header, body: body}, nil
}

// keepRedirect returns a redirect to the caller. Following it would send the token and the
// secret to a host, or over a scheme, that no one configured.
func keepRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

func (c *Client) build(ctx context.Context, r request, token secret.Secret) (*http.Request, error) {
	var body io.Reader
	if r.body != nil {
		text, err := json.Marshal(r.body)
		if err != nil {
			return nil, errors.New("the request cannot be written as JSON")
		}
		body = bytes.NewReader(text)
	}
	target := *c.base
	target.Path += "/v1/" + r.path
	target.RawQuery = r.query.Encode()
	req, err := http.NewRequestWithContext(ctx, r.method, target.String(), body)
	if err != nil {
		return nil, err
	}
	for name, value := range c.config.Headers {
		req.Header.Set(name, value)
	}
	if c.config.UserAgent != "" {
		req.Header.Set("User-Agent", c.config.UserAgent)
	}
	if body != nil {
		req.Header.Set("Content-Type", cmp.Or(r.mediaType, "application/json"))
	}
	req.Header.Set(headerRequest, "true")
	if r.namespace != "" {
		req.Header.Set(headerNamespace, r.namespace)
	}
	if !r.anonymous {
		if !token.IsZero() { // an agent adds its own
			req.Header.Set(headerToken, token.Reveal())
		}
		c.index.require(req.Header)
	}
	if r.once {
		req.GetBody = nil // without GetBody, nothing can send the body a second time
	}
	return req, nil
}

// reasons returns Vault's error messages from the response to a failed request. Vault
// itself does not repeat what it received, but a proxy may.
func reasons(body []byte, secrets []secret.Secret) []string {
	const most = 5
	var vault struct {
		Errors []string `json:"errors"`
	}
	if json.Unmarshal(body, &vault) != nil {
		return nil
	}
	var lines []string
	for _, line := range vault.Errors {
		line = secret.Redact(line, secrets...)
		if line != "" && len(lines) < most {
			lines = append(lines, line)
		}
	}
	return lines
}

// decode decodes the data of a successful response. The text of a parse error may quote
// the response, so it is not returned.
func decode[T any](r request, got answer) (T, error) {
	var envelope struct {
		Data *T `json:"data"`
	}
	if err := json.Unmarshal(got.body, &envelope); err != nil || envelope.Data == nil {
		failure := r.failed(errors.New("the answer is not one of Vault's"))
		failure.Status = got.status
		var none T
		return none, failure
	}
	return *envelope.Data, nil
}

const (
	// failoverBudget limits how long one call waits for another server to become active.
	failoverBudget = 30 * time.Second
	standbyPause   = time.Second
)

// isStandby reports whether the response is one of the two from a server that is not
// active and cannot reach the active one: a redirect to where the active server was, or a
// message that there is none (vault/http/handler.go, respondStandby). A standby forwards
// all other requests.
func isStandby(r request, got answer, failure *Error) bool {
	if got.status == http.StatusTemporaryRedirect {
		location, err := url.Parse(got.header.Get("Location"))
		return err == nil && strings.HasSuffix(location.Path, "/v1/"+r.path)
	}
	return says(failure, "local node not active but active cluster node not found", http.StatusInternalServerError)
}

// transient reports whether the same request may succeed a moment later.
func transient(failure *Error) bool {
	switch status := failure.Status; {
	case status == 0:
		return !untrusted(failure.Err)
	case status == http.StatusPreconditionFailed: // this server lags behind the required state
		return true
	case status == http.StatusTooManyRequests:
		return true
	case status == http.StatusRequestTimeout || status == http.StatusTooEarly: // of a proxy in front of Vault
		return true
	case status == http.StatusNotImplemented:
		return false
	default:
		return status >= 500 || IsUpgrading(failure)
	}
}

// pause returns how long to wait before the next attempt.
func (c *Client) pause(attempt int, failure *Error) time.Duration {
	if failure.retryAfter >= 0 {
		return min(failure.retryAfter, maxRetryAfter)
	}
	wait := min(c.config.RetryWaitMin<<min(attempt, 10), c.config.RetryWaitMax)
	// Subtract up to a quarter, so that clients that were held up together do not return
	// together.
	return wait - time.Duration(rand.Int64N(int64(wait)/4+1)) //nolint:gosec // spreads load, guards nothing
}

// retryAfter parses Retry-After, in seconds or as a date by the server's own clock. It
// returns a negative duration if the header is missing or invalid.
func retryAfter(header http.Header) time.Duration {
	value := header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	until, err := http.ParseTime(value)
	if err != nil {
		return -1
	}
	now, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return -1
	}
	return max(0, until.Sub(now))
}
