package sandbox_test

import (
	"encoding/json"
	"fmt"
	"hash/crc32"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
)

func TestTokenLivesUntilItIsRevoked(t *testing.T) {
	t.Parallel()
	w := start(t, sandbox.Options{})

	made := w.api("POST", "/api-tokens", `{"name":"CI/CD Pipeline","expires_at":"2026-05-30T14:00:00+02:00"}`)
	ci := decode[token](w, made, http.StatusCreated)
	if made.header.Get("Cache-Control") != "no-store" || made.header.Get("Location") != "/api/v1/api-tokens/"+ci.ID {
		t.Errorf("header of the create: %v", made.header)
	}
	if !regexp.MustCompile(`^pstk_sbx_[0-9A-Za-z]{36}$`).MatchString(ci.Secret) {
		t.Error("the secret has a different form than it should")
	}
	want := fmt.Sprintf(`{"id":%q,"name":"CI/CD Pipeline","created_at":"2026-03-01T12:00:00Z","last_used_at":null,"expires_at":"2026-05-30T12:00:00Z","status":"active"}`, ci.ID)
	if got := w.api("GET", "/api-tokens/"+ci.ID, ""); strings.TrimSpace(got.body) != want {
		t.Errorf("read back\n%s, want\n%s", got.body, want)
	}

	w.sandbox.Clock().Advance(time.Hour)
	self := decode[token](w, w.as(ci.Secret, "GET", "/api-tokens/self", ""), http.StatusOK)
	if self.ID != ci.ID || self.LastUsedAt == nil || !self.LastUsedAt.Equal(noon().Add(time.Hour)) {
		t.Errorf("self is %+v", self)
	}

	for range 2 {
		wantStatus(w, w.api("DELETE", "/api-tokens/"+ci.ID, ""), http.StatusNoContent)
	}
	refused(w, w.as(ci.Secret, "GET", "/api-tokens/self", ""), http.StatusUnauthorized, "token_revoked")
	if got := decode[token](w, w.api("GET", "/api-tokens/"+ci.ID, ""), http.StatusOK); got.Status != "revoked" {
		t.Errorf("status %q after the revocation", got.Status)
	}

	w.sandbox.Clock().Advance(30*24*time.Hour - time.Second)
	wantStatus(w, w.api("GET", "/api-tokens/"+ci.ID, ""), http.StatusOK)
	w.sandbox.Clock().Advance(time.Second)
	refused(w, w.api("GET", "/api-tokens/"+ci.ID, ""), http.StatusNotFound, "not_found")
	refused(w, w.api("DELETE", "/api-tokens/"+ci.ID, ""), http.StatusNotFound, "not_found")
	refused(w, w.as(ci.Secret, "GET", "/api-tokens/self", ""), http.StatusUnauthorized, "token_invalid")
}

func TestExpiryIsHalfOpen(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		offset time.Duration
		want   int
	}{
		{"a second before", -time.Second, http.StatusOK},
		{"a nanosecond before", -time.Nanosecond, http.StatusOK},
		{"at the very second", 0, http.StatusUnauthorized},
		{"a second after", time.Second, http.StatusUnauthorized},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := start(t, sandbox.Options{})
			short := w.create("short", 15*time.Minute)
			w.sandbox.Clock().Advance(15*time.Minute + tc.offset)
			got := w.as(short.Secret, "GET", "/api-tokens/self", "")
			wantStatus(w, got, tc.want)
			if tc.want == http.StatusUnauthorized {
				refused(w, got, tc.want, "token_expired")
			}
			if row := decode[token](w, w.api("GET", "/api-tokens/"+short.ID, ""), http.StatusOK); row.Status != "active" {
				t.Errorf("an expired token lists as %q", row.Status)
			}
		})
	}
}

func TestTokenEndsItself(t *testing.T) {
	t.Parallel()
	w := start(t, sandbox.Options{})
	job := w.create("job", time.Hour)
	wantStatus(w, w.as(job.Secret, "DELETE", "/api-tokens/self", ""), http.StatusNoContent)
	refused(w, w.as(job.Secret, "GET", "/api-tokens", ""), http.StatusUnauthorized, "token_revoked")
	wantStatus(w, w.api("GET", "/api-tokens/self", ""), http.StatusOK)
}

func TestRevokingTheIssuerLeavesWhatItMade(t *testing.T) {
	t.Parallel()
	w := start(t, sandbox.Options{})
	child := w.create("child", time.Hour)
	wantStatus(w, w.api("DELETE", "/api-tokens/self", ""), http.StatusNoContent)
	wantStatus(w, w.as(child.Secret, "GET", "/api-tokens/self", ""), http.StatusOK)
	if newest := w.sandbox.Tokens()[0]; newest.IssuerID != w.id || newest.Uses != 1 {
		t.Errorf("child is %+v, want the issuer %s and one use", newest, w.id)
	}
}

