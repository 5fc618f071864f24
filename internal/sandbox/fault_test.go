package sandbox_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
)

const collection = "/api/v1/api-tokens"

// post creates a token by API and returns the response as the caller sees it.
func (w *world) post(name string) (reply, error) {
	return w.try(w.Context(), w.secret, "POST", collection, `{"name":"`+name+`"}`)
}

func TestFaultLosesTheRequest(t *testing.T) {
	t.Parallel()
	w := start(t, sandbox.Options{})
	w.sandbox.AddFaults(sandbox.Fault{Method: "POST", Path: "/api-tokens", Lose: sandbox.LoseRequest})
	if r, err := w.post("x"); err == nil {
		t.Fatalf("answered %d", r.status)
	}
	calls := w.sandbox.Journal()
	if len(calls) != 1 || calls[0].Status != 0 || calls[0].Applied || calls[0].Subject != "" {
		t.Errorf("journal %+v", calls)
	}
	if n := len(w.sandbox.Tokens()); n != 1 {
		t.Errorf("%d tokens, want the management token alone", n)
	}
	wantStatus(w, w.must(w.post("x")), http.StatusCreated) // the fault applied once
}

func TestFaultLosesTheResponse(t *testing.T) {
	t.Parallel()
	w := start(t, sandbox.Options{})
	w.sandbox.AddFaults(sandbox.Fault{Method: "POST", Lose: sandbox.LoseResponse})
	if r, err := w.post("orphan"); err == nil {
		t.Fatalf("answered %d", r.status)
	}
	orphan := w.sandbox.Tokens()[0]
	calls := w.sandbox.Journal()
	if len(calls) != 1 || calls[0].Status != 0 || !calls[0].Applied || calls[0].Subject != orphan.ID || calls[0].TokenID != w.id {
		t.Errorf("journal %+v", calls)
	}
	if orphan.Name != "orphan" || orphan.Uses != 0 {
		t.Errorf("orphan %+v", orphan)
	}
}

func TestTwoCreatesOfOneNameAndOneLostAnswer(t *testing.T) {
	t.Parallel()
	w := start(t, sandbox.Options{})
	w.sandbox.AddFaults(sandbox.Fault{Method: "POST", Lose: sandbox.LoseResponse})
	lost := make(chan bool)
	for range 2 {
		go func() {
			_, err := w.post("same")
			lost <- err != nil
		}()
	}
	if first, second := <-lost, <-lost; first == second {
		t.Errorf("lost: %t and %t, want one of the two", first, second)
	}
	if n := w.minted(); n != 2 || len(w.sandbox.Tokens()) != 3 {
		t.Errorf("%d creates were carried out", n)
	}
}

func TestFaultAppliesLate(t *testing.T) {
	t.Parallel()
	w := start(t, sandbox.Options{})
	w.sandbox.AddFaults(sandbox.Fault{Method: "POST", Hold: true, Lose: sandbox.LoseResponse})
	if r, err := w.post("late"); err == nil {
		t.Fatalf("answered %d", r.status)
	}
	if n := len(w.sandbox.Tokens()); n != 1 {
		t.Fatalf("%d tokens before the release", n)
	}
	if call := w.sandbox.Journal()[0]; call.Applied || call.Status != 0 {
		t.Errorf("before the release: %+v", call)
	}
	w.sandbox.Clock().Advance(time.Hour)
	if n := w.sandbox.Release(); n != 1 {
		t.Errorf("released %d", n)
	}
	late := w.sandbox.Tokens()[0]
	if late.Name != "late" || !late.CreatedAt.Equal(noon().Add(time.Hour)) {
		t.Errorf("landed as %+v", late)
	}
	if call := w.sandbox.Journal()[0]; !call.Applied || call.Status != 0 || call.Subject != late.ID || call.TokenID != w.id {
		t.Errorf("after the release: %+v", call)
	}
	if n := w.sandbox.Release(); n != 0 {
		t.Errorf("released %d again", n)
	}
}

func TestLateWorkIsRefusedWhenItsTokenIsGone(t *testing.T) {
	t.Parallel()
	w := start(t, sandbox.Options{})
	w.sandbox.AddFaults(sandbox.Fault{Method: "POST", Hold: true, Lose: sandbox.LoseResponse})
	if _, err := w.post("late"); err == nil {
		t.Fatal("answered")
	}
	w.sandbox.Revoke(w.id)
	w.control("POST", "release", "")
	if call := w.sandbox.Journal()[0]; call.Applied || len(w.sandbox.Tokens()) != 1 {
		t.Errorf("a revoked token minted: %+v", call)
	}
}

