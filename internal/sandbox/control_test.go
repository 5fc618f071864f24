package sandbox_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
)

type clockReply struct {
	Now  time.Time `json:"now"`
	Mode string    `json:"mode"`
}

func TestClockStandsUntilItIsMoved(t *testing.T) {
	t.Parallel()
	w := start(t, sandbox.Options{})
	for _, step := range []struct{ body, now, mode string }{
		{`{"advance":"90d"}`, "2026-05-30T12:00:00Z", "still"},
		{`{"advance":"-1h30m"}`, "2026-05-30T10:30:00Z", "still"},
		{`{"set":"2027-01-01T00:00:00+01:00"}`, "2026-12-31T23:00:00Z", "still"},
	} {
		got := decode[clockReply](w, w.control("POST", "clock", step.body), http.StatusOK)
		if got.Now.Format(time.RFC3339) != step.now || got.Mode != step.mode {
			t.Errorf("%s gives %+v", step.body, got)
		}
		if again := decode[clockReply](w, w.control("GET", "clock", ""), http.StatusOK); again != got {
			t.Errorf("a moment later it is %+v", again)
		}
	}
}

func TestClockRunsOnFromWhereItIsPut(t *testing.T) {
	t.Parallel()
	machine := noon()
	s, err := sandbox.New(sandbox.Options{Now: func() time.Time { return machine }})
	if err != nil {
		t.Fatal(err)
	}
	check := func(want time.Time) {
		t.Helper()
		if got := s.Clock().Now(); !got.Equal(want) {
			t.Errorf("it is %v, want %v", got, want)
		}
	}
	check(noon())
	s.Clock().Advance(time.Hour)
	machine = machine.Add(time.Minute)
	check(noon().Add(time.Hour + time.Minute))
	s.Clock().Set(noon().AddDate(1, 0, 0))
	machine = machine.Add(time.Minute)
	check(noon().AddDate(1, 0, 0).Add(time.Minute))
	s.Clock().Real()
	check(machine)
}

func TestClockRefusals(t *testing.T) {
	t.Parallel()
	w := start(t, sandbox.Options{})
	for body, status := range map[string]int{
		``:                                       http.StatusBadRequest,
		`{`:                                      http.StatusBadRequest,
		`{}{}`:                                   http.StatusBadRequest,
		`{}`:                                     http.StatusUnprocessableEntity,
		`{"real":true,"advance":"1h"}`:           http.StatusUnprocessableEntity,
		`{"advance":3600}`:                       http.StatusUnprocessableEntity,
		`{"advance":"soon"}`:                     http.StatusUnprocessableEntity,
		`{"advance":"99999999999999999999d"}`:    http.StatusUnprocessableEntity,
		`{"set":"tomorrow"}`:                     http.StatusUnprocessableEntity,
		`{"set":"9999-12-31T23:59:59-01:00"}`:    http.StatusUnprocessableEntity,
		`{"forward":"1h"}`:                       http.StatusUnprocessableEntity,
		`{"set":"2026-03-01T00:00:00Z","x":"y"}`: http.StatusUnprocessableEntity,
	} {
		wantStatus(w, w.control("POST", "clock", body), status)
	}
	if got := w.sandbox.Clock().Now(); !got.Equal(noon()) {
		t.Errorf("a refusal moved the clock to %v", got)
	}
	wantStatus(w, w.control("POST", "clock", `{"real":true}`), http.StatusOK)
}

func TestControlFaults(t *testing.T) {
	t.Parallel()
	w := start(t, sandbox.Options{})
	one := `{"method":"POST","path":"/api-tokens","delay":"1ms","status":503,"headers":{"Retry-After":"1"}}`
	many := `[{"skip":1,"count":-1,"lose":"response"},{"redirect":"http://x/","after":true},{"truncate":true,"body":"{}","hold":true}]`
	wantStatus(w, w.control("POST", "faults", one), http.StatusOK)
	got := w.control("POST", "faults", many)
	want := `{"faults":[{"method":"POST","path":"/api-tokens","count":1,"status":503,"headers":{"Retry-After":"1"},"delay":"1ms"},` +
		`{"skip":1,"count":-1,"lose":"response"},{"count":1,"redirect":"http://x/","after":true},{"count":1,"hold":true,"body":"{}","truncate":true}]}`
	if strings.TrimSpace(got.body) != want {
		t.Errorf("faults are\n%s, want\n%s", got.body, want)
	}
	wantStatus(w, w.must(w.post("x")), http.StatusServiceUnavailable)
	wantStatus(w, w.control("DELETE", "faults", ""), http.StatusNoContent)
	if got := w.control("GET", "faults", ""); strings.TrimSpace(got.body) != `{"faults":[]}` {
		t.Errorf("after the delete: %s", got.body)
	}
	for _, bad := range []string{`{"stauts":500}`, `[{"status":500},{"lose":"all"}]`, `{"delay":5}`, `"x"`} {
		wantStatus(w, w.control("POST", "faults", bad), http.StatusUnprocessableEntity)
	}
	wantStatus(w, w.must(w.post("x")), http.StatusCreated)
}

