package testparts

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// SecretsManager is an AWS Secrets Manager for a test, with the STS of its account.
type SecretsManager struct {
	Endpoint        string // URL of both services, such as http://127.0.0.1:40123
	Account         string // 12 digits
	AccessKeyID     string // of the administrator, who has all permissions
	SecretAccessKey string

	t testing.TB
}

// AWSAccount is the account of a [SecretsManager] unless [AWSIdentities] names another one.
const AWSAccount = "123456789012"

// SecretsManagerOption configures the server.
type SecretsManagerOption func(t testing.TB, s *SecretsManager, args *[]string)

// WithAWSClock makes the server use a sandbox's clock. The URL answers {"now": RFC 3339}.
func WithAWSClock(url string) SecretsManagerOption { return awsOption("-clock-url", url) }

// WithListLag delays changes in ListSecrets by lag, at most an hour.
func WithListLag(lag time.Duration) SecretsManagerOption { return awsOption("-list-lag", lag.String()) }

// WithQuotas enables throttling above AWS's request quotas.
func WithQuotas() SecretsManagerOption { return awsOption("-quotas") }

// WithAWSIdentities adds users, roles and identity providers to the account.
func WithAWSIdentities(identities AWSIdentities) SecretsManagerOption {
	return func(t testing.TB, s *SecretsManager, args *[]string) {
		t.Helper()
		text, err := json.Marshal(identities)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "iam.json")
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if identities.Account != "" {
			s.Account = identities.Account
		}
		*args = append(*args, "-iam", file)
	}
}

func awsOption(words ...string) SecretsManagerOption {
	return func(_ testing.TB, _ *SecretsManager, args *[]string) { *args = append(*args, words...) }
}

// AWSIdentities defines users, roles and identity providers. Policies are IAM policy
// documents. The server rejects a policy that it cannot evaluate.
type AWSIdentities struct {
	Account string      `json:"account,omitempty"`
	Users   []AWSUser   `json:"users,omitempty"`
	Roles   []AWSRole   `json:"roles,omitempty"`
	Issuers []AWSIssuer `json:"issuers,omitempty"`
}

// AWSUser is an IAM user with one access key. The key ID has at least 16 characters.
type AWSUser struct {
	Name            string            `json:"name"`
	AccessKeyID     string            `json:"access_key_id"`
	SecretAccessKey string            `json:"secret_access_key"`
	Policies        []json.RawMessage `json:"policies,omitempty"`
}

// AWSRole is an IAM role with its trust policy.
type AWSRole struct {
	Name     string            `json:"name"`
	Policies []json.RawMessage `json:"policies,omitempty"`
	Trust    json.RawMessage   `json:"trust"`
}

// AWSIssuer is an OIDC identity provider, such as GitHub's.
type AWSIssuer struct {
	URL       string          `json:"url"` // iss claim of its tokens
	Audiences []string        `json:"audiences"`
	JWKS      json.RawMessage `json:"jwks"`
}

// SecretsManagerProgram returns the path of the program that [StartSecretsManager] starts.
func SecretsManagerProgram(t testing.TB) string {
	t.Helper()
	return programOr(t, "secretsmanager", builtSecretsManager)
}

// StartSecretsManager starts the server of tools/secretsmanager.
func StartSecretsManager(t testing.TB, options ...SecretsManagerOption) *SecretsManager {
	t.Helper()
	s := &SecretsManager{Account: AWSAccount, AccessKeyID: "AKIAADMINISTRATOR000", SecretAccessKey: "secret-access-key-of-a-test", t: t}
	args := []string{"-listen", "127.0.0.1:0", "-exit-on-stdin-close"}
	for _, apply := range options {
		apply(t, s, &args)
	}
	path := SecretsManagerProgram(t)
	listening := func(line string) (string, bool) { return strings.CutPrefix(line, "secretsmanager: listening on ") }
	env := []string{
		"SECRETSMANAGER_ACCESS_KEY_ID=" + s.AccessKeyID, "SECRETSMANAGER_SECRET_ACCESS_KEY=" + s.SecretAccessKey,
		"GOMAXPROCS=1", "GOGC=400", // many instances run in parallel
	}
	var err error
	if s.Endpoint, err = start(t, listening, env, path, args...); err != nil {
		t.Fatal(err)
	}
	return s
}