func TestUnauthorizedForms(t *testing.T) {
	t.Parallel()
	w := start(t, sandbox.Options{})
	for _, tc := range []struct{ name, header, want string }{
		{"no header", "", "token_missing"},
		{"another scheme", "Basic " + w.secret, "token_missing"},
		{"a scheme alone", "Bearer", "token_missing"},
		{"no token", "Bearer  ", "token_missing"},
		{"a stranger", "Bearer pstk_sbx_" + strings.Repeat("0", 36), "token_invalid"},
		{"its last letter cut off", "Bearer " + w.secret[:len(w.secret)-1], "token_invalid"},
		{"an empty-looking id", "Bearer " + w.id, "token_invalid"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			sub := &world{T: t, sandbox: w.sandbox, url: w.url, client: w.client}
			got := sub.must(sub.try(t.Context(), "", "GET", "/api/v1/api-tokens", "", "Authorization", tc.header))
			refused(sub, got, http.StatusUnauthorized, tc.want)
			if challenge := got.header.Get("WWW-Authenticate"); challenge != `Bearer error="invalid_token"` {
				t.Errorf("challenge %q", challenge)
			}
		})
	}
}

func TestBearerIsAWordInAnyCase(t *testing.T) {
	t.Parallel()
	w := misbehave(t, sandbox.Options{}) // the contract's own clients capitalize it
	wantStatus(w, w.must(w.try(t.Context(), "", "GET", "/api/v1/api-tokens", "", "Authorization", "bearer "+w.secret)), http.StatusOK)
}

func TestSecretCarriesItsChecksum(t *testing.T) {
	t.Parallel()
	w := start(t, sandbox.Options{})
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	body, sum := w.secret[:len(w.secret)-6], w.secret[len(w.secret)-6:]
	var got int64
	for _, digit := range sum {
		got = got*62 + int64(strings.IndexRune(digits, digit))
	}
	if want := int64(crc32.ChecksumIEEE([]byte(body))); got != want {
		t.Errorf("checksum %d, want %d", got, want)
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	quote := func(name string) string {
		text, err := json.Marshal(name)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	for _, tc := range []struct{ name, json, want string }{
		{"one letter", quote("a"), ""},
		{"a slash", quote("CI/CD Pipeline"), ""},
		{"100 emoji", quote(strings.Repeat("🔑", 100)), ""},
		{"101 emoji", quote(strings.Repeat("🔑", 101)), "too_long"},
		{"right to left", quote("\u202eشركة\u202c"), ""},
		{"markup", quote(`<script>"&'`), ""},
		{"inner space", quote("a  b"), ""},
		{"empty", quote(""), "required"},
		{"absent", "", "required"},
		{"null", "null", "required"},
		{"a number", "5", "required"},
		{"space before", quote(" a"), "whitespace"},
		{"space after", quote("a "), "whitespace"},
		{"no-break space after", quote("a\u00a0"), "whitespace"},
		{"only space", quote(" "), "whitespace"},
		{"NUL", quote("a\x00b"), "control_character"},
		{"line feed", quote("a\nb"), "control_character"},
		{"C1 control", quote("a\u0085b"), "control_character"},
		{"DEL", quote("a\x7fb"), "control_character"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := start(t, sandbox.Options{})
			body := fmt.Sprintf(`{"name":%s}`, tc.json)
			if tc.json == "" {
				body = `{}`
			}
			got := w.api("POST", "/api-tokens", body)
			if tc.want == "" {
				made := decode[token](w, got, http.StatusCreated)
				if back := decode[token](w, w.api("GET", "/api-tokens/"+made.ID, ""), http.StatusOK); quote(back.Name) != tc.json {
					t.Errorf("asked for %s, got %s", tc.json, quote(back.Name))
				}
				return
			}
			p := refused(w, got, http.StatusUnprocessableEntity, "validation_failed")
			if len(p.Errors) != 1 || p.Errors[0].Pointer != "/name" || p.Errors[0].Code != tc.want {
				t.Errorf("errors %+v, want %s at /name", p.Errors, tc.want)
			}
			if n := len(w.sandbox.Tokens()); n != 1 {
				t.Errorf("%d tokens after a refusal", n)
			}
		})
	}
}

func TestDuplicateNamesAreTwoTokens(t *testing.T) {
	t.Parallel()
	w := start(t, sandbox.Options{})
	first, second := w.create("same", 0), w.create("same", 0)
	if first.ID == second.ID || first.Secret == second.Secret {
		t.Error("two creates gave one token")
	}
}

func TestExpiryThatIsAskedFor(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, in, want, refusal string }{
		{"never", `null`, "", ""},
		{"an offset is turned to UTC", `"2026-03-02T00:00:00+09:00"`, "2026-03-01T15:00:00Z", ""},
		{"fractions are cut off", `"2026-03-01T12:00:01.999Z"`, "2026-03-01T12:00:01Z", ""},
		{"now is not the future", `"2026-03-01T12:00:00Z"`, "", "in_past"},
		{"less than a second is none", `"2026-03-01T12:00:00.9Z"`, "", "in_past"},
		{"the past", `"2020-01-01T00:00:00Z"`, "", "in_past"},
		{"no zone", `"2027-01-01T00:00:00"`, "", "bad_time"},
		{"a date", `"2027-01-01"`, "", "bad_time"},
		{"a comma", `"2027-01-01T00:00:00,5Z"`, "", "bad_time"},
		{"a short hour", `"2027-01-01T1:00:00Z"`, "", "bad_time"},
		{"empty", `""`, "", "bad_time"},
		{"a number", `1798761600`, "", "bad_time"},
		{"a year that UTC cannot write", `"9999-12-31T23:59:59-01:00"`, "", "bad_time"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := start(t, sandbox.Options{})
			got := w.api("POST", "/api-tokens", `{"name":"x","expires_at":`+tc.in+`}`)
			if tc.refusal != "" {
				p := refused(w, got, http.StatusUnprocessableEntity, "validation_failed")
				if len(p.Errors) != 1 || p.Errors[0].Pointer != "/expires_at" || p.Errors[0].Code != tc.refusal {
					t.Errorf("errors %+v, want %s", p.Errors, tc.refusal)
				}
				return
			}
			made := decode[token](w, got, http.StatusCreated)
			if tc.want == "" && made.ExpiresAt != nil {
				t.Errorf("expires at %v, want never", made.ExpiresAt)
			}
			if tc.want != "" && !strings.Contains(got.body, `"expires_at":"`+tc.want+`"`) {
				t.Errorf("want %s in %s", tc.want, strings.ReplaceAll(got.body, made.Secret, ""))
			}
		})
	}
}

