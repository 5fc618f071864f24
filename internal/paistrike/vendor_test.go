package paistrike_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
)

// vendor is a server with a very different shape: paths with trailing slashes, other
// names, no GET by ID, revocation by POST.
type vendor struct {
	revoked map[string]bool
}

func (v *vendor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if v.revoked["7"] && r.Header.Get("Authorization") == "Bearer "+canary {
		answer(401, `{"detail":"Invalid token."}`)(w, r)
		return
	}
	token := func(id string) string {
		return fmt.Sprintf(`{"id":%s,"label":"ci","expiry":"2026-10-02","revoked":%v}`, id, v.revoked[id])
	}
	switch r.Method + " " + r.URL.Path {
	case "GET /v2/user/tokens/":
		fmt.Fprintf(w, `{"results":[%s,%s],"next":null}`, token("7"), token("8"))
	case "POST /v2/user/tokens/":
		fmt.Fprintf(w, `{"result":{"id":7,"label":"ci","expiry":"2026-10-02","key":%q}}`, canary)
	case "POST /v2/user/tokens/7/revoke/":
		if v.revoked["7"] {
			answer(400, `{"detail":"Token is revoked."}`)(w, r)
			return
		}
		v.revoked["7"] = true
		answer(200, `{"message":"ok"}`)(w, r)
	case "GET /v2/user/tokens/current/":
		fmt.Fprint(w, token("7"))
	default:
		answer(404, `{"detail":"Not found."}`)(w, r)
	}
}

func vendorRoutes(format string) func(*paistrike.Config) {
	return func(cfg *paistrike.Config) {
		cfg.Prefix = "/v2"
		cfg.Routes = paistrike.Routes{
			Collection: "/user/tokens/", Self: "/user/tokens/current/", RevokeMethod: "POST", RevokePath: "/user/tokens/{id}/revoke/",
			ListOnly: true, CreateBody: `{"label": "{name}", "expiry": "{expires}"}`, ExpiresFormat: format,
		}
	}
}

func TestAnotherServerByConfigurationAlone(t *testing.T) {
	t.Parallel()
	s := serve(t, &vendor{revoked: map[string]bool{}})
	c := s.client(t, vendorRoutes("date"))
	ctx := t.Context()

	minted, err := c.Create(ctx, "ci", instant("2026-10-01T06:00:00Z"))
	mustNot(t, err)
	if s.lastBody() != `{"expiry":"2026-10-02","label":"ci"}` {
		t.Errorf("sent %s", s.lastBody())
	}
	if minted.ID != "7" || minted.Secret.Reveal() != canary || !minted.ExpiresAt.Equal(instant("2026-10-02T00:00:00Z")) {
		t.Errorf("got %+v", minted)
	}
	token, err := c.Get(ctx, "8")
	mustNot(t, err)
	if token.ID != "8" || token.Name != "ci" || token.Status != paistrike.StatusActive {
		t.Errorf("got %+v", token)
	}
	if _, err := c.Get(ctx, "9"); !paistrike.IsNotFound(err) {
		t.Errorf("got %v, want not found", err)
	}
	self, err := c.As(minted.Secret).Self(ctx)
	if err != nil || self.ID != "7" {
		t.Errorf("self is %+v, %v", self, err)
	}
	mustNot(t, c.As(minted.Secret).RevokeSelf(ctx))                // by its ID, because DELETE is not supported
	mustNot(t, s.client(t, vendorRoutes("date")).Revoke(ctx, "7")) // refused with 400, and the list shows why
	if token, err = c.Get(ctx, "7"); err != nil || token.Status != paistrike.StatusRevoked {
		t.Errorf("got %+v, %v", token, err)
	}
	if err := c.Revoke(ctx, "9"); !paistrike.IsNotFound(err) {
		t.Errorf("got %v, want not found", err)
	}
	s.expectRequests(t,
		"POST /v2/user/tokens/", "GET /v2/user/tokens/", "GET /v2/user/tokens/", "GET /v2/user/tokens/current/",
		"GET /v2/user/tokens/current/", "POST /v2/user/tokens/7/revoke/", "GET /v2/user/tokens/current/",
		"POST /v2/user/tokens/7/revoke/", "GET /v2/user/tokens/", "GET /v2/user/tokens/",
		"POST /v2/user/tokens/9/revoke/", "GET /v2/user/tokens/")
}

