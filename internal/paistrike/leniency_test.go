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

// Every plausible response to a create. If the client failed to decode one, a live token
// would be lost.
func TestCreateAnswers(t *testing.T) {
	t.Parallel()
	const (
		asked = "2026-10-01T00:00:00Z"
		id    = "tok_2"
	)
	tests := []struct {
		name   string
		status int // 0 means 201
		body   string
		want   paistrike.Token // only the fields set here are compared; see below
	}{
		{name: "the contract", body: `{"id":"tok_2","name":"ci","created_at":"2026-07-01T12:00:00Z","last_used_at":null,"expires_at":"2026-10-01T00:00:00Z","status":"active","token":"SECRET"}`},
		{name: "numeric id", body: `{"id":9007199254740993,"name":"ci","expires_at":"2026-10-01T00:00:00Z","token":"SECRET"}`, want: paistrike.Token{ID: "9007199254740993"}},
		{name: "date-only expiry", body: `{"id":"tok_2","name":"ci","expires_at":"2026-10-01","token":"SECRET"}`},
		{name: "expiry rounded by the server", body: `{"id":"tok_2","name":"ci","expires_at":"2026-10-02","token":"SECRET"}`, want: paistrike.Token{ExpiresAt: instant("2026-10-02T00:00:00Z")}},
		{name: "200 instead of 201", status: 200, body: `{"id":"tok_2","name":"ci","expires_at":"2026-10-01T00:00:00Z","token":"SECRET"}`},
		{name: "202", status: 202, body: `{"id":"tok_2","name":"ci","expires_at":"2026-10-01T00:00:00Z","token":"SECRET"}`},
		{name: "data envelope", body: `{"data":{"id":"tok_2","name":"ci","expires_at":"2026-10-01T00:00:00Z","token":"SECRET"}}`},
		{name: "result envelope in a protocol with ids", body: `{"jsonrpc":"2.0","id":7,"result":{"id":"tok_2","name":"ci","expires_at":"2026-10-01T00:00:00Z","token":"SECRET"}}`},
		{name: "list of one", body: `[{"id":"tok_2","name":"ci","expires_at":"2026-10-01T00:00:00Z","token":"SECRET"}]`},
		{name: "key instead of token", body: `{"id":"tok_2","name":"ci","expires_at":"2026-10-01T00:00:00Z","key":"SECRET"}`},
		{name: "camelCase", body: `{"id":"tok_2","name":"ci","createdAt":"2026-07-01T12:00:00Z","expiresAt":"2026-10-01T00:00:00Z","plainTextToken":"SECRET"}`},
		{name: "PascalCase", body: `{"Id":"tok_2","Name":"ci","ExpiresAt":"2026-10-01T00:00:00Z","AccessToken":"SECRET"}`},
		{name: "kebab-case in JSON:API", body: `{"data":{"id":"tok_2","type":"tokens","attributes":{"name":"ci","expired-at":"2026-10-01T00:00:00Z","token":"SECRET"}}}`},
		{name: "Active", body: `{"id":"tok_2","name":"ci","expires_at":"2026-10-01T00:00:00Z","status":"Active","token":"SECRET"}`},
		{name: "absent last_used_at", body: `{"id":"tok_2","name":"ci","created_at":"2026-07-01T12:00:00Z","expires_at":"2026-10-01T00:00:00Z","status":"active","token":"SECRET"}`},
		{name: "extra fields", body: `{"id":"tok_2","name":"ci","expires_at":"2026-10-01T00:00:00Z","token":"SECRET","scopes":["a"],"owner":{"id":1,"name":"me"}}`},
		{name: "bearer beside a token object", body: `{"token":{"id":"tok_2","name":"ci","expiresAt":1790812800000},"bearerToken":"SECRET"}`},
		{name: "plain text beside an access token object", body: `{"accessToken":{"id":"tok_2","name":"ci","expires_at":"2026-10-01T00:00:00Z"},"plainTextToken":"SECRET"}`},
		{name: "secret in an object", body: `{"id":"tok_2","name":"ci","expires_at":"2026-10-01T00:00:00Z","token":{"value":"SECRET"}}`},
		{name: "api_token envelope", body: `{"api_token":{"id":"tok_2","name":"ci","expires_at":"2026-10-01T00:00:00Z","value":"SECRET"}}`},
		{name: "envelopes in envelopes", body: `{"result":{"data":{"id":"tok_2","name":"ci","expires_at":"2026-10-01T00:00:00Z","secret":"SECRET"}}}`},
		{name: "label and expiry", body: `{"id":"tok_2","label":"ci","expiry":"2026-10-01T00:00:00","token":"SECRET"}`},
		{name: "byte order mark", body: "\ufeff" + `{"id":"tok_2","name":"ci","expires_at":"2026-10-01T00:00:00Z","token":"SECRET"}`},
		{name: "line break around the secret", body: `{"id":"tok_2","name":"ci","expires_at":"2026-10-01T00:00:00Z","token":"SECRET\n"}`},
		{name: "null before the right name", body: `{"id":"tok_2","name":"ci","expires_at":"2026-10-01T00:00:00Z","token":null,"value":"","api_key":"SECRET"}`},
		{name: "nothing but id, name and secret", body: `{"id":"tok_2","name":"ci","key":"SECRET"}`, want: paistrike.Token{Warnings: []string{"expires_at"}}},
		{name: "unreadable expiry", body: `{"id":"tok_2","name":"ci","expires_at":"soon","token":"SECRET"}`, want: paistrike.Token{Warnings: []string{"expires_at"}}},
		{name: "unreadable times and status", body: `{"id":"tok_2","name":"ci","created_at":true,"last_used_at":{},"expires_at":"2026-10-01T00:00:00Z","status":"odd","token":"SECRET"}`, want: paistrike.Token{Warnings: []string{"created_at", "last_used_at", "status"}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			status := test.status
			if status == 0 {
				status = http.StatusCreated
			}
			s := serve(t, answer(status, strings.ReplaceAll(test.body, "SECRET", canary)))
			minted, err := s.client(t).Create(t.Context(), "ci", instant(asked))
			mustNot(t, err)
			if minted.Secret.Reveal() != canary {
				t.Error("the secret is lost")
			}
			want := paistrike.Token{
				ID: id, Name: "ci", Status: paistrike.StatusActive, ExpiresAt: instant(asked), Warnings: test.want.Warnings,
				CreatedAt: minted.CreatedAt, Untold: minted.Untold,
			}
			if test.want.ID != "" {
				want.ID = test.want.ID
			}
			if !test.want.ExpiresAt.IsZero() {
				want.ExpiresAt = test.want.ExpiresAt
			}
			if diff := cmp.Diff(want, minted.Token); diff != "" {
				t.Errorf("token (-want +got):\n%s", diff)
			}
		})
	}
}