func TestFaultHoldsUntilTheRelease(t *testing.T) {
	t.Parallel()
	w := start(t, sandbox.Options{})
	w.sandbox.AddFaults(sandbox.Fault{Method: "POST", Hold: true})
	answered := make(chan reply)
	go func() {
		r, _ := w.post("patient")
		answered <- r
	}()
	if err := w.sandbox.AwaitHeld(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if n := len(w.sandbox.Tokens()); n != 1 {
		t.Errorf("%d tokens before the release", n)
	}
	if got := w.control("POST", "release", ""); strings.TrimSpace(got.body) != `{"released":1}` {
		t.Errorf("release answers %s", got.body)
	}
	wantStatus(w, <-answered, http.StatusCreated)
}

func TestHeldRequestIsDroppedWhenItsCallerLeaves(t *testing.T) {
	t.Parallel()
	w := start(t, sandbox.Options{})
	w.sandbox.AddFaults(sandbox.Fault{Method: "POST", Hold: true}, sandbox.Fault{Method: "POST", Delay: time.Hour})
	for held := range 2 {
		ctx, leave := context.WithCancel(t.Context())
		gone := make(chan error)
		go func() {
			_, err := w.try(ctx, w.secret, "POST", collection, `{"name":"x"}`)
			gone <- err
		}()
		if held == 0 {
			if err := w.sandbox.AwaitHeld(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
		}
		leave()
		if err := <-gone; err == nil {
			t.Error("answered")
		}
	}
	w.sandbox.Release()
	if n := len(w.sandbox.Tokens()); n != 1 {
		t.Errorf("%d tokens, want the management token alone", n)
	}
}

func TestFaultAnswersInPlace(t *testing.T) {
	t.Parallel()
	html := "<html><body>502 Bad Gateway</body></html>"
	for _, tc := range []struct {
		name              string
		fault             sandbox.Fault
		status            int
		body, contentType string
		header, value     string
	}{
		{"429 in seconds", sandbox.Fault{Status: 429, Headers: map[string]string{"Retry-After": "7"}}, 429, `"code":"rate_limited"`, "application/problem+json", "Retry-After", "7"},
		{"429 absurd", sandbox.Fault{Status: 429, Headers: map[string]string{"Retry-After": "86400"}}, 429, `"status":429`, "application/problem+json", "Retry-After", "86400"},
		{"500", sandbox.Fault{Status: 500}, 500, `"code":"internal"`, "application/problem+json", "", ""},
		{"502 as HTML", sandbox.Fault{Status: 502, Body: html}, 502, html, "text/html; charset=utf-8", "", ""},
		{"503", sandbox.Fault{Status: 503}, 503, `"code":"unavailable"`, "application/problem+json", "", ""},
		{"garbage as success", sandbox.Fault{Status: 201, Body: "\x00\x01garbage"}, 201, "\x00\x01garbage", "application/octet-stream", "", ""},
		{"other JSON as success", sandbox.Fault{Status: 200, Body: `{"ok":true}`}, 200, `{"ok":true}`, "application/json", "", ""},
		{"redirect", sandbox.Fault{Redirect: "http://elsewhere.example/x"}, 302, "", "", "Location", "http://elsewhere.example/x"},
		{"redirect that keeps the method", sandbox.Fault{Redirect: "/x", Status: 307}, 307, "", "", "Location", "/x"},
		{"half of an error", sandbox.Fault{Status: 500, Body: `{"detail":"0"}`, Truncate: true}, 500, `{"detai`, "application/json", "", ""},
		{"a type of one's own", sandbox.Fault{Status: 400, Body: `x`, Headers: map[string]string{"Content-Type": "a/b"}}, 400, `x`, "a/b", "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := misbehave(t, sandbox.Options{})
			w.sandbox.AddFaults(tc.fault)
			got := w.must(w.post("x"))
			wantStatus(w, got, tc.status)
			if !strings.Contains(got.body, tc.body) || got.header.Get("Content-Type") != tc.contentType {
				t.Errorf("answered %q as %s", got.body, got.header.Get("Content-Type"))
			}
			if tc.header != "" && got.header.Get(tc.header) != tc.value {
				t.Errorf("%s: %q", tc.header, got.header.Get(tc.header))
			}
			if got.header.Get("X-Request-Id") == "" {
				t.Error("no request id")
			}
			if call := w.sandbox.Journal()[0]; call.Applied || call.Status != tc.status || len(w.sandbox.Tokens()) != 1 {
				t.Errorf("something was done: %+v", call)
			}
		})
	}
}

func TestOrderedErrorsAreProblemDocuments(t *testing.T) {
	t.Parallel()
	w := start(t, sandbox.Options{})
	for status, code := range map[int]string{
		400: "bad_json", 401: "token_invalid", 403: "minting_not_allowed", 404: "not_found", 409: "name_conflict",
		422: "validation_failed", 429: "rate_limited", 500: "internal", 502: "unavailable", 503: "unavailable", 504: "unavailable",
	} {
		w.sandbox.AddFaults(sandbox.Fault{Status: status, Headers: map[string]string{"Retry-After": "1"}})
		refused(w, w.must(w.post("x")), status, code)
	}
	if n := w.minted(); n != 0 {
		t.Errorf("%d creates were carried out", n)
	}
}

func TestFaultAltersTheRealAnswer(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		fault  sandbox.Fault
		status int
		secret bool // whether the answer still contains the secret
	}{
		{"502 after the work", sandbox.Fault{Status: 502, After: true}, 502, false},
		{"redirect after the work", sandbox.Fault{Redirect: "/x", After: true}, 302, false},
		{"200 instead of 201", sandbox.Fault{Status: 200, After: true}, 200, true},
		{"another body", sandbox.Fault{Body: "{}"}, 201, false},
		{"half of the body", sandbox.Fault{Truncate: true}, 201, false},
		{"another header", sandbox.Fault{Headers: map[string]string{"Date": "nonsense"}}, 201, true},
		{"later", sandbox.Fault{Delay: time.Millisecond}, 201, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := misbehave(t, sandbox.Options{})
			w.sandbox.AddFaults(tc.fault)
			got := w.must(w.post("x"))
			wantStatus(w, got, tc.status)
			whole := strings.Count(got.body, "pstk_sbx_") == 1 && strings.HasSuffix(got.body, "\"}\n")
			if whole != tc.secret {
				t.Errorf("carries a whole secret: %t, want %t", whole, tc.secret)
			}
			if call := w.sandbox.Journal()[0]; !call.Applied || call.Status != tc.status || len(w.sandbox.Tokens()) != 2 {
				t.Errorf("the work was not done: %+v", call)
			}
			for name, value := range tc.fault.Headers {
				if got.header.Get(name) != value {
					t.Errorf("%s: %q", name, got.header.Get(name))
				}
			}
		})
	}
}

