package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sm "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// tell sends a control request.
func (w *world) tell(method, path, body string) (int, string) {
	w.Helper()
	req, err := http.NewRequestWithContext(w.Context(), method, w.url+path, strings.NewReader(body))
	if err != nil {
		w.Fatal(err)
	}
	resp, err := w.http.Do(req)
	if err != nil {
		w.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		w.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

func (w *world) fault(rules string) {
	w.Helper()
	if status, text := w.tell(http.MethodPost, "/_aws/faults", rules); status != http.StatusNoContent {
		w.Fatalf("%s: %d %s", rules, status, text)
	}
}

// outcomes returns the results of one operation's requests from the journal.
func (w *world) outcomes(operation string) (list []string) {
	w.Helper()
	_, text := w.tell(http.MethodGet, "/_aws/journal", "")
	var events []event
	if err := json.Unmarshal([]byte(text), &events); err != nil {
		w.Fatal(err)
	}
	for _, e := range events {
		if e.EventName == operation {
			list = append(list, strings.TrimSpace(fmt.Sprint(e.Status, " ", e.ErrorCode)))
		}
	}
	return list
}

func TestFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rule     string
		outcome  string // from the journal
		stored   bool   // whether the work was done
		answered string // the SDK's name of the error; "" if the connection was cut
	}{
		{`{"operation":"PutSecretValue","error":"ThrottlingException"}`, "400 ThrottlingException", false, throttling},
		{`{"operation":"*SecretValue","error":"InternalServiceError"}`, "500 InternalServiceError", false, internalError},
		{`{"operation":"PutSecretValue","error":"InternalServiceError","after":true}`, "500 InternalServiceError", true, internalError},
		{`{"operation":"PutSecretValue","secret":"ci/*","lose":"request"}`, "0", false, ""},
		{`{"operation":"PutSecretValue","secret":"ci/**","lose":"response"}`, "0", true, ""},
		{`{"operation":"PutSecretValue","delay_ms":1,"error":"ServiceUnavailable"}`, "503 ServiceUnavailable", false, serviceDown},
	} {
		w := newWorld(t, iamConfig{})
		w.create("ci/a")
		w.fault(c.rule)
		err := w.put("ci/a", "2", "two")
		if got := refusal(err); err == nil || c.answered != "" && got != c.answered {
			t.Errorf("%s: %q, want %q", c.rule, got, c.answered)
		}
		if got := w.outcomes("PutSecretValue"); !slices.Equal(got, []string{c.outcome}) {
			t.Errorf("%s: the journal has %q, want %q", c.rule, got, c.outcome)
		}
		if _, stored := w.stagesOf(t.Context(), "ci/a")["2"]; stored != c.stored {
			t.Errorf("%s: stored %v", c.rule, stored)
		}
		if err := w.put("ci/a", "2", "two"); err != nil {
			t.Errorf("%s: the second time: %v", c.rule, err)
		}
	}
}

// An answer can come from a proxy instead of AWS.
func TestForeignAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, iamConfig{})
	w.fault(`{"operation":"GetCallerIdentity","status":502,"body":"<html>"}`)
	if _, err := w.sts().GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{}); err == nil {
		t.Error("a proxy's page was taken for an answer")
	}
	if got := w.outcomes("GetCallerIdentity"); !slices.Equal(got, []string{"502"}) {
		t.Errorf("the journal has %q", got)
	}
	w.fault(`{"operation":"GetCallerIdentity","error":"ThrottlingException"}`)
	_, err := w.sts().GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	if got := refusal(err); got != "Throttling" {
		t.Errorf("throttled: %q", got)
	}
}

func TestFaultRules(t *testing.T) {
	t.Parallel()
	w := newWorld(t, iamConfig{})
	w.create("a")
	w.create("b")
	w.fault(`[{"operation":"DescribeSecret","secret":"a","skip":1,"count":2,"error":"ThrottlingException"},{"operation":"TagResource","count":-1,"error":"InternalServiceError"}]`)
	describe := func(name string) string {
		_, err := w.client().DescribeSecret(t.Context(), &sm.DescribeSecretInput{SecretId: &name})
		return refusal(err)
	}
	got := []string{describe("b"), describe("a"), describe("b"), describe("a"), describe("a"), describe("a")}
	if want := []string{"", "", "", throttling, throttling, ""}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	for range 3 {
		if got := refusal(w.tag("a", pairs("k=v")...)); got != internalError {
			t.Errorf("%q", got)
		}
	}
	w.tell(http.MethodDelete, "/_aws/faults", "")
	if err := w.tag("a", pairs("k=v")...); err != nil {
		t.Errorf("after the faults were taken back: %v", err)
	}
	for _, wrong := range []string{`{"lose":"all"}`, `{"skip":-1}`, `{"count":-2}`, `{"status":99}`, `{"colour":"red"}`, `{"operation":"["}`, `{"secret":"["}`, ``, `{} {}`} {
		if status, _ := w.tell(http.MethodPost, "/_aws/faults", wrong); status != http.StatusBadRequest {
			t.Errorf("%s: %d", wrong, status)
		}
	}
}