func TestControlPolicy(t *testing.T) {
	t.Parallel()
	w := start(t, sandbox.Options{})
	contract := w.control("GET", "policy", "").body
	if !strings.Contains(contract, `"retain":"720h0m0s"`) {
		t.Errorf("the contract's policy is %s", contract)
	}
	wantStatus(w, w.control("POST", "policy", `{"unique_names":true,"max_lifetime":"90d"}`), http.StatusOK)
	wantStatus(w, w.control("PATCH", "policy", `{"retain":"0s"}`), http.StatusOK)
	want := sandbox.Policy{UniqueNames: true, MaxLifetime: 90 * 24 * time.Hour, Retain: -1}
	if got := w.sandbox.Policy(); got != want {
		t.Errorf("merged to %+v", got)
	}
	for _, bad := range []string{`{"unique":true}`, `{"retain":0}`, `{"expired_status":"gone"}`, `{"max_active":-1}`} {
		wantStatus(w, w.control("PUT", "policy", bad), http.StatusUnprocessableEntity)
	}
	if got := w.sandbox.Policy(); got != want {
		t.Errorf("a refusal changed it to %+v", got)
	}
	if got := w.control("PUT", "policy", `{}`).body; got != contract {
		t.Errorf("replaced by %s", got)
	}
}

func TestControlTokens(t *testing.T) {
	t.Parallel()
	w := start(t, sandbox.Options{})
	minted := w.control("POST", "tokens", `{"name":"by hand","expires_at":"2026-04-01T00:00:00Z"}`)
	hand := decode[token](w, minted, http.StatusCreated)
	if minted.header.Get("Cache-Control") != "no-store" {
		t.Error("the answer with the secret may be stored")
	}
	wantStatus(w, w.as(hand.Secret, "GET", "/api-tokens/self", ""), http.StatusOK)
	refused(w, w.control("POST", "tokens", `{"name":"x","scopes":[]}`), http.StatusUnprocessableEntity, "validation_failed")
	refused(w, w.control("POST", "tokens", `{"name":"`+strings.Repeat("x", 1<<20)+`"}`), http.StatusRequestEntityTooLarge, "too_large")
	refused(w, w.control("POST", "tokens", `{"name":" "}`), http.StatusUnprocessableEntity, "validation_failed")
	refused(w, w.control("POST", "tokens", `{"name":"x","expires_at":"2020-01-01T00:00:00Z"}`), http.StatusUnprocessableEntity, "validation_failed")

	wantStatus(w, w.control("POST", "tokens/"+hand.ID+"/revoke", ""), http.StatusNoContent)
	refused(w, w.as(hand.Secret, "GET", "/api-tokens/self", ""), http.StatusUnauthorized, "token_revoked")
	wantStatus(w, w.control("POST", "tokens/"+hand.ID+"/forget", ""), http.StatusNoContent)
	refused(w, w.as(hand.Secret, "GET", "/api-tokens/self", ""), http.StatusUnauthorized, "token_invalid")
	refused(w, w.api("GET", "/api-tokens/"+hand.ID, ""), http.StatusNotFound, "not_found")
	for _, act := range []string{"revoke", "forget"} {
		refused(w, w.control("POST", "tokens/"+hand.ID+"/"+act, ""), http.StatusNotFound, "not_found")
	}
}

func TestControlSeed(t *testing.T) {
	t.Parallel()
	w := start(t, sandbox.Options{})
	wantStatus(w, w.control("POST", "seed", `{"count":2,"name_prefix":"old","created_ago":"60d","used_ago":"31d","expires_in":"-1h","revoked":true}`), http.StatusCreated)
	got := w.sandbox.Tokens()[0]
	want := sandbox.Token{
		ID: got.ID, Name: "old-0002", CreatedAt: noon().AddDate(0, 0, -60), LastUsedAt: noon().AddDate(0, 0, -31),
		ExpiresAt: noon().Add(-time.Hour), RevokedAt: noon(), Status: "revoked", Uses: 1,
	}
	if got != want {
		t.Errorf("seeded %+v, want %+v", got, want)
	}
	for _, bad := range []string{`{}`, `{"count":0}`, `{"count":10001}`} {
		wantStatus(w, w.control("POST", "seed", bad), http.StatusUnprocessableEntity)
	}
}