func TestFaultsMeetTheRequestsTheyAreFor(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		faults []sandbox.Fault
		want   []int // statuses of: list, list, self, create, list
	}{
		{"the next one", []sandbox.Fault{{Status: 500}}, []int{500, 200, 200, 201, 200}},
		{"by method", []sandbox.Fault{{Method: "post", Status: 500}}, []int{200, 200, 200, 500, 200}},
		{"by path below the prefix", []sandbox.Fault{{Path: "/api-tokens/*", Status: 500}}, []int{200, 200, 500, 201, 200}},
		{"by whole path", []sandbox.Fault{{Path: "/api/v1/api-tokens", Status: 500}}, []int{500, 200, 200, 201, 200}},
		{"skipping some", []sandbox.Fault{{Path: "/api-tokens", Skip: 2, Status: 500}}, []int{200, 200, 200, 500, 200}},
		{"several", []sandbox.Fault{{Method: "GET", Count: 3, Status: 500}}, []int{500, 500, 500, 201, 200}},
		{"for ever", []sandbox.Fault{{Skip: 1, Count: -1, Status: 500}}, []int{200, 500, 500, 500, 500}},
		{"in their order", []sandbox.Fault{{Status: 500}, {Status: 503}, {Method: "POST", Status: 502}}, []int{500, 503, 200, 502, 200}},
		{"a skipped one counts the request that the next one meets", []sandbox.Fault{{Skip: 1, Status: 500}, {Status: 503}}, []int{503, 500, 200, 201, 200}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := start(t, sandbox.Options{})
			w.sandbox.AddFaults(tc.faults...)
			got := []int{
				w.api("GET", "/api-tokens", "").status,
				w.api("GET", "/api-tokens", "").status,
				w.api("GET", "/api-tokens/self", "").status,
				w.must(w.post("x")).status,
				w.api("GET", "/api-tokens", "").status,
			}
			for i := range tc.want {
				if got[i] != tc.want[i] {
					t.Fatalf("got %v, want %v", got, tc.want)
				}
			}
			w.sandbox.ClearFaults()
			wantStatus(w, w.api("GET", "/api-tokens", ""), http.StatusOK)
		})
	}
}

func TestFaultsThatCouldNeverWork(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]sandbox.Fault{
		"glob":         {Path: "[", Status: 500},
		"lose":         {Lose: "both"},
		"status":       {Status: 99},
		"count":        {Count: -2},
		"skip":         {Skip: -1},
		"late nothing": {Hold: true, Lose: sandbox.LoseRequest},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := start(t, sandbox.Options{})
			defer func() {
				if recover() == nil {
					t.Error("was taken")
				}
			}()
			w.sandbox.AddFaults(fault)
		})
	}
}
