package sandbox_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
)

func TestStateOutlivesTheProcess(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state.json")
	machine := func() time.Time { return noon() }
	before := start(t, sandbox.Options{StateFile: path, Now: machine})
	kept, gone := before.create("kept", time.Hour), before.create("gone", 0)
	before.as(kept.Secret, "DELETE", "/api-tokens/"+gone.ID, "")
	before.control("POST", "clock", `{"advance":"30m"}`)

	after, err := sandbox.New(sandbox.Options{StateFile: path, Now: machine})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := after.Tokens(), before.sandbox.Tokens(); !slices.Equal(got, want) {
		t.Errorf("tokens are\n%+v, were\n%+v", got, want)
	}
	if got := after.Clock().Now(); !got.Equal(noon().Add(30 * time.Minute)) {
		t.Errorf("the clock says %v", got)
	}
	w := start(t, sandbox.Options{StateFile: path, Now: machine})
	wantStatus(w, w.as(kept.Secret, "GET", "/api-tokens/self", ""), http.StatusOK)
	refused(w, w.as(gone.Secret, "GET", "/api-tokens/self", ""), http.StatusUnauthorized, "token_revoked")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if left, err := filepath.Glob(path + ".*"); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestStateThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{
		"no JSON":         "{",
		"another version": `{"version":9}`,
		"no digest":       `{"version":1,"clock":{"offset":"0s"},"tokens":[{"id":"tok_1","sha256":"abcd"}]}`,
	} {
		path := filepath.Join(t.TempDir(), "state.json")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := sandbox.New(sandbox.Options{StateFile: path}); err == nil {
			t.Errorf("%s: was taken", name)
		}
	}
}

func TestStateThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "state")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	w := start(t, sandbox.Options{StateFile: filepath.Join(folder, "state.json")})
	if err := os.Remove(folder); err != nil {
		t.Fatal(err)
	}
	refused(w, w.api("POST", "/api-tokens", `{"name":"x"}`), http.StatusInternalServerError, "internal")
}

func TestOptionsThatCannotBe(t *testing.T) {
	t.Parallel()
	for _, prefix := range []string{"api", "/api/", "/{x}", "/a b"} {
		if _, err := sandbox.New(sandbox.Options{Prefix: prefix}); err == nil {
			t.Errorf("prefix %q was taken", prefix)
		}
	}
	for prefix, path := range map[string]string{"/": "/api-tokens", "/v2/x": "/v2/x/api-tokens"} {
		w := start(t, sandbox.Options{Prefix: prefix})
		wantStatus(w, w.must(w.try(t.Context(), w.secret, "GET", path, "")), http.StatusOK)
	}
}

// TestSecretsAreSeenOnce performs every operation, queries every endpoint, and searches all
// responses for every secret in every encoding.
func TestSecretsAreSeenOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state.json")
	w := start(t, sandbox.Options{StateFile: path})
	first := w.create("first", time.Hour)
	second := decode[token](w, w.control("POST", "tokens", `{"name":"second"}`), http.StatusCreated)
	w.sandbox.AddFaults(sandbox.Fault{Method: "POST", Status: 502, After: true}, sandbox.Fault{Method: "POST", Lose: sandbox.LoseResponse})
	seen := []string{w.must(w.post("hidden by a fault")).body}
	if _, err := w.post("lost"); err == nil {
		t.Error("the answer was not lost")
	}
	w.control("POST", "seed", `{"count":3}`)

	// A caller sends its secret in the wrong place.
	misplaced := url.PathEscape(first.Secret)
	twisted := strings.ReplaceAll(misplaced, "_", "%5F")
	for _, where := range []string{collection + "/" + misplaced, collection + "/" + twisted, collection + "?cursor=" + twisted, "/" + misplaced + "?token=" + misplaced} {
		seen = append(seen, w.must(w.try(t.Context(), w.secret, "GET", where, "")).body)
	}
	for _, secret := range []string{w.secret, first.Secret, second.Secret, first.Secret + "x"} {
		seen = append(seen, w.as(secret, "GET", "/api-tokens", "").body, w.as(secret, "GET", "/api-tokens/self", "").body,
			w.as(secret, "POST", "/api-tokens", `{"name":"","x":1}`).body, w.as(secret, "GET", "/api-tokens/"+first.ID, "").body)
	}
	for _, endpoint := range []string{"health", "clock", "faults", "policy", "journal", "tokens", "nothing"} {
		seen = append(seen, w.control("GET", endpoint, "").body)
	}
	state, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	seen = append(seen, string(state))

	all := strings.Join(seen, "\n")
	for _, secret := range []string{w.secret, first.Secret, second.Secret} {
		for _, spelling := range []string{secret, base64.StdEncoding.EncodeToString([]byte(secret)), strings.TrimPrefix(secret, "pstk_sbx_")} {
			if strings.Contains(all, spelling) {
				t.Error("a secret is to be found after it was shown once")
			}
		}
	}
	if hit := regexp.MustCompile(`pstk_sbx_[0-9A-Za-z]{36}`).FindString(all); hit != "" {
		t.Error("something that looks like a secret is to be found")
	}
	if !strings.Contains(all, "[redacted]") || !strings.Contains(all, "hidden by a fault") {
		t.Error("the search did not see the journal or the state")
	}
}
