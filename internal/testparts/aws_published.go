package testparts

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// Admin returns a client of the server with the administrator's permissions.
func (s *SecretsManager) Admin(region string) *secretsmanager.Client {
	return secretsmanager.New(secretsmanager.Options{
		Region: region, BaseEndpoint: aws.String(s.Endpoint),
		Credentials: credentials.NewStaticCredentialsProvider(s.AccessKeyID, s.SecretAccessKey, ""),
	})
}

// PublishedAWSPolicy reads a policy of examples/policies/aws. Each pair of replace is a name in
// the example and the test's own name.
func PublishedAWSPolicy(t testing.TB, name string, replace ...string) json.RawMessage {
	t.Helper()
	dir, err := repository()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "examples", "policies", "aws", name+".json")) //nolint:gosec // a file of this repository
	if err != nil {
		t.Fatal(err)
	}
	return json.RawMessage(strings.NewReplacer(replace...).Replace(string(text)))
}

// GitHubIssuer is the issuer of the identity tokens of GitHub's jobs.
const GitHubIssuer = "https://token.actions.githubusercontent.com"

// AWSAudience is the audience of identity tokens for AWS.
const AWSAudience = "sts.amazonaws.com"

// GitHub returns GitHub's identity provider with a test's own keys.
func GitHub(jwks json.RawMessage) AWSIssuer {
	return AWSIssuer{URL: GitHubIssuer, Audiences: []string{AWSAudience}, JWKS: jwks}
}

// JobRole returns a role with a policy. The published trust policy lets the jobs of acme/app,
// repository 7, assume it in the environment "production".
func JobRole(t testing.TB, name string, policy json.RawMessage) AWSRole {
	t.Helper()
	return AWSRole{
		Name: name, Policies: []json.RawMessage{policy},
		Trust: PublishedAWSPolicy(t, "github-trust",
			`"123456"`, `"7"`, `"paistrike"`, `"production"`, "acme@1234/", "acme@42/", "environment:paistrike", "environment:production"),
	}
}
