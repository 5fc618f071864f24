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

// maxAnswer bounds what is read of an answer, in bytes. KV entries are at most
// 1 MiB in Vault's defaults.
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
	op        string // "reading", for the error text
	method    string
	path      string // below /v1/, without slashes at its ends
	query     url.Values
	body      any    // sent as JSON; nil sends none
	mediaType string // of the body; "" is application/json
	namespace string // "" sends no namespace
	// secrets are those in the body. No error repeats them, whoever sent them back.
	secrets []secret.Secret

	anonymous bool // without a Vault token
	once      bool // one attempt, on a connection of its own
	// refusable: a 403 is one of the expected answers, no reason to log in anew.
	refusable bool
}

// answer is what Vault said. An error beside it is an [*Error] with the same status.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// failed makes the error of a request that got no good answer.
func (r request) failed(err error) *Error {
	return &Error{Op: r.op, Namespace: r.namespace, Path: r.path, Err: err, retryAfter: -1}
}

// do sends a request with the client's Vault token. Where Vault does not accept
// it and a login can give a new one, it logs in and sends the request once more:
// a 403 is given before anything is done, so this holds for writes as well.
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

// wrapLogin says which call the missing login held up.
func (r request) wrapLogin(err error) error {
	if !IsUnauthenticated(err) {
		return err
	}
	return r.failed(err)
}

// refused is a 403 after which no new login was to be had.
func (r request) refused(err error) error {
	e := r.failed(err)
	e.Status = http.StatusForbidden
	return e
}

// exchange sends a request until it is answered for good. A server that is not the
// active one of its cluster did nothing, so that while another becomes active even a
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
		// What broke may quote what the server sent.
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

// redactedError is an error whose own text held what no log may show.
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
		// The outer error repeats the whole URL, which Path names already.
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

// keepRedirect hands a redirect out as it is: followed, it would carry token
// and secret to a host, or over a scheme, that nobody configured.
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
		req.GetBody = nil // nothing can send the body a second time
	}
	return req, nil
}

// reasons reads Vault's error lines out of the answer to a failed request. Vault
// itself does not repeat what it was sent, but something between may.
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

// decode reads the data of a good answer. The text of a parse error may quote
// the answer, so it is not passed on.
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
	// failoverBudget is how long one call waits for another server to become active.
	failoverBudget = 30 * time.Second
	standbyPause   = time.Second
)

// isStandby reports the two answers of a server that is not the active one and reaches
// none: it sends the client to where the active one was, or says that it knows of none
// (vault/http/handler.go, respondStandby). A standby passes all other requests on.
func isStandby(r request, got answer, failure *Error) bool {
	if got.status == http.StatusTemporaryRedirect {
		location, err := url.Parse(got.header.Get("Location"))
		return err == nil && strings.HasSuffix(location.Path, "/v1/"+r.path)
	}
	return says(failure, "local node not active but active cluster node not found", http.StatusInternalServerError)
}

// transient reports whether the same request may fare better a moment later.
func transient(failure *Error) bool {
	switch status := failure.Status; {
	case status == 0:
		return !untrusted(failure.Err)
	case status == http.StatusPreconditionFailed: // this server has not yet replicated what it is asked for
		return true
	case status == http.StatusTooManyRequests:
		return true
	case status == http.StatusRequestTimeout || status == http.StatusTooEarly: // of something in front of Vault
		return true
	case status == http.StatusNotImplemented:
		return false
	default:
		return status >= 500 || IsUpgrading(failure)
	}
}

// pause is how long to wait before the next attempt.
func (c *Client) pause(attempt int, failure *Error) time.Duration {
	if failure.retryAfter >= 0 {
		return min(failure.retryAfter, maxRetryAfter)
	}
	wait := min(c.config.RetryWaitMin<<min(attempt, 10), c.config.RetryWaitMax)
	// Up to a quarter off, so that clients held up together do not return together.
	return wait - time.Duration(rand.Int64N(int64(wait)/4+1)) //nolint:gosec // spreads load, guards nothing
}

// retryAfter reads Retry-After, in seconds or as a date by the server's own
// clock. It is negative if the server named no time.
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
