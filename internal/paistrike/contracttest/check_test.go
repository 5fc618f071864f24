package contracttest_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike/contracttest"
)

// complaints is a testing.TB that records the errors of a check.
type complaints struct {
	testing.TB
	said []string
}

func (c *complaints) Errorf(format string, args ...any) {
	c.said = append(c.said, fmt.Sprintf(format, args...))
}

const (
	row     = `"id":"tok_1","name":"CI/CD Pipeline","created_at":"2026-07-01T12:00:00Z","last_used_at":null,"expires_at":null,"status":"active"`
	secret  = `"token":"pstk_sbx_0123456789"`
	problem = `{"type":"about:blank","title":"x","status":404,"code":"not_found"}`
	list    = "GET /api/v1/api-tokens"
	create  = "POST /api/v1/api-tokens"
	one     = "/api/v1/api-tokens/tok_1"
)

// Every planted violation is reported, and nothing else.
func TestCheck(t *testing.T) {
	t.Parallel()
	headers := func(status int) http.Header {
		h := http.Header{"Content-Type": {"application/json"}}
		switch {
		case status == 201:
			h.Set("Location", "/x")
			h.Set("Cache-Control", "no-store")
		case status >= 400:
			h.Set("Content-Type", "application/problem+json")
			h.Set("WWW-Authenticate", "Bearer")
			h.Set("Retry-After", "1")
		}
		return h
	}
	without := func(name string) func(http.Header) { return func(h http.Header) { h.Del(name) } }
	tests := []struct {
		name    string
		request string
		send    string
		status  int
		answer  string
		headers func(http.Header)
		options []contracttest.Option
		faults  int
	}{
		{name: "a list", request: list + "?limit=100", status: 200, answer: `{"items":[{` + row + `}],"next_cursor":null}`},
		{name: "an empty list", request: list, status: 200, answer: `{"items":[],"next_cursor":"x"}`},
		{name: "a new token", request: create, send: `{"name":"ci","expires_at":"2026-10-01T00:00:00Z"}`, status: 201, answer: `{` + row + `,` + secret + `}`},
		{name: "a token", request: "GET " + one, status: 200, answer: `{` + row + `}`},
		{name: "a revocation", request: "DELETE " + one, status: 204},
		{name: "self", request: "DELETE /api/v1/api-tokens/self", status: 204},
		{name: "a refusal", request: "GET " + one, status: 404, answer: problem},
		{name: "a refused bearer", request: list, status: 401, answer: problem},
		{name: "too many requests", request: list, status: 429, answer: problem},
		{name: "a path elsewhere", request: "GET /_sandbox/health", status: 500, answer: "x"},

		{name: "a limit beyond the largest", request: list + "?limit=101", status: 200, answer: `{"items":[],"next_cursor":null}`, faults: 1},
		{name: "an unknown route", request: "GET /api/v1/tokens", status: 200, answer: `{}`, faults: 1},
		{name: "an unknown method", request: "PATCH " + one, status: 200, answer: `{}`, faults: 1},
		{name: "an id that is none", request: "GET /api/v1/api-tokens/a.b", status: 404, answer: problem, faults: 1},
		{name: "an unknown field in a request", request: create, send: `{"name":"ci","scopes":[]}`, status: 201, answer: `{` + row + `,` + secret + `}`, faults: 1},
		{name: "a date in a request", request: create, send: `{"name":"ci","expires_at":"2026-10-01"}`, status: 201, answer: `{` + row + `,` + secret + `}`, faults: 1},
		{name: "no name in a request", request: create, send: `{}`, status: 422, answer: problem, faults: 1},
		{name: "the secret in a GET", request: "GET " + one, status: 200, answer: `{` + row + `,` + secret + `}`, faults: 1},
		{name: "the secret in a list", request: list, status: 200, answer: `{"items":[{` + row + `,` + secret + `}],"next_cursor":null}`, faults: 1},
		{name: "no secret in a 201", request: create, send: `{"name":"ci"}`, status: 201, answer: `{` + row + `}`, faults: 1},
		{name: "200 for a new token", request: create, send: `{"name":"ci"}`, status: 200, answer: `{` + row + `,` + secret + `}`, faults: 1},
		{name: "a new token that may be cached", request: create, send: `{"name":"ci"}`, status: 201, answer: `{` + row + `,` + secret + `}`, headers: without("Cache-Control"), faults: 1},
		{name: "a new token without its address", request: create, send: `{"name":"ci"}`, status: 201, answer: `{` + row + `,` + secret + `}`, headers: without("Location"), faults: 1},
		{name: "200 for 204", request: "DELETE " + one, status: 200, answer: `{}`, faults: 1},
		{name: "Active", request: "GET " + one, status: 200, answer: `{` + strings.Replace(row, "active", "Active", 1) + `}`, faults: 1},
		{name: "an absent null", request: "GET " + one, status: 200, answer: `{` + strings.Replace(row, `"last_used_at":null,`, "", 1) + `}`, faults: 1},
		{name: "an offset", request: "GET " + one, status: 200, answer: `{` + strings.Replace(row, "00Z", "00+00:00", 1) + `}`, faults: 1},
		{name: "a fraction of a second", request: "GET " + one, status: 200, answer: `{` + strings.Replace(row, "00Z", "00.5Z", 1) + `}`, faults: 1},
		{name: "an impossible time", request: "GET " + one, status: 200, answer: `{` + strings.Replace(row, "12:00", "25:00", 1) + `}`, faults: 1},
		{name: "an absent cursor", request: list, status: 200, answer: `{"items":[]}`, faults: 1},
		{name: "a problem without a code", request: "GET " + one, status: 404, answer: `{"type":"about:blank","title":"x","status":404}`, faults: 1},
		{name: "a page for a problem", request: "GET " + one, status: 502, answer: `<html>`, headers: func(h http.Header) { h.Set("Content-Type", "text/html") }, faults: 1},
		{name: "401 without a challenge", request: list, status: 401, answer: problem, headers: without("WWW-Authenticate"), faults: 1},
		{name: "429 without a time", request: list, status: 429, answer: problem, headers: without("Retry-After"), faults: 1},

		{
			name: "a fault on purpose", request: list, status: 502, answer: `<html>`,
			options: []contracttest.Option{contracttest.SkipResponses()},
		},
		{
			name: "a fault on purpose, but a bad request", request: list + "?limit=x", status: 502, answer: `<html>`,
			options: []contracttest.Option{contracttest.SkipResponses()}, faults: 1,
		},
		{
			name: "a fault on purpose elsewhere", request: list, status: 502, answer: `<html>`, faults: 1,
			options: []contracttest.Option{contracttest.SkipResponsesTo(func(r *http.Request) bool { return r.Method == http.MethodPost })},
		},
		{
			name: "a bad request, refused", request: create, send: `{"nam":"ci"}`, status: 422, answer: problem,
			options: []contracttest.Option{contracttest.RefuseBadRequests()},
		},
		{
			name: "a bad request, accepted", request: create, send: `{"nam":"ci"}`, status: 201, answer: `{` + row + `,` + secret + `}`, faults: 1,
			options: []contracttest.Option{contracttest.RefuseBadRequests()},
		},
		{
			name: "an unknown route, refused", request: "GET /api/v1/x", status: 404, answer: problem,
			options: []contracttest.Option{contracttest.RefuseBadRequests()},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			heard := &complaints{TB: t}
			handler := contracttest.Check(heard, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				for name, values := range headers(test.status) {
					w.Header()[name] = values
				}
				if test.headers != nil {
					test.headers(w.Header())
				}
				w.WriteHeader(test.status)
				fmt.Fprint(w, test.answer)
			}), "/api/v1", test.options...)
			method, target, _ := strings.Cut(test.request, " ")
			r := httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(test.send))
			r.Header.Set("Authorization", "Bearer x")
			if test.send != "" {
				r.Header.Set("Content-Type", "application/json")
			}
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			if len(heard.said) != test.faults {
				t.Errorf("heard %d complaints, want %d: %s", len(heard.said), test.faults, strings.Join(heard.said, "\n"))
			}
			if w.Code != test.status || w.Body.String() != test.answer {
				t.Errorf("the answer was changed to %d %s", w.Code, w.Body)
			}
		})
	}
}

