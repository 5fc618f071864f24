package sandbox_test

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
)

// fieldCode returns the code of the only field error of a 422.
func fieldCode(w *world, r reply) string {
	w.Helper()
	p := refused(w, r, http.StatusUnprocessableEntity, "validation_failed")
	if len(p.Errors) != 1 {
		w.Fatalf("errors %+v, want one", p.Errors)
	}
	return p.Errors[0].Code
}

func TestPolicyUniqueNames(t *testing.T) {
	t.Parallel()
	w := start(t, sandbox.Options{Policy: sandbox.Policy{UniqueNames: true}})
	first := w.create("one", time.Hour)
	refused(w, w.api("POST", "/api-tokens", `{"name":"one"}`), http.StatusConflict, "name_conflict")
	w.sandbox.Revoke(first.ID)
	w.create("one", time.Hour) // a revoked token releases its name
	w.sandbox.Clock().Advance(time.Hour)
	w.create("one", time.Hour) // and so does an expired token
}

func TestPolicyMaxActive(t *testing.T) {
	t.Parallel()
	w := start(t, sandbox.Options{Policy: sandbox.Policy{MaxActive: 2}})
	second := w.create("second", 0)
	if code := fieldCode(w, w.api("POST", "/api-tokens", `{"name":"third"}`)); code != "limit_reached" {
		t.Errorf("code %s", code)
	}
	w.sandbox.Revoke(second.ID)
	w.create("third", 0)
}

func TestPolicyLifetimes(t *testing.T) {
	t.Parallel()
	bounds := sandbox.Policy{MinLifetime: time.Hour, MaxLifetime: 90 * 24 * time.Hour}
	for _, tc := range []struct {
		name   string
		policy sandbox.Policy
		life   time.Duration
		want   string
	}{
		{"just long enough", bounds, time.Hour, ""},
		{"too short", bounds, time.Hour - time.Second, "below_min"},
		{"just short enough", bounds, 90 * 24 * time.Hour, ""},
		{"too long", bounds, 90*24*time.Hour + time.Second, "exceeds_max"},
		{"never is too long", bounds, 0, "exceeds_max"},
		{"never, where it must end", sandbox.Policy{RequireExpiry: true}, 0, "required"},
		{"ends, where it must", sandbox.Policy{RequireExpiry: true}, time.Hour, ""},
		{"the longest, rounded up to its day", sandbox.Policy{DateOnly: true, MaxLifetime: 90 * 24 * time.Hour}, 90 * 24 * time.Hour, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := start(t, sandbox.Options{Policy: tc.policy})
			got := w.api("POST", "/api-tokens", draft("x", w.expiry(tc.life)))
			if tc.want == "" {
				wantStatus(w, got, http.StatusCreated)
			} else if code := fieldCode(w, got); code != tc.want {
				t.Errorf("code %s, want %s", code, tc.want)
			}
		})
	}
}

func TestPolicyDateOnly(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, in, want string }{
		{"15 minutes are until tomorrow", "2026-03-01T12:15:00Z", "2026-03-02T00:00:00Z"},
		{"a midnight stays", "2026-03-05T00:00:00Z", "2026-03-05T00:00:00Z"},
		{"a date", "2026-12-31", "2026-12-31T00:00:00Z"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := misbehave(t, sandbox.Options{Policy: sandbox.Policy{DateOnly: true}})
			made := decode[token](w, w.api("POST", "/api-tokens", `{"name":"x","expires_at":"`+tc.in+`"}`), http.StatusCreated)
			if got := made.ExpiresAt.Format(time.RFC3339); got != tc.want {
				t.Errorf("expires at %s, want %s", got, tc.want)
			}
		})
	}
}

func TestPolicyDateOnlyKeepsTheIssuerCeiling(t *testing.T) {
	t.Parallel()
	w := start(t, sandbox.Options{Policy: sandbox.Policy{DateOnly: true}})
	_, secret := w.sandbox.Mint("ends this afternoon", noon().Add(3*time.Hour))
	if code := fieldCode(w, w.as(secret, "POST", "/api-tokens", draft("x", w.expiry(time.Hour)))); code != "exceeds_issuer" {
		t.Errorf("code %s", code)
	}
}

func TestPolicyOutliveIssuer(t *testing.T) {
	t.Parallel()
	w := start(t, sandbox.Options{Policy: sandbox.Policy{OutliveIssuer: true}})
	short := w.create("short", time.Hour)
	wantStatus(w, w.as(short.Secret, "POST", "/api-tokens", `{"name":"for ever"}`), http.StatusCreated)
}

