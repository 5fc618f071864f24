package paistrike

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
)

// Limits on how much of a response is read, in bytes. A server without pages lists 100,000
// tokens at once.
const (
	maxBody     = 4 << 20
	maxListBody = 64 << 20
)

var (
	errNoToken = errors.New("no API token is set")
	errTooLong = errors.New("the response is too long")
	errNotAPI  = errors.New("the response is HTML or plain text, so it is not from the API")
)

// Client calls PAIStrike's API with one token. It is safe for concurrent use.
type Client struct {
	base     string // endpoint and prefix, without a trailing slash
	token    secret.Secret
	headers  map[string]secret.Secret // sent with every request, redacted from every error
	auth     Auth
	routes   Routes // complete
	pooled   http.RoundTripper
	single   http.RoundTripper // sends each request once
	sleep    func(context.Context, time.Duration) error
	now      func() time.Time
	attempts int
	timeout  time.Duration
	clock    *serverClock // shared per server
	memory   *memory      // shared per server
	gate     *gate        // per token
	own      *ownToken    // per token
}

// As returns a client with the same settings and the same server clock that calls with
// another token: to verify a new token, or to let a token revoke itself.
func (c *Client) As(token secret.Secret) *Client {
	other := *c
	other.token, other.gate, other.own = token, &gate{}, newOwnToken()
	return &other
}

// call is one request, which may take several attempts.
type call struct {
	op      string // the action, for errors: "creating a token"
	method  string
	address string // scheme, host, path and query
	body    []byte
	// mints is the name of the token that the call creates. Such a call is repeated only
	// if it is certain that nothing was done.
	mints string
	once  bool
	// item is true if the path identifies one token, so that 404 means the token does not
	// exist. Otherwise 404 means a wrong address.
	item bool
	// longest limits how much of the response is read. 0 means maxBody.
	longest int64
}

// answer is a response.
type answer struct {
	status int
	header http.Header
	body   []byte
	cut    error // why the body is incomplete
}

// fromAPI reports whether the body may come from the API: it is JSON or empty. Proxies and
// login pages in front of an API respond with HTML or plain text.
func (a answer) fromAPI() bool {
	body := bytes.TrimSpace(bytes.TrimPrefix(a.body, []byte("\ufeff")))
	return len(body) == 0 || bytes.ContainsRune([]byte(`{["`), rune(body[0])) && json.Valid(body)
}

// address appends a path and a query to the base.
func (c *Client) address(path string, query url.Values) string {
	path, fixed, _ := strings.Cut(path, "?")
	if asked := query.Encode(); fixed == "" || asked == "" {
		fixed += asked
	} else {
		fixed += "&" + asked
	}
	if fixed == "" {
		return c.base + path
	}
	return c.base + path + "?" + fixed
}

// do makes a call. It repeats the call if that is safe and may help. Without an error, the
// response has a 2xx status.
func (c *Client) do(ctx context.Context, call call) (answer, error) {
	if c.token.IsZero() || !sendable(c.token.Reveal()) {
		return answer{}, &ConnectionError{Op: call.op, Err: errNoToken}
	}
	var last error
	for attempt := 1; ; attempt++ {
		if err := c.gate.enter(ctx, c); err != nil { // nothing of this attempt was sent
			return answer{}, interrupted(call.op, last, err)
		}
		got, reached, err := c.exchange(ctx, call)
		outcome := classify(call, got, reached, err)
		wait, again := c.pause(attempt, got, outcome)
		var refused time.Duration
		if again && outcome == outcomeBusy {
			refused = wait
		}
		c.gate.leave(c.now(), got, refused)
		switch {
		case outcome == outcomeDone:
			return got, nil
		case err != nil:
			err = c.connectionError(call, reached, attempt, err)
		default:
			err = c.apiError(call, got, attempt)
		}
		switch {
		case outcome == outcomeUnclear && call.once:
			return answer{}, &UnknownOutcomeError{Name: call.mints, Err: err}
		case !again:
			return answer{}, err
		}
		last = err
		if refused > 0 {
			continue // the gate waits, for all calls
		}
		if stopped := c.sleep(ctx, wait); stopped != nil {
			return answer{}, interrupted(call.op, last, stopped)
		}
	}
}

// exchange sends one request and reads the response. reached is false if it is certain
// that nothing was sent.
func (c *Client) exchange(ctx context.Context, call call) (got answer, reached bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	var path connectionTrace
	req, err := c.request(httptrace.WithClientTrace(ctx, path.hooks()), call)
	if err != nil {
		return answer{}, false, err
	}
	transport := c.pooled
	if call.once {
		transport = c.single
		req.GetBody = nil // without GetBody, a transport cannot send the body again
	}
	began := c.now()
	// This is a transport and not an http.Client, so it follows no redirect, which would
	// send the token elsewhere.
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return answer{}, path.reached(err), err
	}
	defer resp.Body.Close()
	answered := c.now()
	c.own.called(c.clock.see(resp.Header, answered), answered.Sub(began))
	longest := cmp.Or(call.longest, maxBody)
	body, err := io.ReadAll(io.LimitReader(resp.Body, longest+1))
	if err == nil && int64(len(body)) > longest {
		body, err = nil, errTooLong
	}
	return answer{status: resp.StatusCode, header: resp.Header, body: body, cut: err}, true, nil
}

func (c *Client) request(ctx context.Context, call call) (*http.Request, error) {
	var body io.Reader
	if call.body != nil {
		body = bytes.NewReader(call.body)
	}
	req, err := http.NewRequestWithContext(ctx, call.method, call.address, body)
	if err != nil {
		return nil, err
	}
	for name, value := range c.headers {
		req.Header.Set(name, value.Reveal())
	}
	req.Header.Set(c.auth.header(), c.auth.value(c.token.Reveal()))
	accept, content := "application/json, application/problem+json", "application/json"
	switch c.routes.ContentType {
	case ContentJSONAPI:
		accept, content = "application/vnd.api+json, "+accept, "application/vnd.api+json"
	case ContentForm:
		content = "application/x-www-form-urlencoded"
	}
	req.Header.Set("Accept", accept)
	if call.body != nil {
		req.Header.Set("Content-Type", content)
	}
	return req, nil
}

// connectionTrace observes how far the transport got with a request.
type connectionTrace struct{ wanted, got atomic.Bool }

func (t *connectionTrace) hooks() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GetConn: func(string) { t.wanted.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { t.got.Store(true) },
	}
}

// reached reports whether a request that ended in err may have been sent. It was certainly
// not sent only if the transport requested a connection and got none (no such host,
// connection refused, no TLS), or reported that dialing failed.
func (t *connectionTrace) reached(err error) bool {
	if t.got.Load() {
		return true
	}
	return !t.wanted.Load() && !isDialError(err)
}

// redactor returns a redactor for the token and the values of the static headers.
func (c *Client) redactor() secret.Redactor {
	secrets := []secret.Secret{c.token}
	for name, header := range c.headers {
		// A short value, such as an organization's number, is not a secret, and would
		// match ordinary text.
		if value := header.Reveal(); name != "User-Agent" && len(value) > 7 {
			secrets = append(secrets, header)
		}
	}
	return secret.NewRedactor(secrets...)
}