// "Never" in the response takes precedence over the requested expiry.
func TestNeverIsBelieved(t *testing.T) {
	t.Parallel()
	for _, never := range []string{`null`, `""`, `0`, `"Never"`} {
		s := serve(t, answer(201, `{"id":"tok_2","name":"ci","token":"`+canary+`","expires_at":`+never+`}`))
		minted, err := s.client(t).Create(t.Context(), "ci", instant("2026-10-01T00:00:00Z"))
		mustNot(t, err)
		if !minted.ExpiresAt.IsZero() || minted.Untold.Has(paistrike.Expiry) || len(minted.Warnings) != 0 {
			t.Errorf("expires_at %s is read as %v with warnings %v", never, minted.ExpiresAt, minted.Warnings)
		}
	}
}

// A successful response that cannot be used may have created a token, so the outcome is
// unknown. The error names what is missing and contains nothing of the body.
func TestCreateAnswersThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, body, id, want string }{
		{"no id", `{"name":"ci","token":"SECRET"}`, "", "contains no token id"},
		{"no secret", `{"id":"tok_2","name":"ci","password":"SECRET"}`, "tok_2", "no secret"},
		{"neither", `{"name":"ci","password":"SECRET"}`, "", "contains no token id, and the response contains no secret"},
		{"secret that no header can carry", `{"id":"tok_2","token":"SECRET\nSECRET"}`, "tok_2", "no secret"},
		{"our own token", `{"id":"tok_2","token":"` + bearer + `"}`, "tok_2", "instead of a new one"},
		{"a page", `<html><title>SECRET</title></html>`, "", "not JSON"},
		{"nothing", ``, "", "not JSON"},
		{"half of it", `{"id":"tok_2","token":"SECRET`, "", "not JSON"},
		{"a text", `"SECRET"`, "", "no object"},
		{"two tokens", `[{"id":"tok_2","token":"SECRET"},{"id":"tok_3","token":"SECRET"}]`, "", "no object"},
		{"too much", `{"id":"tok_2","token":"SECRET","x":"` + strings.Repeat("x", 4<<20) + `"}`, "", "cut off"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, answer(201, strings.ReplaceAll(test.body, "SECRET", canary)))
			minted, err := s.client(t).Create(t.Context(), "ci-nonce", instant("2026-10-01T00:00:00Z"))
			var unknown *paistrike.UnknownOutcomeError
			if !errors.As(err, &unknown) {
				t.Fatalf("got %v, want an unknown outcome", err)
			}
			if unknown.Name != "ci-nonce" || unknown.ID != test.id || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %+v, want id %q and %q", unknown, test.id, test.want)
			}
			var unusable *paistrike.AnswerError
			if !errors.As(err, &unusable) || unusable.Status != 201 {
				t.Errorf("%v does not tell that there was a success", err)
			}
			if !minted.Secret.IsZero() {
				t.Error("a secret comes with an error")
			}
			expectNoCanary(t, "the error", err.Error()+fmt.Sprintf("%+v %#v", err, unusable))
			s.expectRequests(t, "POST /api/v1/api-tokens")
		})
	}
}

