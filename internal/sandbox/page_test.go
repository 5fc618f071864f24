package sandbox_test

import (
	"html"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
)

// get loads a part of the page.
func (w *world) get(path string, header ...string) reply {
	w.Helper()
	return w.must(w.try(w.Context(), "", "GET", path, "", header...))
}

// send submits a form as a browser does from the page itself.
func (w *world) send(path string, form url.Values, header ...string) reply {
	w.Helper()
	header = append([]string{"Content-Type", "application/x-www-form-urlencoded", "Origin", w.url, "Sec-Fetch-Site", "same-origin"}, header...)
	return w.must(w.try(w.Context(), "", "POST", path, form.Encode(), header...))
}

// form loads a fresh page and returns its one-time number.
func (w *world) form() string {
	w.Helper()
	return w.formOf(w.get("/"))
}

func (w *world) formOf(r reply) string {
	w.Helper()
	found := regexp.MustCompile(`name="form" value="([^"]+)"`).FindStringSubmatch(r.body)
	if found == nil {
		w.Fatalf("no form in %d %s", r.status, r.body)
	}
	return found[1]
}

// shownSecret returns the secret in an answer, or "".
func shownSecret(r reply) string { return regexp.MustCompile(`pstk_sbx_\w+`).FindString(r.body) }

func TestPageGeneratesATokenOnce(t *testing.T) {
	t.Parallel()
	w := start(t, sandbox.Options{})
	order := url.Values{"form": {w.form()}, "name": {"CI/CD Pipeline"}, "expires": {"2026-05-30"}}
	made := w.send("/_page/generate", order)
	wantStatus(w, made, http.StatusOK)
	secret := shownSecret(made)
	self := decode[token](w, w.as(secret, "GET", "/api-tokens/self", ""), http.StatusOK)
	if self.Name != "CI/CD Pipeline" || !self.ExpiresAt.Equal(time.Date(2026, 5, 30, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("made %+v", self)
	}
	again := w.send("/_page/generate", order)
	wantStatus(w, again, http.StatusConflict)
	if !strings.Contains(again.body, "This form was used already") || !strings.Contains(again.body, `value="CI/CD Pipeline"`) {
		t.Error("the second answer does not say what happened, or has lost what was typed")
	}
	for _, r := range []reply{again, w.get("/"), w.get("/_page/live"), w.get("/?dialog=generate")} {
		if shownSecret(r) != "" {
			t.Error("the secret is shown again")
		}
	}
	if n := len(w.sandbox.Tokens()); n != 2 {
		t.Errorf("%d tokens, want the one and the management token", n)
	}
	for _, call := range w.sandbox.Journal() {
		if strings.HasPrefix(call.Path, "/_page") {
			t.Errorf("the journal of API requests has %+v", call)
		}
	}
}

func TestPageRefusesTokens(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, token, expires string
		policy               sandbox.Policy
		status               int
		want                 string
	}{
		{"no name", "", "", sandbox.Policy{}, 422, "A name is required."},
		{"outer space", " CI", "", sandbox.Policy{}, 422, "does not start or end with white space"},
		{"101 characters", strings.Repeat("🔑", 101), "", sandbox.Policy{}, 422, "at most 100 characters"},
		{"a control character", "a\x00b", "", sandbox.Policy{}, 422, "no control characters"},
		{"bytes that are no text", "a\xff", "", sandbox.Policy{}, 422, "A name is UTF-8 text."},
		{"a past day", "CI", "2026-03-01", sandbox.Policy{}, 422, "The expiry is not in the future."},
		{"no day", "CI", "tomorrow", sandbox.Policy{}, 422, "This is not a date."},
		{"a year that cannot be written", "CI", "0000-01-01", sandbox.Policy{}, 422, "This is not a date."},
		{"a taken name", "management", "", sandbox.Policy{UniqueNames: true}, 409, "An active token has this name."},
		{"too many", "CI", "", sandbox.Policy{MaxActive: 1}, 422, "There are as many active tokens as there may be."},
		{"too long a life", "CI", "", sandbox.Policy{MaxLifetime: time.Hour}, 422, "Tokens live at most 1h0m0s."},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := start(t, sandbox.Options{Policy: tc.policy})
			got := w.send("/_page/generate", url.Values{"form": {w.form()}, "name": {tc.token}, "expires": {tc.expires}})
			wantStatus(w, got, tc.status)
			if !strings.Contains(html.UnescapeString(got.body), tc.want) || !strings.Contains(got.body, `role="alert"`) {
				t.Errorf("the page does not say %q", tc.want)
			}
			if !strings.Contains(got.body, `<dialog id="generate" aria-labelledby="generate-title" open>`) {
				t.Error("the form is not open")
			}
			if n := len(w.sandbox.Tokens()); n != 1 {
				t.Errorf("%d tokens, want the management token alone", n)
			}
		})
	}
}

