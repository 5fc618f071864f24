package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/aws"
	"github.com/paistrike/terraform-provider-paistrike/internal/testparts"
)

// awsRegion is the region in the published policies.
const awsRegion = "eu-central-1"

// awsFront is an AWS Secrets Manager whose account trusts GitHub for four roles, with the
// published policies.
type awsFront struct {
	*testparts.SecretsManager

	sts string // URL of a proxy for STS that records the credentials issued

	mu     sync.Mutex
	issued []string
	told   int // number of events that `calls` has listed
}

func newAWSFront(t testing.TB, s *servers) *awsFront {
	t.Helper()
	keys, err := s.identity.keys()
	if err != nil {
		t.Fatal(err)
	}
	role := func(name, policy string, replace ...string) testparts.AWSRole {
		return testparts.JobRole(t, "paistrike-"+name, testparts.PublishedAWSPolicy(t, policy, replace...))
	}
	f := &awsFront{SecretsManager: testparts.StartSecretsManager(t, testparts.WithAWSClock(s.api+"/_sandbox/clock"), testparts.WithAWSIdentities(testparts.AWSIdentities{
		Issuers: []testparts.AWSIssuer{testparts.GitHub(keys)},
		Roles: []testparts.AWSRole{
			role("mint", "consumer", "ci/paistrike", "broker/paistrike"), role("read", "consumer"),
			role("rotator", "rotator"), role("auditor", "auditor"),
		},
	}))}
	target, err := url.Parse(f.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite:        func(r *httputil.ProxyRequest) { r.SetURL(target); r.Out.Host = r.In.Host }, // the signature covers the host
		ModifyResponse: f.note,
	})
	t.Cleanup(proxy.Close)
	f.sts = proxy.URL
	return f
}

var issuedSecret = regexp.MustCompile(`<(?:SecretAccessKey|SessionToken)>([^<]+)<`)

func (f *awsFront) note(r *http.Response) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, match := range issuedSecret.FindAllSubmatch(body, -1) {
		f.issued = append(f.issued, string(match[1]))
	}
	return nil
}

// secrets returns everything that no log may show.
func (f *awsFront) secrets() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append(slices.Clone(f.issued), f.SecretAccessKey)
}

// store returns the store as Terraform uses it.
func (f *awsFront) store() *aws.Store {
	return aws.New(aws.Config{
		Region: awsRegion, Endpoint: f.Endpoint, STSEndpoint: f.Endpoint,
		Credentials: &aws.Credentials{AccessKeyID: f.AccessKeyID, SecretAccessKey: secret.New(f.SecretAccessKey)},
	})
}

// write creates a secret, or puts another value.
func (f *awsFront) write(name, value string) error {
	client := f.Admin(awsRegion)
	_, err := client.CreateSecret(context.Background(), &secretsmanager.CreateSecretInput{Name: sdk.String(name), SecretString: sdk.String(value)})
	if err == nil {
		return nil
	}
	_, again := client.PutSecretValue(context.Background(), &secretsmanager.PutSecretValueInput{SecretId: sdk.String(name), SecretString: sdk.String(value)})
	if again == nil {
		return nil
	}
	return errors.Join(err, again)
}

// cmdAWS moves a story to AWS: `aws role mint` for steps that log in with GitHub's token,
// `aws keys` for a job with credentials. `aws fault {...}` injects a fault (`aws fault none`
// removes it), `aws write NAME VALUE` writes a value, and `aws outside` continues outside
// GitHub on a machine with a web identity token.
func cmdAWS(ts *testscript.TestScript, _ bool, args []string) {
	j := jobOf(ts)
	if j.aws == nil {
		j.aws = newAWSFront(j.tb, j.servers)
		ts.Check(j.aws.write("broker/paistrike", j.broker))
		j.aws.ForgetJournal()
	}
	switch args[0] {
	case "role", "keys":
		for name := range j.env {
			if strings.HasPrefix(name, "INPUT_VAULT_") || name == "INPUT_AUDIENCE" {
				delete(j.env, name)
			}
		}
		for name, value := range map[string]string{
			"STORE": "aws", "AWS_REGION": awsRegion, "AWS_ENDPOINT": j.aws.Endpoint, "AWS_STS_ENDPOINT": j.aws.sts, "AWS_SECRET_ID": "broker/paistrike",
		} {
			j.env["INPUT_"+name] = value
		}
		// Variables that an earlier step has set are ignored.
		j.env["AWS_ENDPOINT_URL"] = "https://evil.example.com"
		j.env["AWS_EC2_METADATA_DISABLED"] = "true"
		if args[0] == "keys" {
			j.env["AWS_ACCESS_KEY_ID"], j.env["AWS_SECRET_ACCESS_KEY"] = j.aws.AccessKeyID, j.aws.SecretAccessKey
			break
		}
		j.env["INPUT_AWS_ROLE_ARN"] = "arn:aws:iam::" + j.aws.Account + ":role/paistrike-" + args[1]
	case "outside":
		ts.Check(j.awsOutside(ts, append(args[1:], "mint")[0]))
	case "fault":
		if args[1] == "none" {
			j.aws.ClearFaults()
			break
		}
		var f testparts.AWSFault
		ts.Check(json.Unmarshal([]byte(strings.Join(args[1:], " ")), &f))
		j.aws.Inject(f)
	case "write":
		ts.Check(j.aws.write(args[1], strings.Join(args[2:], " ")))
	default:
		ts.Fatalf("aws %s is not understood", args[0])
	}
}

// awsOutside sets up a machine of another CI with a role and an identity token in a file.
func (j *testJob) awsOutside(ts *testscript.TestScript, role string) error {
	now := j.paistrike.Clock().Now().Unix()
	token, err := j.identity.sign(map[string]any{
		"iss": testparts.GitHubIssuer, "aud": testparts.AWSAudience, "sub": "repo:acme@42/app@7:environment:production", "repository_id": "7", "environment": "production",
		"iat": now, "exp": now + 300,
	})
	if err != nil {
		return err
	}
	file := filepath.Join(j.dir, "identity", "token")
	if err := errors.Join(os.Mkdir(filepath.Dir(file), 0o700), os.WriteFile(file, []byte(token), 0o600)); err != nil {
		return err
	}
	j.outside, j.asked = true, nil // no file saves names here
	j.env = map[string]string{
		"PATH": ts.Getenv("PATH"), "PAISTRIKE_ENDPOINT": j.api, "PAISTRIKE_MAX_ATTEMPTS": "2",
		"AWS_REGION": awsRegion, "AWS_ENDPOINT_URL_SECRETS_MANAGER": j.aws.Endpoint, "AWS_ENDPOINT_URL_STS": j.aws.sts,
		"AWS_ROLE_ARN": "arn:aws:iam::" + j.aws.Account + ":role/paistrike-" + role, "AWS_WEB_IDENTITY_TOKEN_FILE": file,
	}
	return nil
}
