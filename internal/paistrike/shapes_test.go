package paistrike_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
)

// setting is what a user writes for an API of another shape, as the action gets it.
type setting struct {
	prefix, auth, routes string
	// untold are the facts that the service does not tell.
	untold paistrike.Facts
	days   bool // the service keeps days
}

// settings are by the name of the sandbox's shape; the shapes name the services and
// their public references.
func settings() map[string]setting {
	const untoldState = paistrike.State
	return map[string]setting{
		"gitlab": {prefix: "/api/v4", auth: `{"header": "PRIVATE-TOKEN"}`, days: true, routes: `{
			"collection": "/personal_access_tokens", "create_path": "/user/personal_access_tokens", "item": "/personal_access_tokens/{id}",
			"self": "/personal_access_tokens/self", "create_body": "{\"name\": \"{name}\", \"scopes\": [\"api\"], \"expires_at\": \"{expires}\"}",
			"expires_format": "date", "list": {"page": "page", "size": "per_page"}}`},
		"sonarqube": {prefix: "/api/user_tokens", untold: untoldState, days: true, routes: `{
			"collection": "/search", "create_path": "/generate", "item": "/{id}", "self": "-", "list_only": true, "revoke_method": "POST", "revoke_path": "/revoke?name={id}",
			"content_type": "form", "create_body": "{\"name\": \"{name}\", \"expirationDate\": \"{expires}\"}", "expires_format": "date",
			"list": {"items": "userTokens", "page": "-", "size": "-", "drops_revoked": true}, "answer": {"id": "name", "status": "-"}}`},
		"vercel": {prefix: "/", untold: untoldState, routes: `{
			"collection": "/v6/user/tokens", "create_path": "/v3/user/tokens", "item": "/v5/user/tokens/{id}", "self": "/v5/user/tokens/current",
			"revoke_path": "/v3/user/tokens/{id}", "create_body": "{\"name\": \"{name}\", \"expiresAt\": \"{expires}\"}", "expires_format": "unix_ms",
			"list": {"page": "until", "next": "pagination.next", "drops_revoked": true}, "answer": {"secret": "bearerToken", "last_used_at": "activeAt"}, "unauthorized_status": 403}`},
		"cloudflare": {prefix: "/client/v4", routes: `{
			"collection": "/user/tokens", "item": "/user/tokens/{id}", "self": "/user/tokens/verify",
			"create_body": "{\"name\": \"{name}\", \"policies\": [{\"effect\": \"allow\"}], \"expires_on\": \"{expires}\"}",
			"list": {"page_size": 50, "size": "per_page", "drops_revoked": true}, "answer": {"created_at": "issued_on"}}`},
		"snyk": {prefix: "/rest/orgs/42", auth: `{"scheme": "token"}`, untold: paistrike.LastUsed | paistrike.Expiry | untoldState, routes: `{
			"collection": "/service_accounts?version=2024-10-15", "item": "/service_accounts/{id}?version=2024-10-15", "self": "-", "content_type": "json_api", "expires_format": "none",
			"create_body": "{\"data\": {\"type\": \"service_account\", \"attributes\": {\"name\": \"{name}\", \"auth_type\": \"api_key\"}}}",
			"list": {"page_size": 10, "page": "starting_after", "next": "links.next_value", "drops_revoked": true}}`},
		"jfrog": {prefix: "/access/api/v1", untold: paistrike.LastUsed | untoldState, routes: `{
			"collection": "/tokens", "item": "/tokens/{id}", "self": "-", "content_type": "form", "expires_format": "ttl_seconds",
			"create_body": "{\"description\": \"{name}\", \"scope\": \"applied-permissions/user\", \"expires_in\": \"{expires}\"}",
			"list": {"page": "-", "drops_revoked": true}, "answer": {"name": "description"}}`},
		"grafana": {prefix: "/api/serviceaccounts/2", routes: `{
			"collection": "/tokens", "item": "/tokens/{id}", "self": "-", "list_only": true, "expires_format": "ttl_seconds",
			"create_body": "{\"name\": \"{name}\", \"secondsToLive\": \"{expires}\"}", "list": {"page": "-", "drops_revoked": true}}`},
		"hcp_terraform": {prefix: "/api/v2", untold: untoldState, routes: `{
			"collection": "/users/user-1/authentication-tokens", "item": "/authentication-tokens/{id}", "self": "-", "content_type": "json_api",
			"create_body": "{\"data\": {\"type\": \"authentication-tokens\", \"attributes\": {\"description\": \"{name}\", \"expired-at\": \"{expires}\"}}}",
			"list": {"page": "page[number]", "size": "page[size]", "drops_revoked": true}, "answer": {"name": "attributes.description", "secret": "attributes.token"}}`},
		"launchdarkly": {prefix: "/api/v2", auth: `{"scheme": "-"}`, untold: paistrike.Expiry | untoldState, routes: `{
			"collection": "/tokens", "item": "/tokens/{id}", "self": "-", "expires_format": "none", "create_body": "{\"name\": \"{name}\", \"role\": \"reader\"}",
			"list": {"page_size": 50, "drops_revoked": true}, "answer": {"id": "_id", "last_used_at": "lastUsed"}}`},
	}
}

