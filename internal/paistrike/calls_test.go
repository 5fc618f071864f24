package paistrike_test

import (
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
)

// Support for other shapes adds no call to the contract's own shape: one call to create,
// none to confirm the name, one for a page of a hundred, one to read the token in use, and
// two to revoke a token and confirm that.
func TestCallsOfTheContractsShape(t *testing.T) {
	t.Parallel()
	server, err := sandbox.New(sandbox.Options{Start: instant("2026-07-01T12:00:00Z")})
	mustNot(t, err)
	web := httptest.NewServer(server)
	t.Cleanup(web.Close)
	_, management := server.Mint("management", time.Time{})
	client, err := paistrike.New(paistrike.Config{Endpoint: web.URL, Token: secret.New(management), Sleep: noPause})
	mustNot(t, err)
	ctx := t.Context()
	calls := func(want ...string) {
		t.Helper()
		var got []string
		for _, call := range server.Journal() {
			got = append(got, call.Method+" "+call.Path)
		}
		if !slices.Equal(got, want) {
			t.Errorf("made the calls %q, want %q", got, want)
		}
		server.ResetJournal()
	}
	const list = "/api/v1/api-tokens"
	minted, err := paistrike.MintOnce(ctx, client, "ci", instant("2026-08-01T00:00:00Z"))
	mustNot(t, err)
	calls("POST " + list)
	_, err = client.As(minted.Secret).Self(ctx)
	mustNot(t, err)
	calls("GET " + list + "/self")
	_, err = client.List(ctx)
	mustNot(t, err)
	calls("GET " + list)
	_, err = client.Get(ctx, minted.ID)
	mustNot(t, err)
	calls("GET " + list + "/" + minted.ID)
	mustNot(t, client.Revoke(ctx, minted.ID))
	calls("DELETE "+list+"/"+minted.ID, "GET "+list+"/"+minted.ID)
	job, err := paistrike.MintOnce(ctx, client, "job", instant("2026-08-01T00:00:00Z"))
	mustNot(t, err)
	mustNot(t, client.As(job.Secret).RevokeSelf(ctx))
	calls("POST "+list, "DELETE "+list+"/self", "GET "+list+"/self")
}
