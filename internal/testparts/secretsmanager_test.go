package testparts

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"
)

// call sends an unsigned request and returns the status, or 0 if the connection was cut.
func (s *SecretsManager) call(t *testing.T) (status int, date string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.Endpoint, strings.NewReader(`{"SecretId":"ci/a"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Amz-Target", "secretsmanager.GetSecretValue")
	client := http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return 0, ""
	}
	defer resp.Body.Close()
	return resp.StatusCode, resp.Header.Get("Date")
}

func TestSecretsManager(t *testing.T) {
	t.Parallel()
	allow := json.RawMessage(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"secretsmanager:*","Resource":"*"}]}`)
	identities := AWSIdentities{
		Account: "210987654321",
		Users:   []AWSUser{{Name: "ci", AccessKeyID: "AKIACI00000000000000", SecretAccessKey: "x", Policies: []json.RawMessage{allow}}},
	}
	s := StartSecretsManager(t, WithAWSIdentities(identities), WithQuotas(), WithListLag(time.Minute))
	if s.Account != identities.Account {
		t.Errorf("account %s", s.Account)
	}
	s.Inject(AWSFault{Operation: "*SecretValue", Secret: "ci/*", Lose: "request"}, AWSFault{Error: "InternalServiceError"})
	for i, want := range []int{0, 500, 400} { // the last is rejected because it is unsigned
		if got, _ := s.call(t); got != want {
			t.Errorf("call %d: %d, want %d", i, got, want)
		}
	}
	journal := s.Journal()
	if len(journal) != 3 || journal[0].Status != 0 || journal[1].ErrorCode != "InternalServiceError" ||
		journal[2].ErrorCode != "MissingAuthenticationTokenException" || journal[2].Secret != "ci/a" || journal[2].EventName != "GetSecretValue" {
		t.Errorf("journal %+v", journal)
	}
	s.ForgetJournal()
	s.Inject(AWSFault{Error: "InternalServiceError", Count: -1})
	s.ClearFaults()
	s.SetClock(time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC))
	s.AdvanceClock(90 * time.Minute)
	if status, date := s.call(t); status != 400 || date != "Fri, 01 Jan 2027 01:30:00 GMT" {
		t.Errorf("%d at %s", status, date)
	}
	if journal := s.Journal(); len(journal) != 1 {
		t.Errorf("journal %+v", journal)
	}
	s.AddIdentities(AWSIdentities{Users: identities.Users})
	s.Set(false, 0)
	s.Release()
}