func TestPageRevokes(t *testing.T) {
	t.Parallel()
	w := start(t, sandbox.Options{})
	made := w.create("<b>CI</b>", time.Hour)
	dialog := w.get("/?revoke=" + made.ID)
	if !strings.Contains(dialog.body, `value="`+made.ID+`"`) || !strings.Contains(dialog.body, "&lt;b&gt;CI&lt;/b&gt;") {
		t.Error("the dialog is not about the token")
	}
	order := url.Values{"form": {w.formOf(dialog)}, "id": {made.ID}}
	done := w.send("/_page/revoke", order)
	wantStatus(w, done, http.StatusSeeOther)
	refused(w, w.as(made.Secret, "GET", "/api-tokens/self", ""), http.StatusUnauthorized, "token_revoked")
	if after := w.get(done.header.Get("Location")); !strings.Contains(after.body, "was revoked.") {
		t.Error("the page does not say that it was done")
	}
	wantStatus(w, w.send("/_page/revoke", order), http.StatusConflict)
	wantStatus(w, w.send("/_page/revoke", url.Values{"form": {w.form()}, "id": {"tok_nobody"}}), http.StatusNotFound)
	for _, path := range []string{"/?revoke=" + made.ID, "/?revoke=tok_nobody", "/?revoked=" + w.id} {
		if got := w.get(path); strings.Contains(got.body, " open>") || strings.Contains(got.body, "was revoked.") {
			t.Errorf("%s speaks of what is not so", path)
		}
	}
}

func TestPageMovesTheClock(t *testing.T) {
	t.Parallel()
	w := start(t, sandbox.Options{})
	for _, step := range []string{"1h", "1d", "30d"} {
		wantStatus(w, w.send("/_page/clock", url.Values{"advance": {step}}), http.StatusSeeOther)
	}
	want := noon().Add(31*24*time.Hour + time.Hour)
	if got := w.sandbox.Clock().Now(); !got.Equal(want) {
		t.Errorf("the clock shows %s, want %s", got, want)
	}
	for _, step := range []string{"", "-1h", "2h", "x"} {
		wantStatus(w, w.send("/_page/clock", url.Values{"advance": {step}}), http.StatusUnprocessableEntity)
	}
	w.sandbox.Clock().Set(time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC))
	wantStatus(w, w.send("/_page/clock", url.Values{"advance": {"30d"}}), http.StatusUnprocessableEntity)
}

func TestPageIsClosedToOtherSites(t *testing.T) {
	t.Parallel()
	w := start(t, sandbox.Options{})
	paths := []string{"/_page/generate", "/_page/revoke", "/_page/clock"}
	for _, path := range paths {
		order := url.Values{"form": {w.form()}, "name": {"CI"}, "id": {w.id}, "advance": {"1h"}}
		for _, header := range [][]string{
			{"Sec-Fetch-Site", "cross-site", "Origin", "https://example.com"},
			{"Sec-Fetch-Site", "same-site", "Origin", "http://other.localhost"},
			{"Sec-Fetch-Site", "", "Origin", "https://example.com"},
			{"Sec-Fetch-Site", "", "Origin", "null"},
		} {
			refused(w, w.send(path, order, header...), http.StatusForbidden, "cross_site")
		}
		refused(w, w.send(path, order, "Host", "example.com:8765"), http.StatusForbidden, "foreign_host")
	}
	for _, path := range append(paths, "/", "/_page/live", "/_page/page.js") {
		refused(w, w.get(path, "Host", "paistrike.example.com"), http.StatusForbidden, "foreign_host")
	}
	// No page issued these numbers, as with a form made up by another site.
	for _, form := range []string{"", "made-up"} {
		wantStatus(w, w.send("/_page/generate", url.Values{"form": {form}, "name": {"CI"}}), http.StatusConflict)
		wantStatus(w, w.send("/_page/revoke", url.Values{"form": {form}, "id": {w.id}}), http.StatusConflict)
	}
	wantStatus(w, w.send("/_page/generate", url.Values{"form": {w.form()}, "name": {strings.Repeat("x", 70_000)}}), http.StatusConflict)
	if tokens := w.sandbox.Tokens(); len(tokens) != 1 || tokens[0].Status != "active" || !w.sandbox.Clock().Now().Equal(noon()) {
		t.Errorf("something was done: %+v", tokens)
	}
}

