package e2e_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
)

// otherShape is a PAIStrike whose API differs in every way that the configuration supports:
// paths with a trailing slash, other field names, numeric IDs, camelCase inside envelopes,
// revocation by POST, no way to read a single token, and a required header.
type otherShape struct {
	t       *testing.T
	sandbox http.Handler
	now     func() time.Time
	seconds bool // expiry as seconds since 1970 instead of a date

	mu  sync.Mutex
	ids []string // IDs in the sandbox; the numeric ID n is ids[n-1]
}

const otherPrefix = "/platform/rest/v3"

// ServeHTTP serves this API. Any other request fails the test.
func (o *otherShape) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+otherPrefix+"/credentials/{$}", o.list)
	mux.HandleFunc("POST "+otherPrefix+"/users/me/credentials/{$}", o.create)
	mux.HandleFunc("POST "+otherPrefix+"/credentials/{id}/revoke/{$}", o.revoke)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		o.t.Errorf("asked for %s %s, which is not there", r.Method, r.URL)
		http.NotFound(w, r)
	})
	if r.Header.Get("X-Organization") != "42" {
		o.t.Errorf("%s %s came without the organization", r.Method, r.URL)
	}
	w.Header().Set("Date", o.now().Format(http.TimeFormat)) // the clock that decides expiry
	mux.ServeHTTP(w, r)
}

// ask sends a request to the sandbox's own API.
func (o *otherShape) ask(r *http.Request, method, path string, body any) (status int, answer map[string]any) {
	raw, err := json.Marshal(body)
	if err != nil {
		o.t.Error(err)
	}
	request := httptest.NewRequestWithContext(r.Context(), method, "http://127.0.0.1/api/v1"+path, bytes.NewReader(raw))
	request.Header.Set("Content-Type", "application/json")
	secret, ok := strings.CutPrefix(r.Header.Get("Authorization"), "token ")
	if !ok {
		o.t.Errorf("%s %s came without the scheme", r.Method, r.URL)
	}
	request.Header.Set("Authorization", "Bearer "+secret)
	got := httptest.NewRecorder()
	o.sandbox.ServeHTTP(got, request)
	_ = json.Unmarshal(got.Body.Bytes(), &answer) // an empty body is an empty answer
	return got.Code, answer
}

func say(w http.ResponseWriter, status int, answer any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer)
}

// list returns two tokens per page, whatever is requested.
func (o *otherShape) list(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	number, err := strconv.Atoi(cmp.Or(query.Get("page"), "1"))
	if err != nil || query.Get("version") != "2026-01" {
		o.t.Errorf("listed by %s", r.URL.RawQuery)
	}
	tokens := []any{}
	for cursor := any(""); cursor != nil; {
		path := "/api-tokens"
		if at := text(cursor); at != "" {
			path += "?cursor=" + url.QueryEscape(at)
		}
		status, answer := o.ask(r, http.MethodGet, path, nil)
		if status != http.StatusOK {
			say(w, status, map[string]any{"ok": false})
			return
		}
		items, _ := answer["items"].([]any)
		for _, item := range items {
			tokens = append(tokens, o.token(item))
		}
		cursor = answer["next_cursor"]
	}
	total := len(tokens)
	from := min(max(number-1, 0)*2, total)
	say(w, http.StatusOK, map[string]any{"ok": true, "apiTokens": tokens[from:min(from+2, total)], "meta": map[string]any{"total": total}})
}

func (o *otherShape) create(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		Label  string   `json:"label"`
		Until  any      `json:"valid_until"`
		Scopes []string `json:"scopes"`
	}
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&asked); err != nil || !slices.Equal(asked.Scopes, []string{"scan"}) {
		o.t.Errorf("the create cannot be read: %+v, %v", asked, err)
	}
	expires := fmt.Sprint(asked.Until)
	if seconds, ok := asked.Until.(float64); ok == o.seconds && ok {
		expires = time.Unix(int64(seconds), 0).UTC().Format(time.RFC3339)
	} else if _, err := time.Parse(time.DateOnly, expires); err != nil || o.seconds {
		o.t.Errorf("the expiry is sent as %v", asked.Until)
	}
	status, answer := o.ask(r, http.MethodPost, "/api-tokens", map[string]any{"name": asked.Label, "expires_at": expires})
	created := o.token(answer)
	created["plainTextToken"] = answer["token"]
	say(w, status, map[string]any{"data": map[string]any{"apiToken": created}})
}