func TestCheckWantsABearer(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		authorization, key string
		status, faults     int
	}{
		{"", "", 401, 0}, {"", "", 200, 1}, {"Basic eA==", "", 200, 1}, {"Basic eA==", "", 401, 0}, {"Bearer ", "", 200, 1},
		{"Bearer x", "", 200, 0}, {"Bearer x", "again", 200, 1},
	} {
		heard := &complaints{TB: t}
		handler := contracttest.Check(heard, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", map[int]string{200: "application/json", 401: "application/problem+json"}[test.status])
			w.Header().Set("WWW-Authenticate", "Bearer")
			w.WriteHeader(test.status)
			fmt.Fprint(w, map[int]string{200: `{"items":[],"next_cursor":null}`, 401: problem}[test.status])
		}), "/api/v1")
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/v1/api-tokens", http.NoBody)
		r.Header.Set("Authorization", test.authorization)
		r.Header.Set("Idempotency-Key", test.key)
		handler.ServeHTTP(httptest.NewRecorder(), r)
		if len(heard.said) != test.faults {
			t.Errorf("%+v: heard %v", test, heard.said)
		}
	}
}

// A server that cuts off a response on purpose does not violate the contract.
func TestCheckLetsServersBreakOff(t *testing.T) {
	t.Parallel()
	heard := &complaints{TB: t}
	s := httptest.NewServer(contracttest.Check(heard, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Query().Get("cursor") {
		case "hijack":
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Errorf("hijacking: %v", err)
				return
			}
			if err := conn.Close(); err != nil {
				t.Errorf("closing: %v", err)
			}
		case "panic":
			panic(http.ErrAbortHandler)
		default:
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, `{"items":[],`)
			w.(http.Flusher).Flush() //nolint:forcetypeassert // the wrapper must have it
			fmt.Fprint(w, `"next_cursor":null}`)
		}
	}), "/"))
	t.Cleanup(s.Close)
	for query, works := range map[string]bool{"hijack": false, "panic": false, "": true} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/api-tokens?cursor="+query, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer x")
		resp, err := s.Client().Do(r)
		if (err == nil) != works {
			t.Errorf("%q: %v", query, err)
		}
		if err == nil {
			resp.Body.Close()
		}
	}
	if len(heard.said) != 0 {
		t.Errorf("heard %v", heard.said)
	}
}
