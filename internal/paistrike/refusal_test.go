package paistrike_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
)

func TestErrorBodies(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, body, code, message string
		fields                    []string
	}{
		{
			"RFC 9457", `{"type":"about:blank","title":"Unprocessable Entity","status":422,"code":"validation_failed","detail":"the request is not valid",
				"errors":[{"pointer":"/expires_at","code":"in_past","detail":"lies in the past"},{"pointer":"#/name","code":"too_long","detail":"has 101 characters"}]}`,
			"validation_failed", "the request is not valid; expires_at: lies in the past; name: has 101 characters", []string{"in_past", "too_long"},
		},
		{"RFC 9457 with a title alone", `{"type":"about:blank","title":"Forbidden","status":403}`, "", "Forbidden", nil},
		{"detail and code", `{"detail":"Token is invalid","code":"token_not_valid"}`, "token_not_valid", "Token is invalid", nil},
		{"texts by field", `{"name":["This field is required.","Too short."],"expiry":["Bad."]}`, "", "expiry: Bad.; name: This field is required.; Too short.", nil},
		{
			"list in detail", `{"detail":[{"loc":["body","expires_at"],"msg":"field required","type":"missing"}]}`,
			"", "body.expires_at: field required", []string{"missing"},
		},
		{"error object", `{"error":{"code":"quota","message":"Too many tokens"}}`, "quota", "Too many tokens", nil},
		{"error and description", `{"error":"invalid_token","error_description":"The token expired"}`, "invalid_token", "The token expired", nil},
		{"message", `{"message":"Not Found"}`, "", "Not Found", nil},
		{"error as a text", `{"error":"no such token"}`, "", "no such token", nil},
		{"list of objects", `{"success":false,"errors":[{"code":1000,"message":"Invalid API Token"}],"result":null}`, "", "Invalid API Token", []string{"1000"}},
		{"list of JSON:API", `{"errors":[{"status":"404","title":"not found","source":{"pointer":"/data/id"}}]}`, "", "data/id: not found", nil},
		{"list of texts", `{"errors":["one","two"]}`, "", "one; two", nil},
		{"errors by field", `{"message":"Invalid","errors":{"name":["taken"],"x":"y"}}`, "", "Invalid; name: taken; x: y", nil},
		{"bare list", `[{"message":"one"},"two"]`, "", "one; two", nil},
		{"bare text", `"go away"`, "", "go away", nil},
		{"camelCase", `{"errorCode":"E7","errorMessage":"no"}`, "E7", "no", nil},
		{"HTML with a title", `<!doctype html><html><head><title>502 Bad&nbsp;Gateway</title></head><body><h1>x</h1></body></html>`, "", "502 Bad Gateway", nil},
		{"HTML without a title", `<html><script>var a = 1 < 2</script><h1>Sign&#32;in</h1><p>here</p></html>`, "", "Sign in here", nil},
		{"plain text", "upstream connect error\r\n::set-output name=x::y", "", "upstream connect error ::set-output name=x::y", nil},
		{"text that begins like JSON", "502 Bad Gateway", "", "502 Bad Gateway", nil},
		{"nothing", "", "", "", nil},
		{"an empty object", "{}", "", "", nil},
		{"half a document", `{"detail":"x","token":"abc`, "", "", nil},
		{"deep", strings.Repeat(`{"error":`, 50) + `"x"` + strings.Repeat(`}`, 50), "", "", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, answer(http.StatusForbidden, test.body, "X-Request-Id", "req-7"))
			_, err := s.client(t).Create(t.Context(), "x", time.Time{})
			var got *paistrike.APIError
			if !errors.As(err, &got) {
				t.Fatalf("got %v, want an APIError", err)
			}
			want := &paistrike.APIError{
				Op: "creating a token", Method: "POST", Path: "/api/v1/api-tokens", Status: 403, RequestID: "req-7", Attempts: 1,
				Code: test.code, Message: test.message, FieldCodes: test.fields,
			}
			if got.Error() != want.Error() || !cmp.Equal(got.FieldCodes, want.FieldCodes) {
				t.Errorf("got  %v %v\nwant %v %v", got, got.FieldCodes, want, want.FieldCodes)
			}
		})
	}
}

func TestErrorTexts(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		in   error
		want string
	}{
		{
			"a refusal",
			&paistrike.APIError{Op: "creating a token", Method: "POST", Path: "/api/v1/api-tokens", Status: 422, Code: "validation_failed", Message: "name: too long", RequestID: "req-7"},
			"creating a token: PAIStrike answered 422 Unprocessable Entity (validation_failed): name: too long [POST /api/v1/api-tokens, request req-7]",
		},
		{
			"a refusal without words",
			&paistrike.APIError{Op: "listing tokens", Method: "GET", Path: "/t", Status: 599, Attempts: 5},
			"listing tokens: PAIStrike answered 599; after 5 attempts [GET /t]",
		},
		{
			"a long wait",
			&paistrike.APIError{Op: "listing tokens", Method: "GET", Path: "/t", Status: 429, RetryAfter: 24 * time.Hour},
			"listing tokens: PAIStrike answered 429 Too Many Requests; it asks to wait 24h0m0s, longer than the maximum wait of 1m0s [GET /t]",
		},
		{
			"a redirect",
			&paistrike.APIError{Op: "listing tokens", Method: "GET", Path: "/t", Status: 302, Location: "https://login.example/in"},
			"listing tokens: PAIStrike answered 302 Found: redirects are not followed, this one leads to https://login.example/in; set endpoint and api_prefix to where the API is [GET /t]",
		},
		{
			"no connection",
			&paistrike.ConnectionError{Op: "listing tokens", Host: "example.com", Attempts: 5, Err: errors.New("connection refused")},
			"listing tokens: cannot reach example.com: connection refused; after 5 attempts",
		},
		{
			"no answer",
			&paistrike.ConnectionError{Op: "listing tokens", Host: "example.com", Sent: true, Attempts: 1, Err: errors.New("EOF")},
			"listing tokens: incomplete response from example.com: EOF",
		},
		{
			"an unknown outcome",
			&paistrike.UnknownOutcomeError{Name: "ci", Err: errors.New("EOF")},
			`a token named "ci" may or may not have been created: EOF`,
		},
		{
			"a lost secret",
			&paistrike.UnknownOutcomeError{Name: "ci", ID: "tok_1", Err: errors.New("no secret")},
			`token tok_1 named "ci" exists, but its secret is lost: no secret`,
		},
	}
	for _, test := range tests {
		if got := test.in.Error(); got != test.want {
			t.Errorf("%s:\n got %s\nwant %s", test.name, got, test.want)
		}
	}
}