// Coarse formats round up: the token lives at least as long as requested.
func TestExpiryFormats(t *testing.T) {
	t.Parallel()
	tests := []struct{ format, at, want string }{
		{"", "2026-10-01T00:00:00Z", `"2026-10-01T00:00:00Z"`},
		{"rfc3339", "2026-10-01T08:00:00+08:00", `"2026-10-01T00:00:00Z"`},
		{"rfc3339", "2026-10-01T00:00:00.1Z", `"2026-10-01T00:00:01Z"`},
		{"date", "2026-10-01T00:00:00Z", `"2026-10-01"`},
		{"date", "2026-10-01T00:00:01Z", `"2026-10-02"`},
		{"date", "2026-12-31T23:59:59Z", `"2027-01-01"`},
		{"date", "2026-10-01T00:00:00+08:00", `"2026-10-01"`},
		{"unix", "2026-10-01T00:00:00Z", `1790812800`},
		{"unix", "2026-10-01T00:00:00.5Z", `1790812801`},
		{"unix_ms", "2026-10-01T00:00:00.0005Z", `1790812800001`},
		{"ttl_seconds", "2026-07-01T13:00:00Z", `3600`}, // our clock: 12:00
		{"ttl_seconds", "2026-07-01T13:00:00.2Z", `3601`},
		{"ttl_seconds", "2026-07-01T12:00:00Z", ``}, // 0 may mean never
		{"ttl_seconds", "2026-07-01T11:00:00Z", ``},
	}
	for _, test := range tests {
		t.Run(test.format+" "+test.at, func(t *testing.T) {
			t.Parallel()
			s := serve(t, http.HandlerFunc(works))
			_, err := s.client(t, func(cfg *paistrike.Config) { cfg.Routes.ExpiresFormat = test.format }).
				Create(t.Context(), "ci", instant(test.at))
			if test.want == "" {
				if err == nil || len(s.made()) != 0 {
					t.Errorf("a lifetime of nothing was sent: %v, %v", s.made(), err)
				}
				return
			}
			mustNot(t, err)
			if want := `{"expires_at":` + test.want + `,"name":"ci"}`; s.lastBody() != want {
				t.Errorf("sent %s, want %s", s.lastBody(), want)
			}
		})
	}
}

// A lifetime is relative to the server's clock as soon as that is known.
func TestLifetimeByTheServersClock(t *testing.T) {
	t.Parallel()
	s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", "Wed, 01 Jul 2026 12:30:00 GMT")
		works(w, r)
	}))
	c := s.client(t, func(cfg *paistrike.Config) { cfg.Routes.ExpiresFormat = "ttl_seconds" })
	_, err := c.List(t.Context())
	mustNot(t, err)
	_, err = c.As(secret.New("another")).Create(t.Context(), "ci", instant("2026-07-01T13:00:00Z"))
	mustNot(t, err)
	if s.lastBody() != `{"expires_at":1800,"name":"ci"}` {
		t.Errorf("sent %s", s.lastBody())
	}
}

func TestWithoutSelfRoute(t *testing.T) {
	t.Parallel()
	s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawQuery != "limit=1" {
			t.Errorf("probed with %s", r.URL.RawQuery)
		}
		if r.Header.Get("Authorization") != "Bearer "+bearer {
			answer(401, "")(w, r)
			return
		}
		works(w, r)
	}))
	c := s.client(t, func(cfg *paistrike.Config) { cfg.Routes.Self = "-" })
	self, err := c.Self(t.Context())
	if err != nil || self.ID != "" {
		t.Errorf("got %+v, %v", self, err)
	}
	dead := c.As(secret.New("dead"))
	if _, err = dead.Self(t.Context()); !paistrike.IsUnauthorized(err) {
		t.Errorf("a dead token got %v", err)
	}
	if err := c.RevokeSelf(t.Context()); err == nil || !strings.Contains(err.Error(), "api_routes.self") {
		t.Errorf("revoking an unknown id: %v", err)
	}
	mustNot(t, dead.RevokeSelf(t.Context()))
	// A login page with status 200 does not prove that the token works.
	page := serve(t, answer(200, "<html><title>Sign in</title></html>"))
	if _, err := page.client(t, func(cfg *paistrike.Config) { cfg.Routes.Self = "-" }).Self(t.Context()); err == nil {
		t.Error("a page was taken for a list")
	}
	if _, err := page.client(t).Self(t.Context()); err == nil {
		t.Error("a page was taken for a token")
	}
}

