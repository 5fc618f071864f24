package e2e_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
	"github.com/paistrike/terraform-provider-paistrike/internal/testparts"
)

const awsRegion = "eu-central-1"

// storeRow is one of the secret stores for which the kill tests run.
type storeRow struct {
	name  string
	start func(t *testing.T, program string, options sandbox.Options) *world
	// configured is the configuration ci for this store.
	configured string
}

func stores() []storeRow {
	return []storeRow{
		{"vault", func(t *testing.T, program string, options sandbox.Options) *world {
			t.Helper()
			return newWorld(t, program, options)
		}, ci},
		{"aws", newAWSWorld, strings.Replace(ci,
			`vault      = { mount = "secret", path = "ci/paistrike" }`, `aws_secrets_manager = { name = "ci/paistrike" }`, 1)},
	}
}

// newAWSWorld returns a world whose secret store is AWS Secrets Manager, on the sandbox's
// clock.
func newAWSWorld(t *testing.T, program string, options sandbox.Options) *world {
	t.Helper()
	w := newPAIStrike(t, options)
	w.aws = testparts.StartSecretsManager(t, testparts.WithAWSClock(w.api+"/_sandbox/clock"))
	w.root = w.aws.SecretAccessKey
	w.tf = workspace(t, program,
		"PAISTRIKE_ENDPOINT="+w.api, "PAISTRIKE_API_TOKEN="+w.front.management,
		"AWS_ENDPOINT_URL="+w.aws.Endpoint, "AWS_REGION="+awsRegion, "AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE=none",
		"AWS_ACCESS_KEY_ID="+w.aws.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+w.aws.SecretAccessKey)
	return w
}

// inAWS returns the fields of the current version of ci/paistrike, or nil if there is none.
func (w *world) inAWS(t *testing.T) (fields map[string]any) {
	t.Helper()
	out, err := w.aws.Admin(awsRegion).GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: sdk.String("ci/paistrike")})
	var deleted *types.InvalidRequestException
	var unknown *types.ResourceNotFoundException
	if errors.As(err, &deleted) || errors.As(err, &unknown) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(sdk.ToString(out.SecretString)), &fields); err != nil {
		t.Fatal(err)
	}
	return fields
}

// inVault returns the fields of the current version of ci/paistrike, or nil if there is none.
func (w *world) inVault(t *testing.T) map[string]any {
	t.Helper()
	var answer struct {
		Data struct {
			Data map[string]any `json:"data"`
		} `json:"data"`
	}
	if err := json.Unmarshal([]byte(w.get(t, w.vault+"/v1/secret/data/ci/paistrike")), &answer); err != nil {
		t.Fatal(err)
	}
	return answer.Data.Data
}

// served returns the record in the store, or nil if there is none.
func (w *world) served(t *testing.T) *entry.Record {
	t.Helper()
	read := w.inVault
	if w.aws != nil {
		read = w.inAWS
	}
	fields := read(t)
	if fields == nil {
		return nil
	}
	record, err := entry.DecodeRecord("token", fields)
	if err != nil {
		t.Fatal(err)
	}
	if record.State != entry.StateActive {
		return nil
	}
	return &record
}
