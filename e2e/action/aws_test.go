package action_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/paistrike/terraform-provider-paistrike/internal/testparts"
)

const awsRegion = "eu-central-1" // region in the published policies

// inAWS is a workflow that reads its token or its management token from AWS Secrets Manager.
const inAWS = `
on: push
permissions:
  id-token: write
  contents: read
env:
  AWS_ENDPOINT_URL: https://evil.example.com
jobs:
  scan:
    runs-on: ubuntu-latest
    env: %s
    steps:
      - uses: actions/checkout@v4
      - uses: ./action
        id: paistrike
        with:
          mode: %s
          store: aws
          endpoint: %q
          aws_region: ` + awsRegion + `
          aws_endpoint: %[4]q
          aws_sts_endpoint: %[4]q
          aws_role_arn: %[5]q
          aws_secret_id: %[6]s
          binary_path: %[7]q
      - run: node call.js %[3]s
      - run: echo "source=${{ steps.paistrike.outputs.source }}"
`

// amazon starts an AWS with the published trust policy for GitHub, a role that can read the
// management token, and the secrets of the test's Vault.
func (w *world) amazon(t *testing.T) *testparts.SecretsManager {
	t.Helper()
	keys, err := json.Marshal(w.issuer.keys())
	if err != nil {
		t.Fatal(err)
	}
	server := testparts.StartSecretsManager(t, testparts.WithAWSIdentities(testparts.AWSIdentities{
		Issuers: []testparts.AWSIssuer{testparts.GitHub(keys)},
		Roles:   []testparts.AWSRole{testparts.JobRole(t, "paistrike-mint", testparts.PublishedAWSPolicy(t, "consumer", "ci/paistrike", "ci/broker"))},
	}))
	admin := server.Admin(awsRegion)
	for _, name := range []string{"ci/broker", "ci/paistrike"} {
		in := &secretsmanager.CreateSecretInput{Name: sdk.String(name), SecretString: sdk.String(`{"token":"` + w.broker + `"}`)}
		if _, err := admin.CreateSecret(context.WithoutCancel(t.Context()), in); err != nil {
			t.Fatal(err)
		}
	}
	return server
}

// A job assumes its role with GitHub's identity token, without another action. Its token is
// revoked at the end.
func TestJobWithARoleOfAWS(t *testing.T) {
	t.Parallel()
	eachNode(t, func(t *testing.T, w *world) {
		server := w.amazon(t)
		role := "arn:aws:iam::" + server.Account + ":role/paistrike-mint"
		log, err := w.act(t, fmt.Sprintf(inAWS, "{}", "mint", w.api, server.Endpoint, role, "ci/broker", w.program), nothing)
		w.answered(t, log, err, "minted")
		minted := w.secrets()
		if len(minted) != 1 || w.use(t, minted[0]) != http.StatusUnauthorized {
			t.Errorf("%d tokens were made, want one that no longer works", len(minted))
		}
		w.conceals(t, log, append(minted, w.broker)...)
	})
}

// A job with AWS credentials needs no role. The launcher passes the credentials on, but not
// the variables that would redirect the program.
func TestJobWithCredentialsForAWS(t *testing.T) {
	t.Parallel()
	eachNode(t, func(t *testing.T, w *world) {
		server := w.amazon(t)
		keys := fmt.Sprintf("{ AWS_ACCESS_KEY_ID: %s, AWS_SECRET_ACCESS_KEY: %s }", server.AccessKeyID, server.SecretAccessKey)
		log, err := w.act(t, fmt.Sprintf(inAWS, keys, "read", w.api, server.Endpoint, "", "ci/paistrike", w.program), nothing)
		w.answered(t, log, err, "read")
		if n := len(w.secrets()); n != 0 {
			t.Errorf("%d tokens were made", n)
		}
		w.conceals(t, log, w.broker, server.SecretAccessKey)
	})
}

// answered fails the test unless a job used its token successfully.
func (w *world) answered(t *testing.T, log string, err error, source string) {
	t.Helper()
	if err != nil || !strings.Contains(log, "PAIStrike answered 200 to ***") || !strings.Contains(log, "source="+source) {
		t.Fatalf("%v\n%s", err, log)
	}
}