func TestListShapes(t *testing.T) {
	t.Parallel()
	rows := `[{"id":"tok_2","name":"b"},{"id":"tok_1","name":"a","token":"` + canary + `"}]`
	for _, shape := range []string{
		rows, `{"items":` + rows + `,"next_cursor":null}`, `{"data":` + rows + `}`, `{"results":` + rows + `,"count":2,"next":null}`,
		`{"result":` + rows + `,"success":true}`, `{"tokens":` + rows + `}`, `{"apiTokens":` + rows + `}`,
		`{"data":{"items":` + rows + `,"nextCursor":""}}`, `{"Items":` + rows + `}`, `{"result":{"tokens":` + rows + `}}`,
		`{"data":[{"id":"tok_2","attributes":{"name":"b"}},{"id":"tok_1","attributes":{"name":"a"}}],"links":{"next":null}}`,
		`[{"token":{"id":"tok_2","name":"b"}},{"token":{"id":"tok_1","name":"a"}}]`,
	} {
		s := serve(t, answer(200, shape))
		tokens, err := s.client(t).List(t.Context())
		if err != nil {
			t.Errorf("%s: %v", shape, err)
			continue
		}
		const nothing = paistrike.LastUsed | paistrike.Expiry | paistrike.State
		want := []paistrike.Token{{ID: "tok_2", Name: "b", Status: "active", Untold: nothing}, {ID: "tok_1", Name: "a", Status: "active", Untold: nothing}}
		if diff := cmp.Diff(want, tokens); diff != "" {
			t.Errorf("%s (-want +got):\n%s", shape, diff)
		}
		expectNoCanary(t, "the list", fmt.Sprintf("%+v", tokens))
	}
	for _, empty := range []string{`[]`, `{"items":[]}`, `{"items":null}`, `{"data":{"tokens":null}}`} {
		tokens, err := serve(t, answer(200, empty)).client(t).List(t.Context())
		if err != nil || len(tokens) != 0 {
			t.Errorf("%s gave %v, %v", empty, tokens, err)
		}
	}
	for _, bad := range []string{``, `null`, `{}`, `"x"`, `{"items":"x"}`, `{"items":[1]}`, `{"items":[{"name":"no id"}]}`, `{"items":[{"id":"tok_`, `<html>`} {
		_, err := serve(t, answer(200, bad)).client(t).List(t.Context())
		var unusable *paistrike.AnswerError
		if !errors.As(err, &unusable) {
			t.Errorf("%s gave %v, want an answer that cannot be used", bad, err)
		}
	}
}

