package aws_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"

	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/aws"
)

// issuing starts a credentials endpoint like that of a container, which requires its
// token.
func issuing(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "of-the-container" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		_, _ = w.Write([]byte(`{"AccessKeyId":"ASIACONTAINER","SecretAccessKey":"c","Token":"t","Expiration":"2090-01-01T00:00:00Z"}`))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// TestEnvironment shows where a job finds a region and credentials without the part of the
// SDK that reads profiles, and which source takes precedence.
func TestEnvironment(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("NOT TESTED: the AWS command line of this test is a script")
	}
	dir := t.TempDir()
	tokenFile, config := filepath.Join(dir, "token"), filepath.Join(dir, "config")
	command := filepath.Join(dir, "aws")
	for file, text := range map[string]string{
		tokenFile: "of-the-container", config: "[default]",
		command: `#!/bin/sh
case "$*" in
"configure export-credentials --format process") key=of-default ;;
"configure export-credentials --format process --profile work") key=of-work ;;
esac
echo '{"Version":1,"AccessKeyId":"'$key'","SecretAccessKey":"p"}'
`,
	} {
		if err := os.WriteFile(file, []byte(text), 0o700); err != nil { //nolint:gosec // one of them is to be run
			t.Fatal(err)
		}
	}
	keys := []string{"AWS_ACCESS_KEY_ID=AKIAJOB", "AWS_SECRET_ACCESS_KEY=s"}
	container := []string{"AWS_CONTAINER_CREDENTIALS_FULL_URI=" + issuing(t), "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=" + tokenFile}
	for _, test := range []struct {
		name, profile string
		env           []string
		want          string // an access key, or the end of the error
	}{
		{"keys of the job", "", keys, "AKIAJOB"},
		{"keys before a container", "", append(container, keys...), "AKIAJOB"},
		{"a container", "", container, "ASIACONTAINER"},
		{"a container before profiles", "", append(container, "AWS_CONFIG_FILE="+config), "ASIACONTAINER"},
		{"profiles", "", []string{"AWS_CONFIG_FILE=" + config}, "of-default"},
		{"a profile of the environment", "", []string{"AWS_PROFILE=work"}, "of-work"},
		{"a profile of the configuration goes before keys", "work", keys, "of-work"},
		{"a container's token is sent to no other host", "", []string{"AWS_CONTAINER_CREDENTIALS_FULL_URI=http://192.0.2.1/"}, "nor one of a container's host"},
		{"nothing", "", nil, "there are no credentials in the environment"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			env := map[string]string{"AWS_EC2_METADATA_DISABLED": "true", "HOME": t.TempDir(), "AWS_DEFAULT_REGION": region}
			for _, pair := range test.env {
				name, value, _ := strings.Cut(pair, "=")
				env[name] = value
			}
			load := aws.EnvironmentWith(func(name string) string { return env[name] }, command)
			got, err := load(t.Context(), sdk.Config{HTTPClient: &http.Client{Timeout: time.Minute}}, test.profile)
			if err != nil || got.Region != region {
				t.Fatalf("%q, %v", got.Region, err)
			}
			held, err := got.Credentials.Retrieve(context.Background())
			switch {
			case err != nil && !strings.HasSuffix(err.Error(), test.want), err == nil && held.AccessKeyID != test.want:
				t.Errorf("%q, %v: want %q", held.AccessKeyID, err, test.want)
			}
		})
	}
}

// TestCredentialsAreToldBeforeTheyAreUsed shows that OnCredentials is called before the
// first request, once for each secret, so that the secrets can be masked.
func TestCredentialsAreToldBeforeTheyAreUsed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, startAWS(t), "told")
	var told []string
	s := aws.New(aws.Config{
		Region: region, Endpoint: w.aws.Endpoint, STSEndpoint: w.aws.Endpoint, Now: w.now, Sleep: noSleep,
		Load: aws.Environment(func(name string) string {
			return map[string]string{"AWS_ACCESS_KEY_ID": w.aws.AccessKeyID, "AWS_SECRET_ACCESS_KEY": w.aws.SecretAccessKey}[name]
		}),
		OnCredentials: func(s secret.Secret) error {
			told = append(told, s.Reveal())
			if len(w.aws.Journal()) > 0 {
				t.Error("AWS was asked before")
			}
			return nil
		},
	})
	for range 2 {
		if _, err := s.Look(t.Context(), w.at); err != nil {
			t.Fatal(err)
		}
	}
	if len(told) != 1 || told[0] != w.aws.SecretAccessKey {
		t.Errorf("%d secrets were told of", len(told))
	}
}
