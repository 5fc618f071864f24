package paistrike_test

import (
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike/contracttest"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
)

// contract starts a server that follows the contract, and checks that both sides do.
func contract(t *testing.T) (*account, *server) {
	t.Helper()
	a := newAccount()
	return a, serve(t, contracttest.Check(t, a, "/api/v1"))
}

func TestLifeOfAToken(t *testing.T) {
	t.Parallel()
	_, s := contract(t)
	c := s.client(t)
	ctx := t.Context()

	if _, known := c.ServerTime(); known {
		t.Error("the server's time is known before its first answer")
	}
	minted, err := c.Create(ctx, "CI/CD Pipeline", instant("2026-10-01T00:00:00Z"))
	mustNot(t, err)
	want := paistrike.Token{
		ID: "tok_002", Name: "CI/CD Pipeline", Status: paistrike.StatusActive,
		CreatedAt: instant("2026-07-01T12:00:00Z"), ExpiresAt: instant("2026-10-01T00:00:00Z"),
	}
	if diff := cmp.Diff(want, minted.Token); diff != "" {
		t.Errorf("minted token (-want +got):\n%s", diff)
	}
	if now, known := c.ServerTime(); !known || !now.Equal(instant("2026-07-01T12:00:00Z")) {
		t.Errorf("server time is %v, %v", now, known)
	}

	self, err := c.As(minted.Secret).Self(ctx) // the new token works
	mustNot(t, err)
	if self.ID != "tok_002" || self.LastUsedAt.IsZero() {
		t.Errorf("self of the new token is %+v", self)
	}
	tokens, err := c.List(ctx)
	mustNot(t, err)
	if len(tokens) != 2 || tokens[0].ID != "tok_002" || tokens[1].ID != "tok_001" {
		t.Errorf("list is %+v", tokens)
	}

	mustNot(t, c.Revoke(ctx, "tok_002"))
	mustNot(t, c.Revoke(ctx, "tok_002")) // again
	revoked, err := c.Get(ctx, "tok_002")
	mustNot(t, err)
	if revoked.Status != paistrike.StatusRevoked {
		t.Errorf("status after revoking is %q", revoked.Status)
	}
	if _, err := c.As(minted.Secret).Self(ctx); !paistrike.IsUnauthorized(err) {
		t.Errorf("a revoked token got %v, want 401", err)
	}
	s.expectRequests(t,
		"POST /api/v1/api-tokens", "GET /api/v1/api-tokens/self", "GET /api/v1/api-tokens",
		"DELETE /api/v1/api-tokens/tok_002", "GET /api/v1/api-tokens/tok_002", // confirms that it is revoked
		"DELETE /api/v1/api-tokens/tok_002",
		"GET /api/v1/api-tokens/tok_002", "GET /api/v1/api-tokens/self")
}

func TestNeverMeansNoExpiryField(t *testing.T) {
	t.Parallel()
	_, s := contract(t)
	minted, err := s.client(t).Create(t.Context(), "forever", time.Time{})
	mustNot(t, err)
	if !minted.ExpiresAt.IsZero() || s.lastBody() != `{"name":"forever"}` {
		t.Errorf("expires at %v after sending %s", minted.ExpiresAt, s.lastBody())
	}
}

func TestWhatIsNotThere(t *testing.T) {
	t.Parallel()
	_, s := contract(t)
	c := s.client(t)
	if _, err := c.Get(t.Context(), "tok_404"); !paistrike.IsNotFound(err) || paistrike.StatusOf(err) != 404 {
		t.Errorf("Get gave %v, want not found", err)
	}
	if err := c.Revoke(t.Context(), "tok_404"); !paistrike.IsNotFound(err) {
		t.Errorf("Revoke gave %v, want not found: nobody saw that it is revoked", err)
	}
}

func TestATokenRevokesItself(t *testing.T) {
	t.Parallel()
	_, s := contract(t)
	c := s.client(t)
	minted, err := c.Create(t.Context(), "job", instant("2026-07-01T13:00:00Z"))
	mustNot(t, err)
	own := c.As(minted.Secret)
	mustNot(t, own.RevokeSelf(t.Context()))
	mustNot(t, own.RevokeSelf(t.Context())) // 401 now: already revoked
	s.expectRequests(t,
		"POST /api/v1/api-tokens", "DELETE /api/v1/api-tokens/self", "GET /api/v1/api-tokens/self", "DELETE /api/v1/api-tokens/self")
}