func TestControlReset(t *testing.T) {
	t.Parallel()
	w := start(t, sandbox.Options{Policy: sandbox.Policy{PageMax: 7}})
	w.create("by API", 0)
	w.control("POST", "seed", `{"count":3}`)
	w.control("POST", "clock", `{"advance":"1d"}`)
	w.control("POST", "policy", `{"no_minting":true}`)
	w.sandbox.AddFaults(sandbox.Fault{Status: 500, Count: -1})

	wantStatus(w, w.control("POST", "reset", ""), http.StatusNoContent)
	if left := w.sandbox.Tokens(); len(left) != 1 || left[0].ID != w.id {
		t.Errorf("left %+v, want the management token", left)
	}
	if !w.sandbox.Clock().Now().Equal(noon()) || w.sandbox.Policy() != (sandbox.Policy{PageMax: 7}) || len(w.sandbox.Journal()) != 0 {
		t.Error("clock, policy or journal are not as they were at the start")
	}
	w.create("works again", 0)
}

func TestControlJournal(t *testing.T) {
	t.Parallel()
	w := start(t, sandbox.Options{})
	made := w.create("x", 0)
	w.api("GET", "/api-tokens?limit=5", "")
	w.api("DELETE", "/api-tokens/"+made.ID, "")
	w.as(made.Secret, "GET", "/api-tokens/self", "")
	w.control("GET", "health", "")
	want := []sandbox.Call{
		{Time: noon(), Method: "POST", Path: collection, Status: 201, TokenID: w.id, Subject: made.ID, Applied: true},
		{Time: noon(), Method: "GET", Path: collection, Query: "limit=5", Status: 200, TokenID: w.id, Applied: true},
		{Time: noon(), Method: "DELETE", Path: collection + "/" + made.ID, Status: 204, TokenID: w.id, Subject: made.ID, Applied: true},
		{Time: noon(), Method: "GET", Path: collection + "/self", Status: 401, TokenID: made.ID},
	}
	got := decode[struct{ Calls []sandbox.Call }](w, w.control("GET", "journal", ""), http.StatusOK).Calls
	if len(got) != len(want) {
		t.Fatalf("%d calls, want %d (those to the control endpoints do not count): %+v", len(got), len(want), got)
	}
	for i := range want {
		want[i].RequestID = got[i].RequestID
		if got[i] != want[i] || got[i].RequestID == "" {
			t.Errorf("call %d is %+v, want %+v", i, got[i], want[i])
		}
	}
	wantStatus(w, w.control("DELETE", "journal", ""), http.StatusNoContent)
	if n := len(w.sandbox.Journal()); n != 0 {
		t.Errorf("%d calls after the delete", n)
	}
}

func TestControlIsForThisMachineAlone(t *testing.T) {
	t.Parallel()
	w := start(t, sandbox.Options{})
	for _, tc := range []struct {
		name   string
		method string
		path   string
		header []string
		status int
		code   string
	}{
		{"a foreign host, control", "GET", "/_sandbox/journal", []string{"Host", "evil.example"}, 403, "foreign_host"},
		{"a foreign host, API", "GET", collection, []string{"Host", "evil.example:8765"}, 403, "foreign_host"},
		{"a foreign address", "GET", collection, []string{"Host", "192.0.2.1"}, 403, "foreign_host"},
		{"a name that begins like one of ours", "GET", collection, []string{"Host", "localhost.evil.example"}, 403, "foreign_host"},
		{"localhost", "GET", collection, []string{"Host", "LocalHost:8765"}, 200, ""},
		{"IPv6 with a port", "GET", collection, []string{"Host", "[::1]:8765"}, 200, ""},
		{"IPv6", "GET", collection, []string{"Host", "[::1]"}, 200, ""},
		{"another loopback address", "GET", collection, []string{"Host", "127.0.0.53"}, 200, ""},
		{"a cross-site page", "POST", "/_sandbox/reset", []string{"Sec-Fetch-Site", "cross-site"}, 403, "cross_site"},
		{"another port's page", "POST", "/_sandbox/reset", []string{"Sec-Fetch-Site", "same-site"}, 403, "cross_site"},
		{"a foreign origin", "DELETE", "/_sandbox/journal", []string{"Origin", "http://evil.example"}, 403, "cross_site"},
		{"its own page", "POST", "/_sandbox/release", []string{"Sec-Fetch-Site", "same-origin"}, 200, ""},
		{"no such endpoint", "GET", "/_sandbox/x", nil, 404, "not_found"},
		{"no such method", "DELETE", "/_sandbox/clock", nil, 405, "method_not_allowed"},
	} {
		got := w.must(w.try(t.Context(), w.secret, tc.method, tc.path, "", tc.header...))
		if tc.code == "" {
			wantStatus(w, got, tc.status)
		} else {
			refused(w, got, tc.status, tc.code)
		}
	}

	remote := start(t, sandbox.Options{AllowRemote: true})
	wantStatus(remote, remote.must(remote.try(t.Context(), remote.secret, "GET", collection, "", "Host", "sandbox.example")), http.StatusOK)
}
