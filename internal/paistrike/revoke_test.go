package paistrike_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
)

// byRoute responds by method and path below the collection, and with the API's 404 if
// there is no such response.
func byRoute(answers map[string]http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		handler, ok := answers[r.Method+" "+strings.TrimPrefix(r.URL.Path, "/api/v1/api-tokens")]
		if !ok {
			handler = answer(404, `{"code":"not_found"}`)
		}
		handler(w, r)
	}
}

// Whatever a server responds to a revocation, only the state that it shows afterwards
// counts.
func TestRevokedIsSeenToBeRevoked(t *testing.T) {
	t.Parallel()
	const (
		done, active, unknown, missing = "revoked", "still active", "not known", "not found"
		signIn                         = "<!doctype html><title>Sign in</title>"
		live, dead                     = `{"id":"tok_9","status":"active"}`, `{"id":"tok_9","status":"revoked"}`
	)
	own := answer(200, `{"id":"tok_1"}`)
	list := func(rows string) http.HandlerFunc { return answer(200, `{"items":[`+rows+`]}`) }
	type on = map[string]http.HandlerFunc
	tests := []struct {
		name    string
		answers on
		want    string
		calls   int
	}{
		{"done, and so it is", on{"DELETE /tok_9": answer(204, ""), "GET /tok_9": answer(200, dead)}, done, 2},
		{"the answer shows it", on{"DELETE /tok_9": answer(200, dead)}, done, 1},
		{"the answer shows another", on{"DELETE /tok_9": answer(200, `{"id":"tok_8","status":"revoked"}`), "GET /tok_9": answer(200, live)}, active, 2},
		{"a bare 204, and nothing done", on{"DELETE /tok_9": answer(204, ""), "GET /tok_9": answer(200, live)}, active, 2},
		{"a sign-in page, and nothing done", on{"DELETE /tok_9": answer(200, signIn), "GET /tok_9": answer(200, live)}, active, 2},
		{"a sign-in page for everything", on{"DELETE /tok_9": answer(200, signIn), "GET /tok_9": answer(200, signIn)}, unknown, 2},
		{"a page, but done", on{"DELETE /tok_9": answer(200, signIn), "GET /tok_9": answer(200, dead)}, done, 2},
		{"404 of an ingress", on{"DELETE /tok_9": answer(404, "<html>404</html>"), "GET /tok_9": answer(200, live)}, active, 2},
		{"404, and active", on{"DELETE /tok_9": answer(404, ""), "GET /tok_9": answer(200, live)}, active, 2},
		{"410, and active", on{"DELETE /tok_9": answer(410, "{}"), "GET /tok_9": answer(200, live)}, active, 2},
		{"conflict, and revoked", on{"DELETE /tok_9": answer(409, "{}"), "GET /tok_9": answer(200, dead)}, done, 2},
		{"unprocessable, and active", on{"DELETE /tok_9": answer(422, "{}"), "GET /tok_9": answer(200, live)}, active, 2},
		{"forbidden, and active", on{"DELETE /tok_9": answer(403, "{}"), "GET /tok_9": answer(200, live)}, active, 2},
		{"conflict, and reading is forbidden", on{"DELETE /tok_9": answer(409, "{}"), "GET /tok_9": answer(403, "{}")}, unknown, 2},
		{"no such method, and no state", on{"DELETE /tok_9": answer(405, "{}"), "GET /tok_9": answer(200, `{"id":"tok_9"}`)}, unknown, 2},
		{"done, and reading answers another", on{"DELETE /tok_9": answer(204, ""), "GET /tok_9": answer(200, `{"id":"tok_8","status":"revoked"}`)}, unknown, 2},
		{"a redirect", on{"DELETE /tok_9": answer(302, "", "Location", "/login")}, unknown, 1},

		{"done and dropped", on{"DELETE /tok_9": answer(204, ""), "GET ": list(`{"id":"tok_1"}`), "GET /self": own}, done, 4},
		{"done, dropped, in the list of nobody", on{"DELETE /tok_9": answer(204, ""), "GET ": list(``), "GET /self": own}, unknown, 4},
		{"done, dropped, in the list of strangers", on{"DELETE /tok_9": answer(204, ""), "GET ": list(`{"id":"tok_7"}`), "GET /self": own}, unknown, 4},
		{"done, and still listed", on{"DELETE /tok_9": answer(204, ""), "GET ": list(live)}, active, 3},
		{"done, and listed as revoked", on{"DELETE /tok_9": answer(204, ""), "GET ": list(dead)}, done, 3},
		{"done, and the list is cut", on{"DELETE /tok_9": answer(204, ""), "GET ": answer(200, `{"items":[{"id":"tok_1"}],"total":2}`)}, unknown, 5},
		{"done, and nobody can look", on{"DELETE /tok_9": answer(204, ""), "GET ": answer(403, "{}")}, unknown, 3},
		{"nobody knows it", on{"GET ": list(`{"id":"tok_1"}`), "GET /self": own}, missing, 4},
		{"an ingress knows nothing", on{"DELETE /tok_9": http.NotFound, "GET /tok_9": http.NotFound, "GET ": http.NotFound}, unknown, 3},
		{"own token by its last use", on{
			"DELETE /tok_9": answer(204, "", "Date", "Wed, 01 Jul 2026 12:00:00 GMT"),
			"GET ":          list(`{"id":"tok_3","last_used_at":"2026-07-01T12:00:00Z"},{"id":"tok_4","last_used_at":"2026-06-30T12:00:00Z"}`),
		}, done, 5},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, byRoute(test.answers))
			err := s.client(t).Revoke(t.Context(), "tok_9")
			unseen, typed := errors.AsType[*paistrike.NotRevokedError](err)
			got := "another error"
			switch {
			case err == nil:
				got = done
			case paistrike.IsNotFound(err) && !typed:
				got = missing
			case typed && unseen.Seen == paistrike.StatusActive && unseen.ID == "tok_9":
				got = active
			case typed && unseen.Seen == "" && unseen.ID == "tok_9":
				got = unknown
			}
			if got != test.want || typed && paistrike.IsNotFound(err) || len(s.made()) != test.calls {
				t.Errorf("%s (%v) after %v, want %s after %d", got, err, s.made(), test.want, test.calls)
			}
		})
	}
}