func TestPolicyNoMinting(t *testing.T) {
	t.Parallel()
	w := start(t, sandbox.Options{Policy: sandbox.Policy{NoMinting: true}})
	refused(w, w.api("POST", "/api-tokens", `{"name":"x"}`), http.StatusForbidden, "minting_not_allowed")
	wantStatus(w, w.api("GET", "/api-tokens", ""), http.StatusOK)
	wantStatus(w, w.control("POST", "tokens", `{"name":"by hand"}`), http.StatusCreated)
}

func TestPolicyRetain(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		retain time.Duration
		after  time.Duration
		want   int
	}{
		{"gone at once", -1, 0, http.StatusNotFound},
		{"an hour, just before", time.Hour, time.Hour - time.Second, http.StatusOK},
		{"an hour, over", time.Hour, time.Hour, http.StatusNotFound},
		{"30 days where nothing is said", 0, 29 * 24 * time.Hour, http.StatusOK},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := start(t, sandbox.Options{Policy: sandbox.Policy{Retain: tc.retain}})
			made := w.create("x", 0)
			wantStatus(w, w.api("DELETE", "/api-tokens/"+made.ID, ""), http.StatusNoContent)
			w.sandbox.Clock().Advance(tc.after)
			wantStatus(w, w.api("GET", "/api-tokens/"+made.ID, ""), tc.want)
			listed := len(decode[page](w, w.api("GET", "/api-tokens", ""), http.StatusOK).Items) == 2
			if listed != (tc.want == http.StatusOK) {
				t.Errorf("listed is %t", listed)
			}
		})
	}
}

func TestPolicyMissingEndpoints(t *testing.T) {
	t.Parallel()
	w := start(t, sandbox.Options{Policy: sandbox.Policy{ListOnly: true}})
	got := w.api("GET", "/api-tokens/"+w.id, "")
	refused(w, got, http.StatusMethodNotAllowed, "method_not_allowed")
	if allow := got.header.Get("Allow"); allow != "DELETE" {
		t.Errorf("Allow %q", allow)
	}
	wantStatus(w, w.api("GET", "/api-tokens/self", ""), http.StatusOK)

	w.sandbox.SetPolicy(sandbox.Policy{NoSelf: true})
	refused(w, w.api("GET", "/api-tokens/self", ""), http.StatusNotFound, "not_found")
	refused(w, w.api("DELETE", "/api-tokens/self", ""), http.StatusNotFound, "not_found")
	wantStatus(w, w.api("GET", "/api-tokens/"+w.id, ""), http.StatusOK)

	w.sandbox.SetPolicy(sandbox.Policy{MissingIs401: true})
	refused(w, w.api("GET", "/api-tokens/tok_none", ""), http.StatusUnauthorized, "token_invalid")
	refused(w, w.api("DELETE", "/api-tokens/tok_none", ""), http.StatusUnauthorized, "token_invalid")
	wantStatus(w, w.api("GET", "/api-tokens/self", ""), http.StatusOK)
}

func TestPolicyExpiredStatus(t *testing.T) {
	t.Parallel()
	for policy, want := range map[string]string{"": "active", "active": "active", "expired": "expired", "revoked": "revoked"} {
		w := misbehave(t, sandbox.Options{Policy: sandbox.Policy{ExpiredStatus: policy}})
		made := w.create("x", time.Minute)
		w.sandbox.Clock().Advance(time.Minute)
		if got := decode[token](w, w.api("GET", "/api-tokens/"+made.ID, ""), http.StatusOK); got.Status != want {
			t.Errorf("%q shows %q", policy, got.Status)
		}
	}
	if _, err := sandbox.New(sandbox.Options{Policy: sandbox.Policy{ExpiredStatus: "gone"}}); err == nil {
		t.Error("an unknown status was taken")
	}
}

func TestPolicyLastUsedEvery(t *testing.T) {
	t.Parallel()
	w := start(t, sandbox.Options{Policy: sandbox.Policy{LastUsedEvery: 24 * time.Hour}})
	used := func() time.Time {
		return *decode[token](w, w.api("GET", "/api-tokens/self", ""), http.StatusOK).LastUsedAt
	}
	first := used()
	w.sandbox.Clock().Advance(24*time.Hour - time.Second)
	if got := used(); !got.Equal(first) {
		t.Errorf("moved to %v within the day", got)
	}
	w.sandbox.Clock().Advance(time.Second)
	if got := used(); !got.Equal(first.Add(24 * time.Hour)) {
		t.Errorf("is %v after a day", got)
	}
}