// A write can land after its caller has given up.
func TestLateWrite(t *testing.T) {
	t.Parallel()
	w := newWorld(t, iamConfig{})
	w.create("a")
	w.fault(`{"operation":"PutSecretValue","hold":true,"lose":"response"}`)
	if err := w.put("a", "2", "two"); err == nil {
		t.Error("the caller got an answer")
	}
	if got := w.stagesOf(t.Context(), "a"); len(got) != 1 {
		t.Errorf("before the release: %v", got)
	}
	w.tell(http.MethodPost, "/_aws/release", "")
	for deadline := time.Now().Add(time.Minute); len(w.stagesOf(t.Context(), "a")) != 2; {
		if time.Now().After(deadline) {
			t.Fatal("the write did not land")
		}
	}
	// A held request is answered on release.
	w.fault(`{"operation":"PutSecretValue","hold":true}`)
	done := make(chan error, 1)
	go func() { done <- w.put("a", "3", "three") }()
	for {
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("held: %v", err)
			}
			return
		default:
			w.tell(http.MethodPost, "/_aws/release", "")
		}
	}
}

// The journal records who did what to which secret, without values.
func TestJournal(t *testing.T) {
	t.Parallel()
	u := limitedUser(t, `{"Effect":"Allow","Action":"secretsmanager:DescribeSecret","Resource":"*"}`)
	w := newWorld(t, iamConfig{Users: []user{u}})
	const canary = "canary-value-of-a-secret"
	created, err := w.client().CreateSecret(t.Context(), &sm.CreateSecretInput{Name: aws.String("ci/a"), SecretString: aws.String(canary), ClientRequestToken: id("1")})
	arn := *must(t, created, err).ARN
	_, err = w.client().PutSecretValue(t.Context(), &sm.PutSecretValueInput{SecretId: &arn, SecretBinary: []byte(canary), ClientRequestToken: id("2")})
	if err != nil {
		t.Fatal(err)
	}
	w.advance(time.Minute)
	_, err = w.client(as(u)).GetSecretValue(t.Context(), &sm.GetSecretValueInput{SecretId: aws.String("ci/a")})
	if got := refusal(err); got != accessDenied {
		t.Fatal(got)
	}
	_, text := w.tell(http.MethodGet, "/_aws/journal", "")
	if strings.Contains(text, canary) || strings.Contains(text, "Y2FuYXJ5") || strings.Contains(text, u.SecretAccessKey) {
		t.Errorf("the journal has a secret: %s", text)
	}
	var events []event
	if err := json.Unmarshal([]byte(text), &events); err != nil || len(events) != 3 {
		t.Fatalf("%v %s", err, text)
	}
	if e := events[0]; e.EventName != "CreateSecret" || e.EventSource != "secretsmanager.amazonaws.com" || e.AWSRegion != home || !e.EventTime.Equal(noon) ||
		e.Secret != "ci/a" || e.Status != 200 || e.RequestParameters["secretString"] != withheld || e.RequestParameters["clientRequestToken"] != *id("1") {
		t.Errorf("create: %+v", e)
	}
	if e := events[1]; e.Secret != "ci/a" || e.RequestParameters["secretId"] != arn || e.RequestParameters["secretBinary"] != withheld {
		t.Errorf("put: %+v", e)
	}
	if e := events[2]; e.UserIdentity.ARN != "arn:aws:iam::123456789012:user/ci" || e.UserIdentity.AccessKeyID != u.AccessKeyID || e.ErrorCode != accessDenied ||
		!e.EventTime.Equal(noon.Add(time.Minute)) || e.RequestID == "" {
		t.Errorf("get: %+v", e)
	}
	w.tell(http.MethodDelete, "/_aws/journal", "")
	if _, text := w.tell(http.MethodGet, "/_aws/journal", ""); strings.TrimSpace(text) != "[]" {
		t.Errorf("journal %s", text)
	}
}

