package main

import (
	"context"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox/storeview"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/aws"
)

// With only the exported variables, a token is created in AWS. AWS uses the sandbox's clock,
// and the page shows the entry from its tags.
func TestAWSGoesByTheSameClock(t *testing.T) {
	t.Parallel()
	r := start(t, "-vault-listen", "", "-aws", built(t, "secretsmanager"), "-aws-listen", "127.0.0.1:0", "-clock", "2026-03-01T12:00:00Z")
	defer r.end()
	getenv := func(name string) string { return r.env[name] }
	store := aws.New(aws.Config{
		Endpoint: getenv("AWS_ENDPOINT_URL_SECRETS_MANAGER"), STSEndpoint: getenv("AWS_ENDPOINT_URL_STS"), Load: aws.Environment(getenv),
	})
	client, err := paistrike.New(paistrike.Config{Endpoint: getenv("PAISTRIKE_ENDPOINT"), Token: secret.New(getenv("PAISTRIKE_API_TOKEN"))})
	if err != nil {
		t.Fatal(err)
	}
	made, err := rotation.New(rotation.PAIStrike{Client: client}, store).Run(context.Background(), rotation.Request{
		At: entry.Location{Path: "ci/main"}, Label: "CI (*)", Owner: "terraform", Wish: rotation.Rotate, Reason: schedule.ReasonCreated,
		Policy: schedule.Policy{Lifetime: 90 * 24 * time.Hour, Period: 30 * 24 * time.Hour}.WithDefaults(), Schedule: schedule.Schedule{Period: "30d", ExpiresIn: "90d"},
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := storeview.AWS(getenv("AWS_ENDPOINT_URL_SECRETS_MANAGER"), getenv("AWS_REGION"), getenv("AWS_ACCESS_KEY_ID"), getenv("AWS_SECRET_ACCESS_KEY")).Entries(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := sandbox.Entry{Place: "aws/eu-central-1/ci/main", State: sandbox.EntryActive, Version: "1", TokenID: made.TokenID, TokenName: made.TokenName}
	if len(got) != 1 || got[0].Place != want.Place || got[0].State != want.State || got[0].Version != want.Version || got[0].TokenID != want.TokenID ||
		got[0].TokenName != want.TokenName || got[0].NextRotation.Sub(made.CreatedAt) != 30*24*time.Hour {
		t.Errorf("%+v, want %+v", got, want)
	}
}