func TestPageLetsTheBrowserDoLittle(t *testing.T) {
	t.Parallel()
	w := start(t, sandbox.Options{})
	made := w.send("/_page/generate", url.Values{"form": {w.form()}, "name": {`"><script>alert(1)</script>`}})
	for name, r := range map[string]reply{"/": w.get("/"), "live": w.get("/_page/live"), "made": made, "css": w.get("/_page/style.css"), "js": w.get("/_page/page.js"), "icon": w.get("/_page/icon.svg")} {
		wantStatus(w, r, http.StatusOK)
		policy := r.header.Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "frame-ancestors 'none'") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: policy %q", name, policy)
		}
		for field, want := range map[string]string{"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Cross-Origin-Resource-Policy": "same-origin"} {
			if got := r.header.Get(field); got != want {
				t.Errorf("%s: %s is %q, want %q", name, field, got, want)
			}
		}
		if !strings.HasPrefix(r.header.Get("Content-Type"), "text/html") {
			continue
		}
		if inline := regexp.MustCompile(`(?i)<script(>| [^>]*>[^<])|<style|\sstyle=|\son[a-z]+=|javascript:|https?://`).FindString(r.body); inline != "" {
			t.Errorf("%s has %q in it", name, inline)
		}
	}
	if !strings.Contains(w.get("/").body, "SANDBOX") || !strings.Contains(w.get("/").body, "Not the vendor’s product") {
		t.Error("the page does not say what it is")
	}
}

func TestPageShowsTheSlotsOfTheProvider(t *testing.T) {
	t.Parallel()
	w := start(t, sandbox.Options{})
	w.create("CI/CD Pipeline-ps1-k3v7q2m6xtab-7h2k5q-1-w5c2m4pa", 90*24*time.Hour)
	w.sandbox.Clock().Advance(30 * 24 * time.Hour)
	w.create("CI/CD Pipeline-ps1-k3v7q2m6xtab-7h2k5q-2-w5c2m4pb", 90*24*time.Hour)
	w.create("CI/CD Pipeline-ps1-7tabk3v7q2m6-7h2k5q-2-w5c2m4pc", 0)
	w.create("hand-ps1-made", 0)
	w.sandbox.Clock().Advance(24 * time.Hour)
	live := w.get("/_page/live")
	for text, want := range map[string]int{
		`class="slot"`: 2, `id="slot-k3v7q2m6xtab"`: 1, "Overlap: 2 tokens work since 31 Mar 2026, 12:00 UTC": 1, "1 token works": 1,
		`class="band"`: 1, "5 tokens, 5 working now": 1, "Other tokens": 1, `<bdi>hand-ps1-made</bdi>`: 1,
		"w5c2m4pa, made 1 Mar 2026, 12:00 UTC, expires 30 May 2026, 12:00 UTC": 2, // once as visible text and once for screen readers
	} {
		if n := strings.Count(live.body, text); n != want {
			t.Errorf("%q is there %d times, want %d", text, n, want)
		}
	}
	tag := live.header.Get("ETag")
	wantStatus(w, w.get("/_page/live", "If-None-Match", tag), http.StatusNotModified)
	w.sandbox.Clock().Advance(time.Second)
	wantStatus(w, w.get("/_page/live", "If-None-Match", tag), http.StatusOK)
}

func TestPageOddRequests(t *testing.T) {
	t.Parallel()
	w := start(t, sandbox.Options{})
	for path, want := range map[string]int{"/_page/": 404, "/_page/page.html": 404, "/_page/../_page/live": 307, "/_page/clock": 405, "/_page/generate": 303, "/_page/revoke": 303} {
		wantStatus(w, w.get(path), want)
	}
	wantStatus(w, w.must(w.try(t.Context(), "", "POST", "/", "x")), http.StatusMethodNotAllowed)
	empty := start(t, sandbox.Options{})
	empty.sandbox.Forget(empty.id)
	if got := empty.get("/"); !strings.Contains(got.body, "There is no token yet.") {
		t.Error("an empty sandbox does not say so")
	}
}

func TestPageKeepsWhatItPromises(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "state.json")
	w := start(t, sandbox.Options{StateFile: file})
	secret := shownSecret(w.send("/_page/generate", url.Values{"form": {w.form()}, "name": {"CI"}}))
	again := start(t, sandbox.Options{StateFile: file})
	wantStatus(w, again.as(secret, "GET", "/api-tokens/self", ""), http.StatusOK)
}