func TestPolicyRatePerMinute(t *testing.T) {
	t.Parallel()
	w := start(t, sandbox.Options{Policy: sandbox.Policy{RatePerMinute: 2}})
	w.create("first", 0)
	other := w.create("second", 0)
	w.sandbox.Clock().Advance(30*time.Second + time.Millisecond)
	got := w.api("POST", "/api-tokens", `{"name":"third"}`)
	refused(w, got, http.StatusTooManyRequests, "rate_limited")
	if wait := got.header.Get("Retry-After"); wait != "30" {
		t.Errorf("Retry-After %q", wait)
	}
	if n := w.minted(); n != 2 {
		t.Errorf("%d tokens were made, want 2", n)
	}
	wantStatus(w, w.as(other.Secret, "GET", "/api-tokens/self", ""), http.StatusOK) // the limit applies per token
	w.sandbox.Clock().Advance(30 * time.Second)
	w.create("third", 0)
}

func TestPolicyRateHeaders(t *testing.T) {
	t.Parallel()
	for form, want := range map[string]map[string]string{
		"":                     {"RateLimit": "", "RateLimit-Remaining": "", "X-RateLimit-Remaining": ""},
		sandbox.RateStructured: {"RateLimit": `"minute";r=1;t=60`, "RateLimit-Policy": `"minute";q=2;w=60`, "X-RateLimit-Remaining": ""},
		sandbox.RateFields:     {"RateLimit-Limit": "2", "RateLimit-Remaining": "1", "RateLimit-Reset": "60", "RateLimit": ""},
		sandbox.RateX:          {"X-RateLimit-Limit": "2", "X-RateLimit-Remaining": "1", "RateLimit-Remaining": ""},
	} {
		t.Run(form, func(t *testing.T) {
			t.Parallel()
			w := start(t, sandbox.Options{Policy: sandbox.Policy{RatePerMinute: 2, RateHeaders: form}})
			got := w.api("GET", "/api-tokens", "")
			wantStatus(w, got, http.StatusOK)
			for name, value := range want {
				if got := got.header.Get(name); got != value {
					t.Errorf("%s is %q, want %q", name, got, value)
				}
			}
			if form != sandbox.RateX {
				return
			}
			reset := strconv.FormatInt(w.sandbox.Clock().Now().Add(time.Minute).Unix(), 10)
			if got := got.header.Get("X-RateLimit-Reset"); got != reset {
				t.Errorf("X-RateLimit-Reset is %q, want %q", got, reset)
			}
		})
	}
	w := start(t, sandbox.Options{})
	if got := w.control("PUT", "policy", `{"rate_headers":"y"}`); got.status == http.StatusOK {
		t.Error("a form that does not exist is taken")
	}
}

func TestPolicyPageMax(t *testing.T) {
	t.Parallel()
	w := start(t, sandbox.Options{Policy: sandbox.Policy{PageMax: 3}})
	w.control("POST", "seed", `{"count":6}`)
	pages := 1
	if all := w.walk(100, func(int) { pages++ }); len(all) != 7 || pages != 3 {
		t.Errorf("%d tokens on %d pages", len(all), pages)
	}
}

func TestPolicyListLag(t *testing.T) {
	t.Parallel()
	listed := func(w *world, id string) bool {
		for _, item := range decode[page](w, w.api("GET", "/api-tokens", ""), http.StatusOK).Items {
			if item.ID == id {
				return true
			}
		}
		return false
	}
	byTime := start(t, sandbox.Options{Policy: sandbox.Policy{ListLag: 10 * time.Second}})
	made := byTime.create("late", 0)
	byTime.sandbox.Clock().Advance(10*time.Second - 1)
	if listed(byTime, made.ID) {
		t.Error("listed before its time")
	}
	wantStatus(byTime, byTime.api("GET", "/api-tokens/"+made.ID, ""), http.StatusOK) // only the list lags
	byTime.sandbox.Clock().Advance(1)
	if !listed(byTime, made.ID) {
		t.Error("not listed at its time")
	}

	byRequests := start(t, sandbox.Options{Policy: sandbox.Policy{ListLagRequests: 2}})
	made = byRequests.create("late", 0)
	for i, want := range []bool{false, false, true} {
		if got := listed(byRequests, made.ID); got != want {
			t.Errorf("request %d after the create: listed is %t", i+1, got)
		}
	}
}