// An ID must not lead to a path other than a token's: revoking "self" would revoke the
// management token.
func TestWhatIsNoID(t *testing.T) {
	t.Parallel()
	_, s := contract(t)
	c := s.client(t)
	for _, id := range []string{"", ".", "..", "self"} {
		if _, err := c.Get(t.Context(), id); err == nil {
			t.Errorf("Get(%q) succeeded", id)
		}
		if err := c.Revoke(t.Context(), id); err == nil {
			t.Errorf("Revoke(%q) succeeded", id)
		}
	}
	s.expectRequests(t)
}

func TestIDsAreEscaped(t *testing.T) {
	t.Parallel()
	s := serve(t, answer(http.StatusOK, `{"id":"a/b ?#%2e","status":"revoked"}`))
	mustNot(t, s.client(t).Revoke(t.Context(), "a/b ?#%2e"))
	s.expectRequests(t, "DELETE /api/v1/api-tokens/a%2Fb%20%3F%23%252e")
}

func TestWithoutTokenNothingIsSent(t *testing.T) {
	t.Parallel()
	_, s := contract(t)
	c := s.client(t, func(cfg *paistrike.Config) { cfg.Token = secret.Secret{} })
	for _, c := range []*paistrike.Client{c, c.As(secret.New("two\nlines"))} {
		if _, err := c.List(t.Context()); err == nil {
			t.Error("listing without a usable token succeeded")
		}
		_, err := c.Create(t.Context(), "x", time.Time{})
		var unknown *paistrike.UnknownOutcomeError
		if err == nil || errors.As(err, &unknown) {
			t.Errorf("creating without a usable token gave %v, want an error that says nothing was done", err)
		}
	}
	s.expectRequests(t)
}

// The clock belongs to the server, so clients with other tokens share it. The most recent
// response counts, so the next response corrects one wrong Date.
func TestServerTime(t *testing.T) {
	t.Parallel()
	dates := []string{"2026-07-01T12:00:05Z", "2027-07-01T12:00:03Z", "2026-07-01T12:00:09Z"}
	want := []string{"2026-07-01T12:00:05Z", "2027-07-01T12:00:03Z", "2026-07-01T12:00:09Z"}
	var handlers []http.HandlerFunc
	for _, date := range dates { // errors count too
		handlers = append(handlers, answer(401, "", "Date", instant(date).Format(http.TimeFormat)))
	}
	s := serve(t, inTurn(handlers...))
	c := s.client(t)
	other := c.As(secret.New("another"))
	for i := range dates {
		if _, err := other.Self(t.Context()); !paistrike.IsUnauthorized(err) {
			t.Fatalf("got %v, want 401", err)
		}
		if now, _ := c.ServerTime(); !now.Equal(instant(want[i])) {
			t.Errorf("after %s the server time is %s, want %s", dates[i], now, want[i])
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	_, s := contract(t)
	c := s.client(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			minted, err := c.Create(t.Context(), "parallel", instant("2026-08-01T00:00:00Z"))
			if err != nil {
				t.Errorf("creating: %v", err)
				return
			}
			if _, err := c.As(minted.Secret).Self(t.Context()); err != nil {
				t.Errorf("verifying: %v", err)
			}
			c.ServerTime()
			if _, err := c.List(t.Context()); err != nil {
				t.Errorf("listing: %v", err)
			}
		})
	}
	wg.Wait()
}

// Between responses, this machine's clock advances the server's time.
func TestServerTimeGoesOn(t *testing.T) {
	t.Parallel()
	s := serve(t, answer(200, `{"items":[]}`, "Date", "Wed, 01 Jul 2026 12:00:05 GMT"))
	local := instant("2030-01-01T00:00:00Z")
	c := s.client(t, func(cfg *paistrike.Config) { cfg.Now = func() time.Time { return local } })
	_, err := c.List(t.Context())
	mustNot(t, err)
	local = local.Add(90*time.Minute + 999*time.Millisecond)
	if now, known := c.ServerTime(); !known || !now.Equal(instant("2026-07-01T13:30:05Z")) {
		t.Errorf("the server time is %v, %v", now, known)
	}
}