// shapedAccount is a service of another shape, with its management token.
type shapedAccount struct {
	*sandbox.Server
	url     string
	setting setting
	client  *paistrike.Client
	owner   string // the management token's id
}

func shapedServer(t *testing.T, name string) *shapedAccount {
	t.Helper()
	shapes, err := sandbox.Shapes()
	mustNot(t, err)
	start := instant("2026-07-01T12:00:00Z")
	server, err := sandbox.New(sandbox.Options{Shape: shapes[name], Prefix: shapes[name].Prefix, Start: start})
	mustNot(t, err)
	web := httptest.NewServer(server)
	t.Cleanup(web.Close)
	a := &shapedAccount{Server: server, url: web.URL, setting: settings()[name]}
	id, token := server.Mint("management", time.Time{})
	a.owner, a.client = id, a.as(t, token)
	return a
}

func (a *shapedAccount) as(t *testing.T, token string) *paistrike.Client {
	t.Helper()
	routes, err := paistrike.ParseRoutes(a.setting.routes)
	mustNot(t, err)
	auth, err := paistrike.ParseAuth(a.setting.auth)
	mustNot(t, err)
	client, err := paistrike.New(paistrike.Config{
		Endpoint: a.url, Prefix: a.setting.prefix, Auth: auth, Routes: routes, Token: secret.New(token),
		Sleep: noPause, Now: func() time.Time { return instant("2026-07-01T12:00:00Z") },
	})
	mustNot(t, err)
	return client
}

// live returns the ids of the tokens that work and bear the name.
func (a *shapedAccount) live(name string) (ids []string) {
	for _, token := range a.Tokens() {
		if token.Name == name && token.Status == "active" {
			ids = append(ids, token.ID)
		}
	}
	return ids
}

// everyShape runs a story against every shape that comes with the sandbox.
func everyShape(t *testing.T, story func(t *testing.T, a *shapedAccount)) {
	t.Helper()
	shapes, err := sandbox.Shapes()
	mustNot(t, err)
	if len(shapes) < 8 || len(shapes) != len(settings()) {
		t.Fatalf("there are %d shapes and %d settings", len(shapes), len(settings()))
	}
	for name := range shapes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			story(t, shapedServer(t, name))
		})
	}
}

// The main job: create, verify, find by name and by id, read what the service
// tells, revoke, and see that it is refused.
func TestTheMainJobInEveryShape(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *testing.T, a *shapedAccount) {
		ctx := t.Context()
		end := instant("2026-08-01T00:00:00Z")
		const name = `CI "nightly" & more`
		minted, err := paistrike.MintOnce(ctx, a.client, name, end)
		mustNot(t, err)
		if len(a.live(name)) != 1 {
			t.Fatalf("the server has %+v", a.Tokens())
		}
		own := a.client.As(minted.Secret)
		_, err = own.Self(ctx)
		mustNot(t, err)

		read, err := a.client.Get(ctx, minted.ID)
		mustNot(t, err)
		tokens, err := a.client.List(ctx)
		mustNot(t, err)
		for _, token := range append(tokens, read) {
			if token.ID != minted.ID {
				continue
			}
			if token.Name != name || token.Untold != a.setting.untold || !token.Usable(instant("2026-07-01T12:00:00Z")) {
				t.Errorf("got %+v, want %q and untold %v", token, name, a.setting.untold)
			}
			if !token.Untold.Has(paistrike.Expiry) && !token.ExpiresAt.Equal(end) {
				t.Errorf("expires at %v", token.ExpiresAt)
			}
			if used := instant("2026-07-01T12:00:00Z"); !token.Untold.Has(paistrike.LastUsed) && token.LastUsedAt.Before(used.Truncate(24*time.Hour)) {
				t.Errorf("last used at %v", token.LastUsedAt)
			}
		}
		if len(tokens) != 2 {
			t.Errorf("the list is %+v", tokens)
		}

		mustNot(t, a.client.Revoke(ctx, minted.ID))
		if len(a.live(name)) != 0 {
			t.Errorf("the server still has %+v", a.Tokens())
		}
		if _, err := own.Self(ctx); !paistrike.IsUnauthorized(err) || paistrike.IsForbidden(err) {
			t.Errorf("the revoked token got %v", err)
		}
	})
}

