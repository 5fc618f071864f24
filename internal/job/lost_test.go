package job

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/fleet"
	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
)

// afternoon is the time at which the job requested its token.
var afternoon = time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)

// lostJob is a post step that knows only the token's name, because the response to the create
// was lost. Its clock advances when it waits.
type lostJob struct {
	box   *sandbox.Server
	now   time.Time
	looks []time.Duration // times of the list requests, since the create
	said  string
	// arrives is the time at which the create takes effect; negative = never.
	arrives time.Duration
	// neighbor is the ID in the response to the create, which belongs to someone else's
	// token.
	neighbor string
}

const lostName = "gha:acme/app:1.1:scan:abcdefghij"

func (l *lostJob) run(t *testing.T, began time.Duration, state map[string]string) int {
	t.Helper()
	box, err := sandbox.New(sandbox.Options{Start: afternoon})
	if err != nil {
		t.Fatal(err)
	}
	l.box, l.now = box, afternoon.Add(began)
	_, broker := box.Mint("broker", time.Time{})
	l.neighbor, _ = box.Mint("deploy", time.Time{})
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/api-tokens") {
			l.looks = append(l.looks, l.now.Sub(afternoon))
		}
		box.ServeHTTP(w, r)
	}))
	t.Cleanup(api.Close)
	vault := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"data": map[string]any{"data": map[string]any{"token": broker}, "metadata": map[string]any{"version": 1}}})
	}))
	t.Cleanup(vault.Close)
	inputs, err := json.Marshal(map[string]string{
		"endpoint": api.URL, "vault_address": vault.URL, "vault_path": "ci/broker", "vault_auth_method": "token", "max_attempts": "1",
	})
	if err != nil {
		t.Fatal(err)
	}
	files := commandFiles(t)
	env := map[string]string{
		"INPUT_VAULT_TOKEN": "hvs.a-token-of-this-test", "STATE_" + stateInputs: string(inputs),
		"STATE_" + stateNames: `["` + lostName + `"]`, "STATE_" + stateExpires: "2026-01-05T13:00:00Z", "STATE_" + stateAsked: "2026-01-05T12:00:00Z",
	}
	for name, value := range state {
		env["STATE_"+name] = strings.ReplaceAll(value, "NEIGHBOR", l.neighbor)
	}
	var out bytes.Buffer
	m := Machine{
		Out: &out, Now: func() time.Time { return l.now },
		Getenv: func(name string) string { return env[name] + files(name) },
		Sleep: func(_ context.Context, d time.Duration) error {
			before := l.now.Sub(afternoon)
			l.now = l.now.Add(d)
			if after := l.now.Sub(afternoon); before < l.arrives && l.arrives <= after {
				box.Mint(lostName, afternoon.Add(time.Hour))
			}
			return nil
		},
	}
	code := m.Post()
	l.said = out.String()
	return code
}

func (l *lostJob) live() int {
	n := 0
	for _, token := range l.box.Tokens() {
		if token.Name == lostName && token.Status == "active" {
			n++
		}
	}
	return n
}

// A create whose response is lost may take effect after the post step has started. The post
// step looks for its token until the create can no longer take effect.
func TestPostWaitsForWhatMayLand(t *testing.T) {
	t.Parallel()
	for _, at := range []time.Duration{9 * time.Second, 30 * time.Second} {
		l := &lostJob{arrives: at}
		if code := l.run(t, time.Second, nil); code != 0 || l.live() != 0 {
			t.Errorf("%s: %d, %d live\n%s", at, code, l.live(), l.said)
		}
		if !strings.Contains(l.said, "was found by its name and is revoked.") || strings.Contains(l.said, "PSA501") {
			t.Errorf("%s: %s", at, l.said)
		}
	}
}

// A token that was never listed is not reported as revoked, because it may still exist.
func TestPostNeverCallsRevokedWhatItDidNotSee(t *testing.T) {
	t.Parallel()
	l := &lostJob{arrives: -1}
	code := l.run(t, time.Second, nil)
	want := "::warning title=PAIStrike PSA501::PSA501: A token named " + lostName + " may exist until 2026-01-05T13:00:00Z: "
	if code != 0 || !strings.Contains(l.said, want) || strings.Contains(l.said, "revoked.\n") {
		t.Errorf("%d: %s", code, l.said)
	}
	if last := l.looks[len(l.looks)-1]; last != lookTime || len(l.looks) != 7 {
		t.Errorf("looked at %v", l.looks)
	}
}