// A list is the account's if it contains a token that was known before. A known token that
// is missing from such a list is gone.
func TestATokenThatWasKnownAndIsGone(t *testing.T) {
	t.Parallel()
	s := serve(t, byRoute(map[string]http.HandlerFunc{
		"GET ": inTurn(answer(200, `[{"id":"tok_9"},{"id":"tok_1"}]`), answer(200, `[{"id":"tok_1"}]`)),
	}))
	c := s.client(t)
	_, err := c.List(t.Context())
	mustNot(t, err)
	mustNot(t, c.Revoke(t.Context(), "tok_9"))
	s.expectRequests(t, "GET /api/v1/api-tokens", "DELETE /api/v1/api-tokens/tok_9", "GET /api/v1/api-tokens/tok_9", "GET /api/v1/api-tokens")
}

func TestOwnToken(t *testing.T) {
	t.Parallel()
	const date = "Wed, 01 Jul 2026 12:00:00 GMT"
	row := func(id, used string) string { return `{"id":"` + id + `","last_used_at":` + used + `}` }
	const before, since = `"2026-07-01T11:59:58Z"`, `"2026-07-01T12:00:00Z"`
	tests := []struct {
		name  string
		self  http.HandlerFunc
		rows  string
		known bool
		id    string
		may   []string
	}{
		{"by the route", answer(200, `{"id":"tok_1"}`, "Date", date), "", true, "tok_1", []string{"tok_1"}},
		{"by its last use", nil, row("tok_1", before) + "," + row("tok_2", since) + "," + row("tok_3", "null"), true, "tok_2", []string{"tok_2"}},
		{"one of two", nil, row("tok_1", since) + "," + row("tok_2", since) + "," + row("tok_3", before), true, "", []string{"tok_1", "tok_2"}},
		{"nothing is told", nil, `{"id":"tok_1"},{"id":"tok_2"}`, false, "", nil},
		{"none was used", nil, row("tok_1", before), false, "", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			self := test.self
			if self == nil {
				self = answer(404, "{}", "Date", date)
			}
			s := serve(t, byRoute(map[string]http.HandlerFunc{"GET /self": self, "GET ": answer(200, `[`+test.rows+`]`, "Date", date)}))
			c := s.client(t)
			own, err := c.Own(t.Context())
			mustNot(t, err)
			if own.Known != test.known || own.ID() != test.id {
				t.Errorf("known %v, id %q", own.Known, own.ID())
			}
			for _, id := range []string{"tok_1", "tok_2", "tok_3"} {
				if may := strings.Contains(strings.Join(test.may, " "), id); own.May(id) != may {
					t.Errorf("May(%s) is %v", id, own.May(id))
				}
			}
			calls := len(s.made())
			if _, err := c.Own(t.Context()); err != nil || len(s.made()) != calls {
				t.Errorf("asked again: %v, %v", s.made(), err)
			}
			if _, err := c.As(secret.New("another")).Own(t.Context()); err != nil || len(s.made()) != 2*calls {
				t.Errorf("another token is not asked for: %v, %v", s.made(), err)
			}
		})
	}
	refused := serve(t, answer(401, ""))
	c := refused.client(t)
	for range 2 { // an error is not cached
		if _, err := c.Own(t.Context()); !paistrike.IsUnauthorized(err) {
			t.Errorf("got %v", err)
		}
	}
	refused.expectRequests(t, "GET /api/v1/api-tokens/self", "GET /api/v1/api-tokens/self")
}