// RevokeSelf never reports a working token as revoked, even if the server does not know
// the route.
func TestRevokeSelfAgainstOddServers(t *testing.T) {
	t.Parallel()
	self, list := `{"id":"tok_1"}`, `{"items":[]}`
	const collection, own, item = "/api/v1/api-tokens", "/api/v1/api-tokens/self", "/api/v1/api-tokens/tok_1"
	thenRefused := inTurn(answer(200, self), answer(401, ""))
	const page = "<html><title>Sign in</title></html>"
	type answers map[string]http.HandlerFunc
	tests := []struct {
		name    string
		answers answers // by method and path; 404 otherwise
		done    bool
	}{
		{"it works", answers{"DELETE " + own: answer(204, ""), "GET " + own: answer(401, "")}, true},
		{"done, it says, and alive", answers{"DELETE " + own: answer(204, ""), "GET " + own: answer(200, self)}, false},
		{"a page, and alive", answers{"DELETE " + own: answer(200, page), "GET " + own: answer(200, self)}, false},
		{"a page, and dead", answers{"DELETE " + own: answer(200, page), "GET " + own: answer(401, "{}")}, true},
		{"a page that refuses everybody", answers{"DELETE " + own: answer(401, page), "GET " + own: answer(401, page)}, false},
		{"gone, and dead", answers{"DELETE " + own: answer(410, ""), "GET " + own: answer(401, "")}, true},
		{"dead already", answers{"DELETE " + own: answer(401, "")}, true},
		{"gone, and nobody knows", answers{"DELETE " + own: answer(410, "")}, false},
		{"404 to everything", answers{}, false}, // a wrong address
		{"dead, by the list", answers{"GET " + collection: answer(401, "")}, true},
		{"no such route, and alive", answers{"GET " + collection: answer(200, list)}, false},
		{"no such route, and nobody knows", answers{"GET " + collection: answer(500, "")}, false},
		{"no DELETE, but an id", answers{
			"DELETE " + own: answer(405, ""), "GET " + own: thenRefused, "DELETE " + item: answer(204, ""),
		}, true},
		{"404 to DELETE, but an id", answers{"GET " + own: inTurn(answer(200, self), answer(401, "")), "DELETE " + item: answer(204, "")}, true},
		{"no DELETE, and dead", answers{"DELETE " + own: answer(405, ""), "GET " + own: answer(401, "")}, true},
		{"no DELETE, and down", answers{"DELETE " + own: answer(405, ""), "GET " + own: answer(503, "")}, false},
		{"not allowed", answers{"DELETE " + own: answer(403, "")}, false},
		{"down", answers{"DELETE " + own: answer(503, "")}, false},
		{"dead in between", answers{
			"DELETE " + own: answer(405, ""), "GET " + own: inTurn(answer(200, self), answer(401, "")), "DELETE " + item: answer(401, ""), "GET " + item: answer(401, ""),
		}, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				handler, ok := test.answers[r.Method+" "+r.URL.Path]
				if !ok {
					handler = http.NotFound
				}
				handler(w, r)
			}))
			if err := s.client(t).RevokeSelf(t.Context()); (err == nil) != test.done {
				t.Errorf("got %v, want done %v; requests %v, answers %v", err, test.done, s.made(), slices.Sorted(maps.Keys(test.answers)))
			}
		})
	}
}

// A revocation by POST is retried like one by DELETE: revoking twice is safe.
func TestRevokeByPostIsRepeated(t *testing.T) {
	t.Parallel()
	s := serve(t, inTurn(cut, answer(200, ""), answer(200, `[{"id":7,"revoked":true}]`)))
	mustNot(t, s.client(t, vendorRoutes("date")).Revoke(t.Context(), "7"))
	s.expectRequests(t, "POST /v2/user/tokens/7/revoke/", "POST /v2/user/tokens/7/revoke/", "GET /v2/user/tokens/")
	if body := s.lastBody(); body != "" {
		t.Errorf("sent %s", body)
	}
}
