package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

// serve runs the program until the test ends, and returns its address.
func serve(t *testing.T, stdin io.Reader, args ...string) (address string, ended <-chan error) {
	t.Helper()
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	read, write := io.Pipe()
	done, finished := make(chan error, 1), make(chan struct{})
	go func() {
		done <- run(ctx, append([]string{"-listen", "127.0.0.1:0"}, args...), "root", stdin, write, io.Discard)
		close(finished)
	}()
	t.Cleanup(func() { stop(); <-finished })
	line, err := bufio.NewReader(read).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	address, ok := strings.CutPrefix(strings.TrimSpace(line), "kv: listening on ")
	if !ok {
		t.Fatalf("said %q", line)
	}
	return address, done
}

// ask sends a request and returns the status and the body; the status is 0 if the connection
// was cut.
func ask(t *testing.T, method, url, token, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Vault-Token", token)
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return 0, ""
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

func TestEndsWithItsInput(t *testing.T) {
	t.Parallel()
	stdin, parent := io.Pipe()
	_, ended := serve(t, stdin, "-exit-on-stdin-close")
	if err := parent.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("ended with %v", err)
	}
}

func TestServesLoopbackOnly(t *testing.T) {
	t.Parallel()
	if err := run(t.Context(), []string{"-listen", "0.0.0.0:0"}, "root", nil, io.Discard, io.Discard); err == nil {
		t.Error("listened to everybody")
	}
}

func TestSealAndUnseal(t *testing.T) {
	t.Parallel()
	address, _ := serve(t, nil)
	for _, step := range []struct {
		method, path, token string
		want                int
	}{
		{"GET", "/v1/sys/health", "", 200},
		{"PUT", "/v1/sys/seal", "stranger", 403},
		{"PUT", "/v1/sys/seal", "root", 204},
		{"GET", "/v1/sys/health", "", 503},
		{"GET", "/v1/sys/health?sealedcode=299", "", 299},
		{"GET", "/v1/secret/metadata/x", "root", 503},
		{"PUT", "/v1/sys/unseal", "", 200},
		{"GET", "/v1/secret/metadata/x", "root", 404},
		{"GET", "/v1/nothing/x", "root", 404},
	} {
		if got, body := ask(t, step.method, address+step.path, step.token, "{}"); got != step.want {
			t.Errorf("%s %s: %d %s, want %d", step.method, step.path, got, body, step.want)
		}
	}
}

func TestFaultsAndJournal(t *testing.T) {
	t.Parallel()
	address, _ := serve(t, nil)
	rules := `[
		{"method":"put","path":"secret/data/**","skip":1,"status":502,"after":true},
		{"path":"/v1/secret/data/*","lose":"request"}
	]`
	if status, body := ask(t, "POST", address+"/_kv/faults", "", rules); status != 204 {
		t.Fatalf("%d %s", status, body)
	}
	for _, wrong := range []string{`{"lose":"all"}`, `{"skip":-1}`, `{"status":99}`, `{"colour":"red"}`, `{"path":"["}`, ``} {
		if status, _ := ask(t, "POST", address+"/_kv/faults", "", wrong); status != 400 {
			t.Errorf("%s: %d", wrong, status)
		}
	}
	write := func(cas string) int {
		status, _ := ask(t, "PUT", address+"/v1/secret/data/x", "root", `{"data":{"a":"canary"},"options":{"cas":`+cas+`}}`)
		return status
	}
	// The first rule skips the first request, so the second rule applies and cuts it off.
	if got := []int{write("0"), write("0"), write("0"), write("1")}; !slices.Equal(got, []int{0, 502, 400, 200}) {
		t.Errorf("statuses %v", got)
	}
	_, journal := ask(t, "GET", address+"/_kv/journal", "", "")
	if strings.Count(journal, "/v1/secret/data/x") != 4 || strings.Contains(journal, "canary") || strings.Contains(journal, "root") {
		t.Errorf("journal %s", journal)
	}
	ask(t, "DELETE", address+"/_kv/journal", "", "")
	if _, journal := ask(t, "GET", address+"/_kv/journal", "", ""); strings.TrimSpace(journal) != "[]" {
		t.Errorf("journal %s", journal)
	}
}

// A client takes Vault's time from sys/health or from the Date of any answer, so the two
// always agree.
func TestEveryAnswerIsDatedByTheClock(t *testing.T) {
	t.Parallel()
	var told atomic.Value
	told.Store(`{"now":"2026-03-01T12:00:00Z"}`)
	clock := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, told.Load().(string)) //nolint:forcetypeassert // nothing else is stored
	}))
	defer clock.Close()
	address, _ := serve(t, nil, "-clock-url", clock.URL)
	want := func(date string) {
		t.Helper()
		for path, token := range map[string]string{
			"/v1/sys/health": "", "/v1/sys/seal-status": "", "/v1/secret/metadata/x": "root", "/v1/secret/data/x": "stranger",
			"/v1/auth/token/lookup-self": "root", "/v1/nothing/x": "root", "/elsewhere": "root",
		} {
			if got := header(t, address+path, token).Values("Date"); strings.Join(got, "|") != date {
				t.Errorf("%s is dated %q, want %q", path, got, date)
			}
		}
	}
	want("Sun, 01 Mar 2026 12:00:00 GMT")
	told.Store(`{"now":"2026-05-30T14:00:00+02:00"}`)
	want("Sat, 30 May 2026 12:00:00 GMT")
	told.Store(`{}`)
	want("") // no Date is better than one that contradicts sys/health
}

// header returns the header of an answer.
func header(t *testing.T, url, token string) http.Header {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Vault-Token", token)
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp.Header
}

func TestPolicies(t *testing.T) {
	t.Parallel()
	token, err := parsePolicyToken("few=secret/data/ci/*:update,create;secret/data/ci/locked:deny;secret/metadata/*:read")
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"secret/data/ci/x":      "create update",
		"secret/data/ci/locked": "deny",
		"secret/data/other":     "deny",
		"secret/metadata/a/b":   "read",
	} {
		if got := strings.Join(token.rules.capabilities(path), " "); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	if !token.rules.sees("secret") || token.rules.sees("other") || policy(nil).capabilities("any")[0] != "root" {
		t.Error("who sees which mount is wrong")
	}
	for _, wrong := range []string{"", "token", "=secret/*:read", "token=secret"} {
		if _, err := parsePolicyToken(wrong); err == nil {
			t.Errorf("%q was taken", wrong)
		}
	}
}