// Far more tokens than one page holds, and the one that matters anywhere among them.
func TestLongListsInEveryShape(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *testing.T, a *shapedAccount) {
		for i := range 133 {
			a.Mint(fmt.Sprintf("token %d", i), time.Time{})
		}
		tokens, err := a.client.List(t.Context())
		mustNot(t, err)
		names := map[string]bool{}
		for _, token := range tokens {
			names[token.Name] = true
		}
		if len(tokens) != 134 || len(names) != 134 {
			t.Errorf("got %d tokens with %d names of 134", len(tokens), len(names))
		}
	})
}

// A create whose answer is lost, late or unreadable leaves no live token behind.
func TestLostCreatesInEveryShape(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *testing.T, a *shapedAccount) {
		for i := range 60 { // on some page
			a.Mint(fmt.Sprintf("other %d", i), time.Time{})
		}
		for i, fault := range []sandbox.Fault{
			{Method: "POST", Lose: sandbox.LoseResponse}, {Method: "POST", After: true, Status: 502},
			{Method: "POST", Body: "<html>Sign in</html>"}, {Method: "POST", Truncate: true}, {Method: "POST", Lose: sandbox.LoseRequest},
		} {
			name := fmt.Sprintf("ci-%d", i)
			a.AddFaults(fault)
			_, err := paistrike.MintOnce(t.Context(), a.client, name, instant("2026-08-01T00:00:00Z"))
			lost, ok := errors.AsType[*paistrike.LostError](err)
			if !ok || len(a.live(name)) != 0 || lost.Revoked == lost.MayExist || lost.MayExist != (fault.Lose == sandbox.LoseRequest) {
				t.Errorf("%+v: %v (%+v), live %v", fault, err, lost, a.live(name))
			}
		}
	})
}

// A revocation that a server takes and does not carry out is never called done.
func TestLiesAboutRevocationInEveryShape(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *testing.T, a *shapedAccount) {
		minted, err := paistrike.MintOnce(t.Context(), a.client, "ci", instant("2026-08-01T00:00:00Z"))
		mustNot(t, err)
		method := "DELETE"
		if strings.Contains(a.setting.routes, `"revoke_method": "POST"`) {
			method = "POST"
		}
		for _, fault := range []sandbox.Fault{
			{Method: method, Status: 200, Body: "<html>Sign in</html>"}, {Method: method, Status: 204}, {Method: method, Status: 404, Body: "<html>no</html>"},
			{Method: method, Status: 404, Body: "{}"}, {Method: method, Status: 410, Body: "{}"},
		} {
			a.AddFaults(fault)
			err := a.client.Revoke(t.Context(), minted.ID)
			if unseen, ok := errors.AsType[*paistrike.NotRevokedError](err); !ok || paistrike.IsNotFound(err) || !slices.Contains([]paistrike.Status{"", "active"}, unseen.Seen) {
				t.Errorf("%d %q: %v", fault.Status, fault.Body, err)
			}
			if len(a.live("ci")) != 1 {
				t.Fatal("the token is gone")
			}
		}
		mustNot(t, a.client.Revoke(t.Context(), minted.ID))
		if err := a.as(t, "dead").Revoke(t.Context(), minted.ID); !paistrike.IsUnauthorized(err) {
			t.Errorf("with a dead token: %v", err)
		}
	})
}

// A token ends itself, or it is said that it did not.
func TestEndingOneselfInEveryShape(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *testing.T, a *shapedAccount) {
		_, token := a.Mint("job", time.Time{})
		err := a.as(t, token).RevokeSelf(t.Context())
		if done := len(a.live("job")) == 0; done != (err == nil) {
			t.Errorf("%v, and live are %v", err, a.live("job"))
		}
		if err := a.as(t, "dead").RevokeSelf(t.Context()); err != nil {
			t.Errorf("a dead token: %v", err)
		}
		own, err := a.client.Own(t.Context())
		id := a.owner
		if strings.Contains(a.setting.routes, `"id": "name"`) {
			id = "management"
		}
		switch mustNot(t, err); {
		case own.Known && !own.May(id), !own.Known && !a.setting.untold.Has(paistrike.LastUsed) && !a.setting.days:
			t.Errorf("own token: %+v", own)
		}
	})
}

// The sandbox refuses what the shape does not take, so that the stories above prove
// something.
func TestShapesAreStrict(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *testing.T, a *shapedAccount) {
		plain, err := paistrike.New(paistrike.Config{Endpoint: a.url, Token: secret.New(bearer), Sleep: noPause})
		mustNot(t, err)
		if _, err := plain.Create(t.Context(), "ci", time.Time{}); err == nil {
			t.Error("the default settings create a token")
		}
		resp, err := http.Get(a.url + a.setting.prefix + "/nowhere") //nolint:noctx // a test
		mustNot(t, err)
		defer resp.Body.Close()
		if resp.StatusCode < 400 {
			t.Errorf("no token gets %d", resp.StatusCode)
		}
	})
}

// noPause lets a wait pass at once.
func noPause(ctx context.Context, _ time.Duration) error { return ctx.Err() }