func TestTimes(t *testing.T) {
	t.Parallel()
	at := instant("2026-10-01T00:00:00Z")
	tests := []struct {
		name, in string
		want     time.Time
		warned   bool
	}{
		{name: "UTC", in: `"2026-10-01T00:00:00Z"`, want: at},
		{name: "offset", in: `"2026-10-01T08:00:00+08:00"`, want: at},
		{name: "offset without colon", in: `"2026-10-01T08:00:00+0800"`, want: at},
		{name: "fraction", in: `"2026-10-01T00:00:00.250Z"`, want: at.Add(250 * time.Millisecond)},
		{name: "zoneless", in: `"2026-10-01T00:00:00"`, want: at},
		{name: "zoneless with fraction", in: `"2026-10-01T00:00:00.000000"`, want: at},
		{name: "zoneless to the minute", in: `"2026-10-01T00:00"`, want: at},
		{name: "space", in: `"2026-10-01 00:00:00"`, want: at},
		{name: "space and offset", in: `"2026-10-01 00:00:00+00:00"`, want: at},
		{name: "space and UTC", in: `"2026-10-01 00:00:00 UTC"`, want: at},
		{name: "date", in: `"2026-10-01"`, want: at},
		{name: "seconds", in: `1790812800`, want: at},
		{name: "seconds in a text", in: `"1790812800"`, want: at},
		{name: "milliseconds", in: `1790812800000`, want: at},
		{name: "float", in: `1790812800.0`, want: at},
		{name: "exponent", in: `1.7908128e9`, want: at},
		{name: "null", in: `null`},
		{name: "empty", in: `""`},
		{name: "zero", in: `0`},
		{name: "Never", in: `"Never"`},
		{name: "never", in: `" never "`},
		{name: "Go's zero time", in: `"0001-01-01T00:00:00Z"`},
		{name: "words", in: `"next week"`, warned: true},
		{name: "impossible date", in: `"2026-02-30"`, warned: true},
		{name: "unknown zone", in: `"2026-10-01 00:00:00 XYZ"`, warned: true},
		{name: "negative", in: `-1`, warned: true},
		{name: "absurd", in: `1e300`, warned: true},
		{name: "NaN", in: `"NaN"`, warned: true},
		{name: "true", in: `true`, warned: true},
		{name: "object", in: `{"seconds":1790812800}`, warned: true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, answer(200, `{"id":"1","name":"a","created_at":`+test.in+`,"last_used_at":`+test.in+`,"expires_at":`+test.in+`}`))
			token, err := s.client(t).Get(t.Context(), "1")
			mustNot(t, err)
			if told := !token.Untold.Has(paistrike.LastUsed) && !token.Untold.Has(paistrike.Expiry); told == test.warned {
				t.Errorf("untold is %v", token.Untold)
			}
			for _, got := range []time.Time{token.CreatedAt, token.LastUsedAt, token.ExpiresAt} {
				if !got.Equal(test.want) || got.Location() != time.UTC {
					t.Errorf("got %v, want %v in UTC", got, test.want)
				}
			}
			want := []string(nil)
			if test.warned {
				want = []string{"created_at", "last_used_at", "expires_at"}
			}
			if diff := cmp.Diff(want, token.Warnings); diff != "" {
				t.Errorf("warnings (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNamesOfTimes(t *testing.T) {
	t.Parallel()
	at := instant("2026-10-01T00:00:00Z")
	for _, name := range []string{
		"expires_at", "expires", "expiry", "expires_on", "expiration", "expiration_date", "expired_at", "valid_to",
		"expiresAt", "expirationDate", "validTo", "expired-at", "ExpiresAt", "Expires At",
	} {
		token, err := serve(t, answer(200, `{"id":"1","`+name+`":"2026-10-01"}`)).client(t).Get(t.Context(), "1")
		if err != nil || !token.ExpiresAt.Equal(at) {
			t.Errorf("%s is read as %v, %v", name, token.ExpiresAt, err)
		}
	}
	token, err := serve(t, answer(200, `{"id":"1","created":"2026-10-01","lastUsed":"2026-10-01","expires_at":null,"expires":"2026-10-01"}`)).
		client(t).Get(t.Context(), "1")
	if err != nil || !token.CreatedAt.Equal(at) || !token.LastUsedAt.Equal(at) || !token.ExpiresAt.Equal(at) {
		t.Errorf("got %+v, %v", token, err)
	}
}

func TestStatusWords(t *testing.T) {
	t.Parallel()
	tests := []struct {
		in             string
		want           paistrike.Status
		warned, untold bool
	}{
		{in: `"status":"active"`, want: "active"},
		{in: `"status":"Active"`, want: "active"},
		{in: `"status":"expired"`, want: "active"}, // its expiry shows that
		{in: `"status":"VALID"`, want: "active"},
		{in: `"state":"enabled"`, want: "active"},
		{in: `"status":"revoked"`, want: "revoked"},
		{in: `"status":"Revoked"`, want: "revoked"},
		{in: `"status":"disabled"`, want: "revoked"},
		{in: `"status":"inactive"`, want: "revoked"},
		{in: `"status":"deleted"`, want: "revoked"},
		{in: `"status":"invalid"`, want: "revoked"},
		{in: `"revoked":true`, want: "revoked"},
		{in: `"revoked":true,"status":"active"`, want: "revoked"},
		{in: `"revoked":false,"active":true`, want: "active"},
		{in: `"revoked":false,"active":false`, want: "active"}, // expired, and reported as not revoked
		{in: `"isRevoked":true`, want: "revoked"},
		{in: `"revoked_at":"2026-01-01T00:00:00Z"`, want: "revoked"},
		{in: `"revoked_at":null`, want: "active"},
		{in: `"revoked_at":"sometime"`, want: "active", warned: true},
		{in: `"enabled":false`, want: "revoked"},
		{in: `"active":true`, want: "active"},
		{in: `"x":1`, want: "active", untold: true},
		{in: `"status":null`, want: "active", untold: true},
		{in: `"status":"pending"`, want: "active", warned: true},
		{in: `"status":{}`, want: "active", warned: true},
		{in: `"status":true`, want: "active", warned: true},
	}
	for _, test := range tests {
		t.Run(test.in, func(t *testing.T) {
			t.Parallel()
			token, err := serve(t, answer(200, `{"id":"1","name":"a",`+test.in+`}`)).client(t).Get(t.Context(), "1")
			mustNot(t, err)
			if token.Status != test.want || (len(token.Warnings) > 0) != test.warned || token.Untold.Has(paistrike.State) != (test.warned || test.untold) {
				t.Errorf("got %q, untold %v, with warnings %v, want %q, warned %v", token.Status, token.Untold, token.Warnings, test.want, test.warned)
			}
		})
	}
}
