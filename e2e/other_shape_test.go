package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
)

// otherShape is a PAIStrike whose API looks different in every way that the
// configuration can bridge: other paths that end in a slash, other field names,
// numbers for ids, camelCase inside envelopes, revocation by POST, no way to read
// one token, and a header that every request must carry.
type otherShape struct {
	t       *testing.T
	sandbox http.Handler
	now     func() time.Time
	seconds bool // expiry as seconds since 1970, else as a date

	mu  sync.Mutex
	ids []string // number n is ids[n-1]
}

const otherPrefix = "/platform/rest/v3"

// ServeHTTP answers what this PAIStrike knows; anything else fails the test.
func (o *otherShape) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+otherPrefix+"/credentials/{$}", o.list)
	mux.HandleFunc("POST "+otherPrefix+"/credentials/{$}", o.create)
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

// ask passes a request on in the sandbox's own shape.
func (o *otherShape) ask(r *http.Request, method, path string, body any) (status int, answer map[string]any) {
	raw, err := json.Marshal(body)
	if err != nil {
		o.t.Error(err)
	}
	request := httptest.NewRequestWithContext(r.Context(), method, "http://127.0.0.1/api/v1"+path, bytes.NewReader(raw))
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", r.Header.Get("Authorization"))
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

func (o *otherShape) list(w http.ResponseWriter, r *http.Request) {
	status, answer := o.ask(r, http.MethodGet, "/api-tokens?"+r.URL.RawQuery, nil)
	tokens := []any{}
	items, _ := answer["items"].([]any)
	for _, item := range items {
		tokens = append(tokens, o.token(item))
	}
	say(w, status, map[string]any{"ok": status == http.StatusOK, "result": map[string]any{
		"apiTokens": tokens,
		"pageInfo":  map[string]any{"nextCursor": answer["next_cursor"], "hasNextPage": answer["next_cursor"] != nil},
	}})
}

func (o *otherShape) create(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		Label  string `json:"label"`
		Expiry any    `json:"expiry"`
	}
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&asked); err != nil {
		o.t.Errorf("the create cannot be read: %v", err)
	}
	expires := fmt.Sprint(asked.Expiry)
	if seconds, ok := asked.Expiry.(float64); ok == o.seconds && ok {
		expires = time.Unix(int64(seconds), 0).UTC().Format(time.RFC3339)
	} else if _, err := time.Parse(time.DateOnly, expires); err != nil || o.seconds {
		o.t.Errorf("the expiry is sent as %v", asked.Expiry)
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

// token writes the sandbox's token in this shape.
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

// instant gives milliseconds since 1970.
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

// The main job is done by configuration alone, the published example, where
// PAIStrike has another shape than this provider expects.
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