func TestTokenCannotMintOneThatOutlivesIt(t *testing.T) {
	t.Parallel()
	w := start(t, sandbox.Options{})
	job := w.create("job", time.Hour)
	for _, tc := range []struct {
		name string
		life time.Duration
		want int
	}{
		{"shorter", time.Hour - time.Second, http.StatusCreated},
		{"as long", time.Hour, http.StatusCreated},
		{"longer", time.Hour + time.Second, http.StatusUnprocessableEntity},
		{"for ever", 0, http.StatusUnprocessableEntity},
	} {
		got := w.as(job.Secret, "POST", "/api-tokens", draft(tc.name, w.expiry(tc.life)))
		wantStatus(w, got, tc.want)
		if tc.want == http.StatusUnprocessableEntity {
			if p := refused(w, got, tc.want, "validation_failed"); len(p.Errors) != 1 || p.Errors[0].Code != "exceeds_issuer" {
				t.Errorf("%s: errors %+v", tc.name, p.Errors)
			}
		}
	}
	wantStatus(w, w.api("POST", "/api-tokens", `{"name":"by the management token, for ever"}`), http.StatusCreated)
}

func TestBodiesThatAreRefused(t *testing.T) {
	t.Parallel()
	big := `{"name":"` + strings.Repeat("a", 64<<10) + `"}`
	for _, tc := range []struct {
		name, contentType, body string
		status                  int
		code                    string
	}{
		{"no content type", "", `{"name":"a"}`, http.StatusUnsupportedMediaType, "unsupported_media_type"},
		{"a form", "application/x-www-form-urlencoded", `name=a`, http.StatusUnsupportedMediaType, "unsupported_media_type"},
		{"not JSON", "application/json", `{`, http.StatusBadRequest, "bad_json"},
		{"two values", "application/json", `{"name":"a"}{}`, http.StatusBadRequest, "bad_json"},
		{"null", "application/json", `null`, http.StatusBadRequest, "bad_json"},
		{"a list", "application/json", `[]`, http.StatusBadRequest, "bad_json"},
		{"no UTF-8", "application/json", "{\"name\":\"\xff\"}", http.StatusBadRequest, "bad_json"},
		{"too large", "application/json", big, http.StatusRequestEntityTooLarge, "too_large"},
		{"an unknown field", "application/json", `{"name":"a","scopes/x":[]}`, http.StatusUnprocessableEntity, "validation_failed"},
		{"a charset is fine", "application/json; charset=utf-8", `{"name":"a"}`, http.StatusCreated, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := start(t, sandbox.Options{})
			got := w.must(w.try(t.Context(), w.secret, "POST", "/api/v1/api-tokens", tc.body, "Content-Type", tc.contentType))
			if tc.code == "" {
				wantStatus(w, got, tc.status)
				return
			}
			p := refused(w, got, tc.status, tc.code)
			if tc.name == "an unknown field" && (len(p.Errors) != 1 || p.Errors[0].Pointer != "/scopes~1x" || p.Errors[0].Code != "unknown_field") {
				t.Errorf("errors %+v", p.Errors)
			}
			if n := len(w.sandbox.Tokens()); n != 1 {
				t.Errorf("%d tokens after a refusal", n)
			}
		})
	}
}