// AWSFault is a rule for the failure of the requests that match it.
// tools/secretsmanager/faults.go describes how fields can be combined.
type AWSFault struct {
	Operation string `json:"operation,omitempty"` // glob, such as "*SecretValue"; includes STS operations
	Secret    string `json:"secret,omitempty"`    // glob for the name; a final "**" matches any suffix
	Skip      int    `json:"skip,omitempty"`
	Count     int    `json:"count,omitempty"` // 0 means 1, -1 means all
	DelayMS   int    `json:"delay_ms,omitempty"`
	Hold      bool   `json:"hold,omitempty"`  // until [SecretsManager.Release]
	Lose      string `json:"lose,omitempty"`  // "request" or "response"
	Error     string `json:"error,omitempty"` // such as "ThrottlingException"
	After     bool   `json:"after,omitempty"` // do the work first, then return Error
	Status    int    `json:"status,omitempty"`
	Body      string `json:"body,omitempty"`
}

// AWSEvent is one request in CloudTrail's format. Secret values are omitted.
type AWSEvent struct {
	EventTime    time.Time `json:"eventTime"` // by the server's clock
	EventSource  string    `json:"eventSource"`
	EventName    string    `json:"eventName"`
	AWSRegion    string    `json:"awsRegion"`
	UserIdentity struct {
		Type        string `json:"type"`
		ARN         string `json:"arn"`
		AccessKeyID string `json:"accessKeyId"`
	} `json:"userIdentity"`
	RequestParameters map[string]any `json:"requestParameters"` // for example secretId and clientRequestToken
	ErrorCode         string         `json:"errorCode"`
	ErrorMessage      string         `json:"errorMessage"`
	Secret            string         `json:"secret"` // name of the secret
	Status            int            `json:"status"` // 0 if the connection was cut
}

// Inject adds faults.
func (s *SecretsManager) Inject(faults ...AWSFault) {
	s.t.Helper()
	s.ask(http.MethodPost, "faults", faults, nil)
}

// ClearFaults removes all pending faults.
func (s *SecretsManager) ClearFaults() {
	s.t.Helper()
	s.ask(http.MethodDelete, "faults", nil, nil)
}

// Release releases all held requests.
func (s *SecretsManager) Release() {
	s.t.Helper()
	s.ask(http.MethodPost, "release", nil, nil)
}

// Journal returns the requests since the start or the last [SecretsManager.ForgetJournal].
func (s *SecretsManager) Journal() (events []AWSEvent) {
	s.t.Helper()
	s.ask(http.MethodGet, "journal", nil, &events)
	return events
}

// ForgetJournal empties the journal.
func (s *SecretsManager) ForgetJournal() {
	s.t.Helper()
	s.ask(http.MethodDelete, "journal", nil, nil)
}

// AddIdentities adds users, roles and providers, or replaces those with the same name.
func (s *SecretsManager) AddIdentities(identities AWSIdentities) {
	s.t.Helper()
	s.ask(http.MethodPost, "iam", identities, nil)
}

// SetClock stops the server's clock at a time.
func (s *SecretsManager) SetClock(at time.Time) {
	s.t.Helper()
	s.ask(http.MethodPost, "clock", map[string]time.Time{"set": at}, nil)
}

// AdvanceClock moves the server's clock. by may be negative.
func (s *SecretsManager) AdvanceClock(by time.Duration) {
	s.t.Helper()
	s.ask(http.MethodPost, "clock", map[string]string{"advance": by.String()}, nil)
}

// Set enables or disables quotas and sets the lag of ListSecrets.
func (s *SecretsManager) Set(quotas bool, listLag time.Duration) {
	s.t.Helper()
	s.ask(http.MethodPost, "settings", map[string]any{"quotas": quotas, "list_lag": listLag.String()}, nil)
}

// ask sends a control request.
func (s *SecretsManager) ask(method, path string, in, out any) {
	s.t.Helper()
	Ask(s.t, method, s.Endpoint+"/_aws/"+path, "", in, out)
}