func (o *otherShape) revoke(w http.ResponseWriter, r *http.Request) {
	number, err := strconv.Atoi(r.PathValue("id"))
	o.mu.Lock()
	known := err == nil && number > 0 && number <= len(o.ids)
	id := ""
	if known {
		id = o.ids[number-1]
	}
	o.mu.Unlock()
	if !known {
		o.t.Errorf("asked to revoke %q", r.PathValue("id"))
	}
	status, _ := o.ask(r, http.MethodDelete, "/api-tokens/"+id, nil)
	say(w, min(status, http.StatusOK), map[string]any{"ok": status < 300})
}

// token converts the sandbox's token to this API.
func (o *otherShape) token(item any) map[string]any {
	fields, _ := item.(map[string]any)
	return map[string]any{
		"id": o.number(text(fields["id"])), "label": fields["name"], "status": strings.ToUpper(text(fields["status"])),
		"createdAt": o.instant(fields["created_at"]), "lastUsed": o.instant(fields["last_used_at"]), "expiresOn": o.expiry(fields["expires_at"]),
	}
}

func (o *otherShape) number(id string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	if i := slices.Index(o.ids, id); i >= 0 {
		return i + 1
	}
	o.ids = append(o.ids, id)
	return len(o.ids)
}

// instant returns milliseconds since 1970.
func (o *otherShape) instant(value any) any {
	at, err := time.Parse(time.RFC3339, text(value))
	if err != nil {
		return nil
	}
	return at.UnixMilli()
}

func (o *otherShape) expiry(value any) any {
	at, err := time.Parse(time.RFC3339, text(value))
	switch {
	case err != nil:
		return "Never"
	case o.seconds:
		return at.Unix()
	default:
		return at.Format(time.DateOnly)
	}
}

// The published example configures the provider for a PAIStrike with a different API, without
// other changes.
func TestPAIStrikeOfAnotherShape(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"date", "unix"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			eachCLI(t, func(t *testing.T, program string) {
				w := newWorld(t, program, sandbox.Options{Start: monday, Policy: sandbox.Policy{
					DateOnly: format == "date", NoSelf: true, ListOnly: true, PageMax: 1,
				}})
				n := newInternet(t)
				n.host(t, paistrikeHost, "443", &otherShape{t: t, sandbox: w.front, now: w.paistrike.Clock().Now, seconds: format == "unix"})
				w.tf.Setenv(n.environment()...)
				w.write(t, "main.tf", ci)
				w.write(t, "provider.tf", strings.Replace(published(t, "provider/provider_api_routes.tf"), `"date"`, strconv.Quote(format), 1))

				w.apply(t)
				w.planEmpty(t)
				before := w.secret(t, "secret", "ci/paistrike", "token")

				w.paistrike.Clock().Advance(31 * day)
				changes := w.plan(t)
				if len(changes) != 1 || !slices.Equal(changes[0].Actions, []string{"update"}) || changes[0].After["rotation_reason"] != "period" {
					t.Fatalf("the plan is not one rotation: %+v", changes)
				}
				w.apply(t)
				w.planEmpty(t)
				after := w.secret(t, "secret", "ci/paistrike", "token")
				if before == "" || before == after || w.active() != 2 {
					t.Errorf("%d tokens are active in the overlap, want the old and the new one", w.active())
				}

				w.paistrike.Clock().Advance(25 * time.Hour)
				w.apply(t)
				if w.active() != 1 {
					t.Errorf("%d tokens are active after the overlap, want the new one", w.active())
				}
				w.destroy(t)
				if w.active() != 0 {
					t.Errorf("%d tokens are left", w.active())
				}
			})
		})
	}
}