// A response that names someone else's token does not cause its revocation.
func TestPostLeavesATokenOfAnothersNameAlone(t *testing.T) {
	t.Parallel()
	l := &lostJob{arrives: -1}
	code := l.run(t, time.Minute, map[string]string{stateID: "NEIGHBOR", stateName: lostName})
	if code != 0 || !strings.Contains(l.said, "::warning title=PAIStrike PSA501::") || !strings.Contains(l.said, "PAIStrike does not list it under a name that this run chose, so it was not revoked") {
		t.Errorf("%d: %s", code, l.said)
	}
	for _, token := range l.box.Tokens() {
		if token.ID == l.neighbor && token.Status != "active" {
			t.Errorf("the neighbor's token is %s", token.Status)
		}
	}
}

// A post step that starts late enough looks only once.
func TestPostDoesNotWaitForLong(t *testing.T) {
	t.Parallel()
	l := &lostJob{arrives: -1}
	if l.run(t, time.Minute, nil); len(l.looks) != 1 || !strings.Contains(l.said, "PSA501") {
		t.Errorf("looked at %v: %s", l.looks, l.said)
	}
}

// After a cancellation, a create in progress has only a few more seconds.
func TestGraceful(t *testing.T) {
	t.Parallel()
	outer, cancel := context.WithCancel(t.Context())
	inner, end := graceful(outer, time.Hour, time.Millisecond)
	defer end()
	if inner.Err() != nil {
		t.Fatal("it ended by itself")
	}
	cancel()
	<-inner.Done()
	patient, end := graceful(outer, time.Hour, time.Hour)
	defer end()
	if patient.Err() != nil {
		t.Error("it ended with the cancel")
	}
	short, end := graceful(t.Context(), time.Millisecond, time.Hour)
	defer end()
	<-short.Done()
}

// A token's name identifies its run, in any CI.
func TestTokenNamesSayWhere(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		env  map[string]string
		want string
	}{
		{map[string]string{"GITHUB_REPOSITORY": "acme/app", "GITHUB_RUN_ID": "1", "GITHUB_RUN_ATTEMPT": "2", "GITHUB_JOB": "scan"}, "exec:acme/app:1.2:scan:"},
		{map[string]string{"CI_PROJECT_PATH": "acme/app", "CI_PIPELINE_ID": "11", "CI_JOB_ID": "22", "CI_JOB_NAME": "scan: prod"}, "exec:acme/app:11.22:scan--prod:"},
		{map[string]string{"CIRCLE_PROJECT_REPONAME": "app", "CIRCLE_BUILD_NUM": "7", "CIRCLE_NODE_INDEX": "0", "CIRCLE_JOB": "scan"}, "exec:app:7.0:scan:"},
		{map[string]string{"BUILDKITE_PIPELINE_SLUG": "app", "BUILDKITE_BUILD_NUMBER": "7", "BUILDKITE_RETRY_COUNT": "0"}, "exec:app:7.0:-:"},
		{map[string]string{"BUILD_REPOSITORY_NAME": "app", "BUILD_BUILDID": "99", "SYSTEM_JOBATTEMPT": "1", "SYSTEM_JOBNAME": "scan"}, "exec:app:99.1:scan:"},
		{map[string]string{"JOB_NAME": "team/app", "BUILD_NUMBER": "5", "EXECUTOR_NUMBER": "1"}, "exec:team/app:5.1:-:"},
		{nil, "exec:build-host:-.-:-:"},
	} {
		s := &session{host: "build-host", set: settings{label: "exec"}, getenv: func(name string) string { return test.env[name] }}
		s.gh = Machine{Getenv: s.getenv, Err: &bytes.Buffer{}}.terminal(nil)
		got := s.tokenName()
		if !strings.HasPrefix(got, test.want) || !fleet.IsJobToken(got) {
			t.Errorf("%s, want %s…", got, test.want)
		}
	}
}