func TestPathsAndMethodsThatAreNot(t *testing.T) {
	t.Parallel()
	w := start(t, sandbox.Options{})
	for _, tc := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{"PUT", "/api/v1/api-tokens", http.StatusMethodNotAllowed, "GET, HEAD, POST"},
		{"PATCH", "/api/v1/api-tokens/" + w.id, http.StatusMethodNotAllowed, "DELETE, GET, HEAD"},
		{"POST", "/api/v1/api-tokens/self", http.StatusMethodNotAllowed, "DELETE, GET, HEAD"},
		{"GET", "/api-tokens", http.StatusNotFound, ""},
		{"GET", "/api/v1/api-tokens/", http.StatusNotFound, ""},
		{"GET", "/api/v1//api-tokens", http.StatusNotFound, ""},
		{"GET", "/api/v1/api-tokens/a/b", http.StatusNotFound, ""},
		{"GET", "/api/v1/api-tokens/CI%2FCD", http.StatusNotFound, ""},
		{"GET", "/api/v1/api-tokens/tok_nobody", http.StatusNotFound, ""},
		{"DELETE", "/api/v1/api-tokens/tok_nobody", http.StatusNotFound, ""},
	} {
		code := map[int]string{http.StatusNotFound: "not_found", http.StatusMethodNotAllowed: "method_not_allowed"}[tc.status]
		got := w.must(w.try(t.Context(), w.secret, tc.method, tc.path, ""))
		refused(w, got, tc.status, code)
		if allow := got.header.Get("Allow"); allow != tc.allow {
			t.Errorf("%s %s: Allow %q, want %q", tc.method, tc.path, allow, tc.allow)
		}
	}
}

func TestEveryAnswerIsDatedAndNumbered(t *testing.T) {
	t.Parallel()
	w := start(t, sandbox.Options{})
	w.sandbox.Clock().Set(time.Date(2031, 1, 2, 3, 4, 5, 999, time.UTC))
	seen := map[string]bool{}
	for _, path := range []string{"/api/v1/api-tokens", "/api/v1/api-tokens/none", "/nowhere", "/_sandbox/health", "/_sandbox/nothing"} {
		got := w.must(w.try(t.Context(), w.secret, "GET", path, ""))
		if date := got.header.Get("Date"); date != "Thu, 02 Jan 2031 03:04:05 GMT" {
			t.Errorf("%s is dated %q", path, date)
		}
		id := got.header.Get("X-Request-Id")
		if id == "" || seen[id] {
			t.Errorf("%s has the request id %q", path, id)
		}
		seen[id] = true
	}
}

func TestEveryAuthenticatedRequestIsAUse(t *testing.T) {
	t.Parallel()
	w := start(t, sandbox.Options{})
	job := w.create("job", time.Hour)
	uses := func() sandbox.Token { return w.sandbox.Tokens()[0] }
	if got := uses(); got.Uses != 0 || !got.LastUsedAt.IsZero() {
		t.Errorf("before any use: %+v", got)
	}
	for i, step := range []struct{ method, path, body string }{
		{"GET", "/api-tokens/self", ""},
		{"GET", "/api-tokens?limit=0", ""},
		{"GET", "/api-tokens/none", ""},
		{"POST", "/api-tokens", `{}`},
	} {
		w.sandbox.Clock().Advance(time.Minute)
		w.as(job.Secret, step.method, step.path, step.body)
		if got := uses(); got.Uses != i+1 || !got.LastUsedAt.Equal(w.sandbox.Clock().Now()) {
			t.Errorf("after %s %s: %+v", step.method, step.path, got)
		}
	}
	last := uses()
	w.sandbox.Clock().Advance(time.Hour)
	wantStatus(w, w.as(job.Secret, "GET", "/api-tokens/self", ""), http.StatusUnauthorized)
	if got := uses(); got.Uses != last.Uses || !got.LastUsedAt.Equal(last.LastUsedAt) {
		t.Errorf("a 401 counted as a use: %+v", got)
	}
}