func TestKindsOfErrors(t *testing.T) {
	t.Parallel()
	type kinds struct{ NotFound, Unauthorized, Forbidden, RateLimited, LimitReached bool }
	tests := []struct {
		status int
		body   string
		want   kinds
	}{
		{401, ``, kinds{Unauthorized: true}},
		{403, ``, kinds{Forbidden: true}},
		{404, ``, kinds{NotFound: true}},
		{410, ``, kinds{NotFound: true}},
		{409, ``, kinds{}},
		{429, ``, kinds{RateLimited: true}},
		{500, ``, kinds{}},
		{422, `{"code":"validation_failed","errors":[{"pointer":"/","code":"limit_reached","detail":"10 tokens"}]}`, kinds{LimitReached: true}},
		{422, `{"code":"limit_reached"}`, kinds{LimitReached: true}},
		{422, `{"detail":"limit_reached"}`, kinds{}}, // a text is not a code
		{500, `{"code":"limit_reached"}`, kinds{}},
	}
	for _, test := range tests {
		s := serve(t, answer(test.status, test.body))
		_, err := s.client(t, func(cfg *paistrike.Config) { cfg.Routes.Self = "-" }).Get(t.Context(), "tok_1")
		err = fmt.Errorf("wrapped: %w", err)
		got := kinds{
			paistrike.IsNotFound(err), paistrike.IsUnauthorized(err), paistrike.IsForbidden(err),
			paistrike.IsRateLimited(err), paistrike.IsLimitReached(err),
		}
		if got != test.want || paistrike.StatusOf(err) != test.status {
			t.Errorf("%d %s: got %+v and status %d, want %+v", test.status, test.body, got, paistrike.StatusOf(err), test.want)
		}
	}
	if paistrike.StatusOf(nil) != 0 || paistrike.IsNotFound(nil) || paistrike.IsLimitReached(errors.New("x")) {
		t.Error("what is no refusal has a kind")
	}
	if err := (&paistrike.APIError{Status: 422, Code: "a", FieldCodes: []string{"b"}}); !paistrike.HasCode(err, "a") ||
		!paistrike.HasCode(err, "b") || paistrike.HasCode(err, "c") || paistrike.HasCode(nil, "") {
		t.Error("HasCode does not find the codes")
	}
}

// With a wrong prefix, the server responds to everything with 404. That says nothing about
// a token. Otherwise a typing error would make live tokens look deleted.
func TestWrongAddressIsNotAMissingToken(t *testing.T) {
	t.Parallel()
	s := serve(t, http.NotFoundHandler())
	c := s.client(t, func(cfg *paistrike.Config) { cfg.Routes.ListOnly = true })
	_, getting := c.Get(t.Context(), "tok_1")
	_, listing := c.List(t.Context())
	_, self := c.Self(t.Context())
	_, creating := c.Create(t.Context(), "x", time.Time{})
	for _, err := range []error{getting, listing, self, creating} {
		if err == nil || paistrike.IsNotFound(err) || paistrike.StatusOf(err) != 404 {
			t.Errorf("got %v, want a 404 that is no missing token", err)
		}
	}
}

// Some servers respond with 401 for a token that does not exist. Whether the management
// token still works tells the two cases apart.
func TestMissingTokenThatIsCalledUnauthorized(t *testing.T) {
	t.Parallel()
	self := answer(200, `{"id":"tok_1","name":"management"}`)
	handler := func(own http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			switch {
			case strings.HasSuffix(r.URL.Path, "/self"):
				own(w, r)
				return
			case strings.HasSuffix(r.URL.Path, "/api-tokens"):
				answer(200, `{"items":[{"id":"tok_1"}]}`)(w, r)
				return
			}
			answer(401, "")(w, r)
		}
	}
	good := serve(t, handler(self))
	if _, err := good.client(t).Get(t.Context(), "tok_9"); !paistrike.IsNotFound(err) {
		t.Errorf("with a good bearer: %v, want not found", err)
	}
	if err := good.client(t).Revoke(t.Context(), "tok_9"); !paistrike.IsNotFound(err) {
		t.Errorf("revoking with a good bearer: %v, want not found", err)
	}
	bad := serve(t, handler(answer(401, "")))
	if _, err := bad.client(t).Get(t.Context(), "tok_9"); !paistrike.IsUnauthorized(err) {
		t.Errorf("with a bad bearer: %v, want unauthorized", err)
	}
	if err := bad.client(t).Revoke(t.Context(), "tok_9"); !paistrike.IsUnauthorized(err) {
		t.Errorf("revoking with a bad bearer: %v, want unauthorized", err)
	}
	down := serve(t, handler(answer(500, "")))
	if _, err := down.client(t).Get(t.Context(), "tok_9"); !paistrike.IsUnauthorized(err) {
		t.Errorf("with a bearer that cannot be checked: %v, want unauthorized", err)
	}
}
