// Package contracttest checks servers and clients against the wire contract in
// internal/paistrike/openapi.yaml.
//
// It provides a handler that checks the requests and responses that pass through it. The
// handler does not respond and does not change anything. Only tests import this package.
package contracttest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"

	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
)

// Option configures [Check].
type Option func(*checker)

// SkipResponses disables the check of responses, for tests in which the server misbehaves
// on purpose.
func SkipResponses() Option {
	return func(c *checker) { c.skip = func(*http.Request) bool { return true } }
}

// SkipResponsesTo disables the check of the responses to some requests.
func SkipResponsesTo(skip func(*http.Request) bool) Option {
	return func(c *checker) { c.skip = skip }
}

// RefuseBadRequests treats a request that violates the contract as a test of the server:
// it is an error only if the server does not respond with 4xx.
func RefuseBadRequests() Option {
	return func(c *checker) { c.mustRefuse = true }
}

// Check wraps a handler. It calls t.Errorf for every request below prefix, and every
// response to one, that violates the contract. prefix is "/api/v1" unless the test uses
// another one; "/" means none. Check does not check other requests, nor responses that are
// cut off by a hijacked connection or a panic of the handler.
//
// The contract requires a 401 response to a request without a token. Any other response to
// such a request is an error.
func Check(t testing.TB, next http.Handler, prefix string, options ...Option) http.Handler {
	t.Helper()
	c := &checker{t: t, next: next, prefix: strings.TrimRight(prefix, "/"), router: newRouter(t, strings.TrimRight(prefix, "/"))}
	for _, option := range options {
		option(c)
	}
	return c
}

func newRouter(t testing.TB, prefix string) routers.Router {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData([]byte(paistrike.OpenAPI()))
	if err != nil {
		t.Fatalf("reading openapi.yaml: %v", err)
	}
	if err := doc.Validate(context.Background()); err != nil {
		t.Fatalf("openapi.yaml is not valid: %v", err)
	}
	doc.Servers = openapi3.Servers{{URL: prefix + "/"}}
	router, err := legacy.NewRouter(doc)
	if err != nil {
		t.Fatalf("routing openapi.yaml: %v", err)
	}
	return router
}

type checker struct {
	t          testing.TB
	next       http.Handler
	prefix     string
	router     routers.Router
	skip       func(*http.Request) bool
	mustRefuse bool
}

func (c *checker) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.HasPrefix(r.URL.Path, c.prefix+"/") {
		c.next.ServeHTTP(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil { // the client disconnected
		c.next.ServeHTTP(w, r)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	input, wrong := c.request(r, body)
	tee := &tee{ResponseWriter: w, status: http.StatusOK}
	c.next.ServeHTTP(tee, r)
	if tee.hijacked {
		return
	}
	switch refused := tee.status >= 400 && tee.status < 500; {
	case wrong == nil:
	case errors.Is(wrong, errNoBearer) && tee.status == http.StatusUnauthorized:
	case !c.mustRefuse:
		c.t.Errorf("request %s %s breaks the contract: %v", r.Method, r.URL.Path, wrong)
	case !refused:
		c.t.Errorf("request %s %s breaks the contract (%v) and was answered %d", r.Method, r.URL.Path, wrong, tee.status)
	}
	if input == nil || c.skip != nil && c.skip(r) {
		return
	}
	if err := c.response(r.Context(), input, tee); err != nil {
		c.t.Errorf("answer %d to %s %s breaks the contract: %v", tee.status, r.Method, r.URL.Path, err)
	}
}

var errNoBearer = errors.New("there is no bearer")

// request checks a request. The returned input is nil if the contract has no such route.
func (c *checker) request(r *http.Request, body []byte) (*openapi3filter.RequestValidationInput, error) {
	copied := r.Clone(r.Context())
	copied.Body = io.NopCloser(bytes.NewReader(body))
	copied.URL = &url.URL{Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery}
	route, params, err := c.router.FindRoute(copied)
	if err != nil {
		return nil, err
	}
	input := &openapi3filter.RequestValidationInput{
		Request: copied, PathParams: params, Route: route, QueryParams: r.URL.Query(),
		Options: &openapi3filter.Options{
			AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true, MultiError: true,
		},
	}
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); !ok || token == "" {
		return input, errNoBearer
	}
	if r.Header.Get("Idempotency-Key") != "" {
		return input, errors.New("an Idempotency-Key makes Go's transport send a POST again")
	}
	return input, openapi3filter.ValidateRequest(r.Context(), input)
}

func (c *checker) response(ctx context.Context, input *openapi3filter.RequestValidationInput, got *tee) error {
	answer := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: got.status, Header: got.Header(), Options: input.Options,
	}
	answer.SetBodyBytes(got.body.Bytes())
	return openapi3filter.ValidateResponse(context.WithoutCancel(ctx), answer)
}

// tee forwards a response and keeps a copy.
type tee struct {
	http.ResponseWriter
	status   int
	wrote    bool
	hijacked bool
	body     bytes.Buffer
}

func (t *tee) WriteHeader(status int) {
	if !t.wrote && status >= 200 {
		t.status, t.wrote = status, true
	}
	t.ResponseWriter.WriteHeader(status)
}

func (t *tee) Write(p []byte) (int, error) {
	t.wrote = true
	t.body.Write(p)
	return t.ResponseWriter.Write(p)
}

func (t *tee) Unwrap() http.ResponseWriter { return t.ResponseWriter }

func (t *tee) Flush() {
	if flusher, ok := t.ResponseWriter.(http.Flusher); ok {
		flusher.Flush()
	}
}

func (t *tee) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	t.hijacked = true
	return http.NewResponseController(t.ResponseWriter).Hijack()
}