// "Combined rate of PutSecretValue, …, UpdateSecret, and UpdateSecretVersionStage API
// requests: 50 per second", in each region.
func TestQuotas(t *testing.T) {
	t.Parallel()
	w := newWorld(t, iamConfig{})
	w.create("a")
	w.create("b")
	if status, text := w.tell(http.MethodPost, "/_aws/settings", `{"quotas":true}`); status != http.StatusOK || !strings.Contains(text, `"quotas":true`) {
		t.Fatalf("%d %s", status, text)
	}
	for n := range 25 {
		if err := w.put("a", fmt.Sprint(n+2), "v"); err != nil {
			t.Fatal(err)
		}
		_, err := w.client().UpdateSecret(t.Context(), &sm.UpdateSecretInput{SecretId: aws.String("b"), Description: aws.String("d")})
		if err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if got := refusal(w.put("a", "90", "v")); got != throttling {
			t.Errorf("request 51 of a second: %q", got)
		}
	}
	if err := w.tag("a", pairs("k=v")...); err != nil {
		t.Errorf("another quota: %v", err)
	}
	elsewhere := w.client(func(o *sm.Options) { o.Region = "us-east-1" })
	_, err := elsewhere.UpdateSecret(t.Context(), &sm.UpdateSecretInput{SecretId: aws.String("b")})
	if got := refusal(err); got != notFound {
		t.Errorf("another region: %q", got)
	}
	w.advance(time.Second)
	if err := w.put("a", "90", "v"); err != nil {
		t.Errorf("a second later: %v", err)
	}
}

func TestClock(t *testing.T) {
	t.Parallel()
	w := newWorld(t, iamConfig{})
	for _, c := range []struct{ move, now string }{
		{`{"advance":"90m"}`, "2026-11-28T13:30:00Z"},
		{`{"advance":"-30m"}`, "2026-11-28T13:00:00Z"},
		{`{"set":"2027-01-01T01:00:00+01:00"}`, "2027-01-01T00:00:00Z"},
	} {
		if status, text := w.tell(http.MethodPost, "/_aws/clock", c.move); status != http.StatusOK || !strings.Contains(text, c.now) {
			t.Errorf("%s: %d %s", c.move, status, text)
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := w.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got := resp.Header.Get("Date"); got != "Fri, 01 Jan 2027 00:00:00 GMT" {
		t.Errorf("Date %s", got)
	}
	w.tell(http.MethodPost, "/_aws/clock", `{"real":true}`)
	if now, err := w.clock.now(t.Context()); err != nil || time.Since(now).Abs() > time.Minute {
		t.Errorf("real: %s %v", now, err)
	}
	w.tell(http.MethodPost, "/_aws/clock", `{"advance":"24h"}`)
	if now, err := w.clock.now(t.Context()); err != nil || (time.Since(now)+day).Abs() > time.Minute {
		t.Errorf("a day ahead, and running: %s %v", now, err)
	}
	for _, wrong := range []string{`{}`, `{"real":true,"advance":"1s"}`, `{"advance":"soon"}`, `{"back":"1s"}`, `{"set":"1969-12-31T00:00:00Z"}`, ``} {
		if status, _ := w.tell(http.MethodPost, "/_aws/clock", wrong); status != http.StatusBadRequest {
			t.Errorf("%s: %d", wrong, status)
		}
	}
}

// Users, roles and providers can be added and replaced while the server runs.
func TestIdentitiesChange(t *testing.T) {
	t.Parallel()
	w := newWorld(t, iamConfig{})
	w.create("a")
	add := func(action string) (int, string) {
		return w.tell(http.MethodPost, "/_aws/iam", `{"users":[{"name":"ci","access_key_id":"AKIALIMITED000000000","secret_access_key":"s",
			"policies":[`+statements(`{"Effect":"Allow","Action":"`+action+`","Resource":"*"}`)+`]}]}`)
	}
	describe := func() string {
		_, err := w.client(func(o *sm.Options) {
			o.Credentials = credentials.NewStaticCredentialsProvider("AKIALIMITED000000000", "s", "")
		}).DescribeSecret(t.Context(), &sm.DescribeSecretInput{SecretId: aws.String("a")})
		return refusal(err)
	}
	if got := describe(); got != unrecognized {
		t.Errorf("nobody yet: %q", got)
	}
	for action, want := range map[string]string{"secretsmanager:Describe*": "", "secretsmanager:Get*": accessDenied} {
		if status, text := add(action); status != http.StatusNoContent {
			t.Fatalf("%d %s", status, text)
		}
		if got := describe(); got != want {
			t.Errorf("%s: %q, want %q", action, got, want)
		}
	}
	for _, wrong := range []string{
		`{"users":[{"name":"x"}]}`, `{"roles":[{"name":"x"}]}`, `{"groups":[]}`, `{"account":"1"}`, `{"account":"210987654321"}`,
		`{"issuers":[{"url":"none"}]}`, `{"issuers":[{"url":"https://a.example.com","jwks":{"keys":[]}}]}`,
		`{"issuers":[{"url":"https://a.example.com","jwks":{"keys":[{"kty":"oct"}]}}]}`,
	} {
		if status, _ := w.tell(http.MethodPost, "/_aws/iam", wrong); status != http.StatusBadRequest {
			t.Errorf("%s: %d", wrong, status)
		}
	}
}
