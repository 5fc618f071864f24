package paistrike_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
)

// peculiar lists the facts that a service does not report, by the name of the sandbox's shape. The
// shapes name the services and their public references.
type peculiar struct {
	untold paistrike.Facts
	days   bool // it stores whole days
}

func peculiarities() map[string]peculiar {
	return map[string]peculiar{
		"gitlab":        {days: true},
		"sonarqube":     {untold: paistrike.State, days: true},
		"vercel":        {untold: paistrike.State},
		"cloudflare":    {},
		"snyk":          {untold: paistrike.LastUsed | paistrike.Expiry | paistrike.State},
		"jfrog":         {untold: paistrike.LastUsed | paistrike.State},
		"grafana":       {},
		"hcp_terraform": {untold: paistrike.State},
		"launchdarkly":  {untold: paistrike.Expiry | paistrike.State},
	}
}

// shapedAccount is a service with another shape, with its management token.
type shapedAccount struct {
	*sandbox.Server
	peculiar
	url    string
	shape  *sandbox.Shape
	client *paistrike.Client
	owner  string // the management token's ID
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
	a := &shapedAccount{Server: server, url: web.URL, shape: shapes[name], peculiar: peculiarities()[name]}
	id, token := server.Mint("management", time.Time{})
	a.owner, a.client = id, a.as(t, token)
	return a
}

func (a *shapedAccount) as(t *testing.T, token string) *paistrike.Client {
	t.Helper()
	client, err := paistrike.New(a.config(t, token))
	mustNot(t, err)
	return client
}

// recorded returns a client with a new token whose responses pass through wire.
func (a *shapedAccount) recorded(t *testing.T, wire http.RoundTripper) *paistrike.Client {
	t.Helper()
	_, token := a.Mint("recorded", time.Time{})
	cfg := a.config(t, token)
	cfg.Transport = wire
	client, err := paistrike.New(cfg)
	mustNot(t, err)
	return client
}

func (a *shapedAccount) config(t *testing.T, token string) paistrike.Config {
	t.Helper()
	routes, err := paistrike.ParseRoutes(string(a.shape.Settings.Routes))
	mustNot(t, err)
	auth, err := paistrike.ParseAuth(string(a.shape.Settings.Auth))
	mustNot(t, err)
	return paistrike.Config{
		Endpoint: a.url, Prefix: a.shape.Settings.Prefix, Auth: auth, Routes: routes, Token: secret.New(token),
		Sleep: noPause, Now: func() time.Time { return instant("2026-07-01T12:00:00Z") },
	}
}

// live returns the IDs of the working tokens with the name.
func (a *shapedAccount) live(name string) (ids []string) {
	for _, token := range a.Tokens() {
		if token.Name == name && token.Status == "active" {
			ids = append(ids, token.ID)
		}
	}
	return ids
}

// everyShape runs a story against every shape of the sandbox.
func everyShape(t *testing.T, story func(t *testing.T, a *shapedAccount)) {
	t.Helper()
	shapes, err := sandbox.Shapes()
	mustNot(t, err)
	if len(shapes) < 8 || len(shapes) != len(peculiarities()) {
		t.Fatalf("there are %d shapes and %d settings", len(shapes), len(peculiarities()))
	}
	for name := range shapes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			story(t, shapedServer(t, name))
		})
	}
}

// The main job: create, verify, find by name and by ID, read what the service reports,
// revoke, and confirm that the token is refused.
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
			if token.Name != name || token.Untold != a.untold || !token.Usable(instant("2026-07-01T12:00:00Z")) {
				t.Errorf("got %+v, want %q and untold %v", token, name, a.untold)
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

// Far more tokens than one page contains, with the important one anywhere among them.
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

// A create whose response is lost, late or unreadable leaves no working token behind.
func TestLostCreatesInEveryShape(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *testing.T, a *shapedAccount) {
		for i := range 60 { // on any page
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

// If a server accepts a revocation and does not carry it out, it is never reported as
// done.
func TestLiesAboutRevocationInEveryShape(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *testing.T, a *shapedAccount) {
		minted, err := paistrike.MintOnce(t.Context(), a.client, "ci", instant("2026-08-01T00:00:00Z"))
		mustNot(t, err)
		method := a.shape.RevokeMethod
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

// A token revokes itself, or the error reports that it did not.
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
		id := fmt.Sprint(a.shape.ID(sandbox.Token{ID: a.owner, Name: "management"}))
		switch mustNot(t, err); {
		case own.Known && !own.May(id), !own.Known && !a.untold.Has(paistrike.LastUsed) && !a.days:
			t.Errorf("own token: %+v", own)
		}
	})
}

// The sandbox refuses requests that do not fit the shape, so that the stories above prove
// something.
func TestShapesAreStrict(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *testing.T, a *shapedAccount) {
		plain, err := paistrike.New(paistrike.Config{Endpoint: a.url, Token: secret.New(bearer), Sleep: noPause})
		mustNot(t, err)
		if _, err := plain.Create(t.Context(), "ci", time.Time{}); err == nil {
			t.Error("the default settings create a token")
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, a.url+a.shape.Settings.Prefix+"/nowhere", nil)
		mustNot(t, err)
		resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
		mustNot(t, err)
		defer resp.Body.Close()
		if resp.StatusCode < 400 {
			t.Errorf("no token gets %d", resp.StatusCode)
		}
	})
}

// noPause ends a wait at once.
func noPause(ctx context.Context, _ time.Duration) error { return ctx.Err() }
