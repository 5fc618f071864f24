package provider_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/paistrike/terraform-provider-paistrike/internal/testparts"
)

// region is where the secrets of the stories are. inAWS is the prefix of a path in AWS in
// a story with both stores.
const (
	region = "eu-central-1"
	inAWS  = "aws:"
)

// amazon is the AWS of a stage, as its consumers and its users see it.
type amazon struct {
	server *testparts.SecretsManager
	admin  *secretsmanager.Client
}

// overBoth plays a story in each store. The behavior of a CLI does not depend on the
// store, so AWS is tested with one CLI only.
func overBoth(t *testing.T, story func(s *stage)) {
	t.Helper()
	t.Parallel()
	t.Run("vault", func(t *testing.T) { story(newStage(t)) })
	t.Run("aws", func(t *testing.T) { story(newAWSStage(t)) })
}

// newAWSStage returns a stage whose configurations and paths are those of AWS.
func newAWSStage(t *testing.T) *stage {
	t.Helper()
	s := newStageOfBoth(t)
	delete(s.env, "VAULT_ADDR")
	s.overAWS = true
	return s
}

// newStageOfBoth returns a stage with a Vault and an AWS.
func newStageOfBoth(t *testing.T) *stage {
	t.Helper()
	onOneCLI(t)
	s := newStage(t)
	server := testparts.StartSecretsManager(t, testparts.WithAWSClock(s.apiURL+"/_sandbox/clock"))
	s.aws = &amazon{server: server, admin: server.Admin(region)}
	s.logInWith(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"secretsmanager:*","Resource":"*"}]}`)
	s.env["AWS_ENDPOINT_URL"], s.env["AWS_REGION"] = server.Endpoint, region
	s.env["AWS_EC2_METADATA_DISABLED"], s.env["AWS_CONFIG_FILE"] = "true", "none"
	return s
}

// logInWith configures the provider with an identity that has the policy.
func (s *stage) logInWith(policy string) {
	s.Helper()
	const id, key = "AKIAPROVIDER00000000", "key-of-the-provider"
	s.aws.server.AddIdentities(testparts.AWSIdentities{Users: []testparts.AWSUser{
		{Name: "provider", AccessKeyID: id, SecretAccessKey: key, Policies: []json.RawMessage{json.RawMessage(policy)}},
	}})
	s.env["AWS_ACCESS_KEY_ID"], s.env["AWS_SECRET_ACCESS_KEY"] = id, key
}

// addRole adds a role to the account.
func (s *stage) addRole(name, policy, trust string) {
	s.Helper()
	s.aws.server.AddIdentities(testparts.AWSIdentities{Roles: []testparts.AWSRole{
		{Name: name, Policies: []json.RawMessage{json.RawMessage(policy)}, Trust: json.RawMessage(trust)},
	}})
}

// journalText returns everything that the server logged.
func (a *amazon) journalText() (string, error) {
	text, err := json.Marshal(a.server.Journal()) //nolint:gosec // names of secrets, no values
	return string(text), err
}

// spellings returns a secret and the encodings in which it may appear.
func spellings(secret string) []string {
	return []string{secret, url.QueryEscape(secret), base64.StdEncoding.EncodeToString([]byte(secret)), base64.RawURLEncoding.EncodeToString([]byte(secret))}
}

// inStore translates a configuration, or output of the CLI, to the store of the stage.
func (s *stage) inStore(text string) string {
	if !s.overAWS {
		return text
	}
	return strings.NewReplacer(
		`vault      = { mount = "secret", path = `, `aws_secrets_manager = { name = `,
		`vault = { mount = "secret", path = `, `aws_secrets_manager = { name = `,
		"vault/secret/", "aws/"+region+"/", "secret/ci/", region+"/ci/", "secret/build/", region+"/build/",
	).Replace(text)
}

// awsName returns the name of the secret for a path, and false if the path is in Vault.
func (s *stage) awsName(path string) (string, bool) {
	name, marked := strings.CutPrefix(path, inAWS)
	return name, marked || s.overAWS
}

// value reads a version of a secret, by default the current one.
func (a *amazon) value(s *stage, name, id string) (value, version string) {
	s.Helper()
	in := &secretsmanager.GetSecretValueInput{SecretId: sdk.String(name)}
	if id != "" {
		in.VersionId = sdk.String(id)
	}
	out, err := a.admin.GetSecretValue(s.Context(), in)
	if err != nil {
		return "", "" // absent or deleted
	}
	return sdk.ToString(out.SecretString), sdk.ToString(out.VersionId)
}

// entry returns the current version of a secret, as a consumer sees it.
func (a *amazon) entry(s *stage, name string) location {
	s.Helper()
	value, version := a.value(s, name, "")
	e := location{Revision: version}
	_ = json.Unmarshal([]byte(value), &e.Data)
	_ = json.Unmarshal([]byte(e.text("paistrike")), &e.record)
	return e
}

func (a *amazon) describe(s *stage, name string) (*secretsmanager.DescribeSecretOutput, bool) {
	s.Helper()
	out, err := a.admin.DescribeSecret(s.Context(), &secretsmanager.DescribeSecretInput{SecretId: sdk.String(name)})
	if _, absent := errors.AsType[*types.ResourceNotFoundException](err); err != nil && !absent {
		s.Fatal(err)
	}
	return out, err == nil
}

// tags returns the tags of a secret.
func (a *amazon) tags(s *stage, name string) map[string]string {
	s.Helper()
	found := map[string]string{}
	if d, ok := a.describe(s, name); ok {
		for _, tag := range d.Tags {
			found[sdk.ToString(tag.Key)] = sdk.ToString(tag.Value)
		}
	}
	return found
}

// versions returns the condition of the secret, as [stage.versions] does for an entry.
func (a *amazon) versions(s *stage, name string) map[string]string {
	s.Helper()
	d, ok := a.describe(s, name)
	if !ok {
		return nil
	}
	condition := "readable"
	if d.DeletedDate != nil {
		condition = "deleted"
	}
	found := map[string]string{}
	for id := range d.VersionIdsToStages {
		found[id] = condition
	}
	return found
}

// names returns the names of the secrets that are not deleted.
func (a *amazon) names(s *stage) []string {
	s.Helper()
	out, err := a.admin.ListSecrets(s.Context(), &secretsmanager.ListSecretsInput{})
	if err != nil {
		s.Fatal(err)
	}
	var found []string
	for _, secret := range out.SecretList {
		found = append(found, inAWS+sdk.ToString(secret.Name))
	}
	return found
}

// put writes a version manually, and creates the secret if it does not exist.
func (a *amazon) put(s *stage, name, value string) {
	s.Helper()
	_, err := a.admin.CreateSecret(s.Context(), &secretsmanager.CreateSecretInput{Name: sdk.String(name), SecretString: sdk.String(value)})
	if _, there := errors.AsType[*types.ResourceExistsException](err); there {
		_, err = a.admin.PutSecretValue(s.Context(), &secretsmanager.PutSecretValueInput{SecretId: sdk.String(name), SecretString: sdk.String(value)})
	}
	if err != nil {
		s.Fatal(err)
	}
}

// remove deletes a secret manually, permanently or so that it can be restored.
func (a *amazon) remove(s *stage, name string, forGood bool) {
	s.Helper()
	in := &secretsmanager.DeleteSecretInput{SecretId: sdk.String(name)}
	if forGood {
		in.ForceDeleteWithoutRecovery = sdk.Bool(true)
	}
	if _, err := a.admin.DeleteSecret(s.Context(), in); err != nil {
		s.Fatal(err)
	}
}

// awsCalls returns the calls of the provider to AWS, such as "PutSecretValue
// ci/paistrike".
func (s *stage) awsCalls() []string {
	s.Helper()
	var calls []string
	for _, event := range s.aws.server.Journal() {
		late := strings.Contains(event.ErrorCode, "Signature") // only because the sandbox's clock differs from this machine's
		if event.UserIdentity.AccessKeyID != s.aws.server.AccessKeyID && !late {
			calls = append(calls, strings.TrimSpace(event.EventName+" "+event.Secret))
		}
	}
	return calls
}

// writes contains the calls that change a secret or its description.
var writes = []string{"CreateSecret", "PutSecretValue", "UpdateSecretVersionStage", "TagResource", "DeleteSecret", "RestoreSecret"}

// nothingWritten fails the test if the provider wrote to a store.
func (s *stage) nothingWritten() {
	s.Helper()
	if !s.overAWS {
		s.wantCalls(s.vaultCalls(), "P", 0)
		return
	}
	for _, call := range writes {
		s.wantCalls(s.awsCalls(), call, 0)
	}
}

// nothingRead fails the test if the provider read a secret.
func (s *stage) nothingRead() {
	s.Helper()
	if s.overAWS {
		s.wantCalls(s.awsCalls(), "GetSecretValue", 0)
		return
	}
	s.wantCalls(s.vaultCalls(), "GET secret/data/", 0)
}

// callsByName returns the number of calls by name.
func callsByName(calls []string) string {
	counts := map[string]int{}
	for _, call := range calls {
		name, _, _ := strings.Cut(call, " ")
		counts[name]++
	}
	var text []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		text = append(text, fmt.Sprintf("%d %s", counts[name], name))
	}
	return strings.Join(text, ", ")
}
