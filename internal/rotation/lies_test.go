package rotation_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/proof"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
	"github.com/paistrike/terraform-provider-paistrike/internal/testparts"
)

// A lie is an answer that is not true, and that a run gets while it works on an entry
// whose token is due. Beside the entry stands a token that was made by hand.
type lie struct {
	name string
	tell func(w *world, victim string) http.RoundTripper
	// says is a code that the run must end with or say; empty for a run that may end well.
	says string
}

// html is what a login page or an ingress answers.
const html = "<!doctype html><title>Sign in</title>"

func page(r *http.Request, status int) *http.Response {
	response := answer(r, status, html)
	response.Header.Set("Content-Type", "text/html")
	return response
}

// changed lets a request through and changes the answer.
func (w *world) changed(method, part string, change func(body string, header http.Header) string) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		response, err := w.send(r)
		if err != nil || r.Method != method || !strings.Contains(r.URL.Path, part) {
			return response, err
		}
		body, err := io.ReadAll(response.Body)
		if err != nil {
			return nil, err
		}
		text := change(string(body), response.Header)
		response.Body, response.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
		response.Header.Del("Content-Length")
		return response, nil
	})
}

// instead answers without doing anything.
func (w *world) instead(method, part string, say func(r *http.Request) *http.Response) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		if r.Method == method && strings.Contains(r.URL.Path, part) && r.URL.Host == paistrikeHost {
			return say(r), nil
		}
		return w.send(r)
	})
}

// without takes the entry's tokens out of a list.
func without(body, name string) string {
	var list struct {
		Items []map[string]any `json:"items"`
		Next  any              `json:"next_cursor"`
	}
	if json.Unmarshal([]byte(body), &list) != nil || list.Items == nil {
		return body
	}
	list.Items = slices.DeleteFunc(list.Items, func(item map[string]any) bool {
		text, _ := item["name"].(string)
		return strings.HasPrefix(text, name)
	})
	text, err := json.Marshal(list)
	if err != nil {
		return body
	}
	return string(text)
}

func lies() []lie {
	status := func(status int) func(w *world, victim string) http.RoundTripper {
		return func(w *world, _ string) http.RoundTripper {
			return w.instead("DELETE", tokensPath, func(r *http.Request) *http.Response { return page(r, status) })
		}
	}
	return []lie{
		{"a login page answers the revocation with 200", status(200), ""},
		{"an ingress answers the revocation with 404", status(404), ""},
		{"an ingress answers the revocation with 410", status(410), ""},
		{"the revocation is answered with a bare 204, and nothing is done", func(w *world, _ string) http.RoundTripper {
			return w.instead("DELETE", tokensPath, func(r *http.Request) *http.Response { return answer(r, 204, "") })
		}, ""},
		{"a login page answers the list with 200", func(w *world, _ string) http.RoundTripper {
			return w.instead("GET", tokensPath, func(r *http.Request) *http.Response { return page(r, 200) })
		}, "PS106"},
		{"a replica lags: the list lacks the entry's tokens", func(w *world, _ string) http.RoundTripper {
			return w.changed("GET", "/api-tokens", func(body string, _ http.Header) string { return without(body, "CI/CD") })
		}, ""},
		{"the list is of its first page alone", func(w *world, _ string) http.RoundTripper {
			return w.changed("GET", "/api-tokens", func(body string, _ http.Header) string {
				return strings.Replace(body, `"next_cursor"`, `"total":900,"next_cursor"`, 1)
			})
		}, "PS106"},
		{"every Date is a year ahead", func(w *world, _ string) http.RoundTripper {
			return w.changed("", "", nil)
		}, ""},
		{"the create is answered with another token's id", func(w *world, victim string) http.RoundTripper { return w.withID(victim) }, ""},
		{"the create is answered with the id self", func(w *world, _ string) http.RoundTripper { return w.withID("self") }, ""},
	}
}

// dated sets the Date of PAIStrike's answers.
func (w *world) dated(ahead time.Duration) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		response, err := w.send(r)
		if err == nil && r.URL.Host == paistrikeHost {
			response.Header.Set("Date", w.now().Add(ahead).UTC().Format(http.TimeFormat))
		}
		return response, err
	})
}

// TestLies lets a run be lied to, then runs clean. The token made by hand and the
// management token survive, nothing that still works is called revoked, no overlap is
// cut short, and the entry ends up with one working token.
func TestLies(t *testing.T) {
	t.Parallel()
	kv := startKV(t)
	works := map[string]func(w *world, wire http.RoundTripper) ([]string, error){
		"rotate and retire": func(w *world, wire http.RoundTripper) ([]string, error) {
			result, err := w.engine(wire).Run(context.Background(), w.request(rotation.IfDue, schedule.ReasonNone))
			return append(result.Retired, result.Swept...), err
		},
		"destroy": func(w *world, wire http.RoundTripper) ([]string, error) {
			result, err := w.engine(wire).Destroy(context.Background(), rotation.DestroyRequest{At: w.at, Owner: "resource-1", Ending: entry.EndDelete})
			return result.Revoked, err
		},
	}
	for _, l := range lies() {
		for name, work := range works {
			t.Run(name+": "+l.name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, kv)
				victim, _ := w.paistrike.Mint("made by hand", time.Time{})
				w.run(w.request(rotation.Rotate, schedule.ReasonCreated))
				w.run(w.request(rotation.Rotate, schedule.ReasonForced))
				w.paistrike.Clock().Advance(30 * day) // the first is ripe, the second is due
				wire := l.tell(w, victim)
				if strings.Contains(l.name, "Date") {
					wire = w.dated(365 * day)
				}
				current, _ := w.current()
				called, err := work(w, wire)
				for _, id := range called {
					if token := w.tokenOf(id); token.Status == "active" {
						t.Errorf("token %s is called revoked, and still works", id)
					}
				}
				if failure, ok := errors.AsType[*rotation.Error](err); l.says != "" && (!ok || failure.Code != l.says) {
					t.Errorf("error = %v, want %s", err, l.says)
				}
				if err == nil && name == "destroy" && len(w.live()) > 0 {
					t.Errorf("the destroy ended well, and %d tokens still work", len(w.live()))
				}
				if name != "destroy" && !w.accepts(current.Secret) {
					t.Error("the token that was current has lost its overlap")
				}
				w.afterwards(work, name == "destroy")
				for _, token := range w.paistrike.Tokens() {
					if (token.ID == victim || token.Name == "Terraform") && token.Status != "active" {
						t.Errorf("token %s (%s) was revoked", token.ID, token.Name)
					}
				}
				proof.Add(t, proof.Tally{Kind: proof.Lies, N: 1})
			})
		}
	}
}

// afterwards runs clean, twice, with a day between, and looks at what is left.
func (w *world) afterwards(work func(*world, http.RoundTripper) ([]string, error), gone bool) {
	w.t.Helper()
	for range 2 {
		if _, err := work(w, w.wire()); err != nil {
			w.t.Fatalf("clean run: %v", err)
		}
		w.paistrike.Clock().Advance(25 * time.Hour)
	}
	if _, err := work(w, w.wire()); err != nil {
		w.t.Fatalf("clean run: %v", err)
	}
	record, _ := w.current()
	switch live := w.live(); {
	case gone && len(live) > 0:
		w.t.Errorf("%d tokens live after the destroy", len(live))
	case !gone && (record == nil || !w.accepts(record.Secret) || len(live) != 1):
		w.t.Errorf("%d tokens live in the end, want the current one alone", len(live))
	}
}

func (w *world) tokenOf(id string) sandbox.Token {
	for _, token := range w.paistrike.Tokens() {
		if token.ID == id {
			return token
		}
	}
	return sandbox.Token{}
}

// A neighbor's word: the record names tokens that are not this entry's.
func TestNothingIsRevokedOnTheStoresWord(t *testing.T) {
	t.Parallel()
	w := newWorld(t, startKV(t))
	w.run(w.request(rotation.Rotate, schedule.ReasonCreated))
	victim, _ := w.paistrike.Mint("another team's", time.Time{})
	forged := *mustRecord(w)
	management := ""
	for _, token := range w.paistrike.Tokens() {
		if token.Name == "Terraform" {
			management = token.ID
		}
	}
	for _, id := range []string{victim, management} {
		forged.Retiring = append(forged.Retiring, entry.Retiring{ID: id, Name: "x", SupersededAt: firstDay, RevokeAfter: firstDay})
	}
	forged.Base, forged.Gen = "1", 2
	content, err := entry.EncodeRecord("token", forged)
	if err != nil {
		t.Fatal(err)
	}
	w.vault(http.MethodPost, "data/"+w.at.Path, map[string]any{"data": content})
	wire := &recorderWire{next: w.wire()}
	result, err := w.engine(wire).Run(t.Context(), w.request(rotation.IfDue, schedule.ReasonNone))
	if err != nil || len(result.Retired) > 0 || wire.count("DELETE") > 0 {
		t.Fatalf("retired %v with %d revocations, %v", result.Retired, wire.count("DELETE"), err)
	}
	if !slices.ContainsFunc(result.Notes, func(m rotation.Message) bool { return m.Code == "PS501" && strings.Contains(m.Detail, victim) }) {
		t.Errorf("nothing says that token %s was left alone: %v", victim, result.Notes)
	}
	request := rotation.DestroyRequest{At: w.at, Owner: "resource-1", TokenIDs: []string{victim}, Ending: entry.EndDelete}
	if _, err := w.engine(w.wire()).Destroy(t.Context(), request); err == nil {
		t.Error("a destroy that would end the token that the run itself uses is carried out")
	}
	if len(w.live()) != 1 {
		t.Error("the entry was closed although its destroy was refused")
	}
}

// An imported token has a name of its own. A person's import, and what it saw, is the
// warrant to retire it; a scheduled run has none.
func TestImportedTokenIsRetiredByWhoImportedIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, startKV(t))
	id, _ := w.paistrike.Mint("made by hand", firstDay.Add(60*day))
	request := w.request(rotation.Rotate, schedule.ReasonImported)
	request.Keep = []string{id}
	w.run(request)
	w.paistrike.Clock().Advance(2 * day)
	scheduled := rotation.Request{At: w.at, Stored: true, Wish: rotation.IfDue}
	if result := w.run(scheduled); len(result.Retired) > 0 || w.tokenOf(id).Status != "active" {
		t.Fatalf("a scheduled run retired %v", result.Retired)
	}
	settle := w.request(rotation.Settle, schedule.ReasonNone)
	settle.Imported = []rotation.Imported{{ID: id, Name: "renamed since"}}
	if result := w.run(settle); len(result.Retired) > 0 {
		t.Fatalf("retired %v under a different name than the import saw", result.Retired)
	}
	settle.Imported = []rotation.Imported{{ID: id, Name: "made by hand"}}
	if result := w.run(settle); !slices.Equal(result.Retired, []string{id}) || w.tokenOf(id).Status == "active" {
		t.Errorf("retired %v, want %s", result.Retired, id)
	}
}

// The right entries, the wrong account: nothing is minted, and nothing is overwritten.
func TestAnotherAccountIsNotTouched(t *testing.T) {
	t.Parallel()
	w := newWorld(t, startKV(t))
	w.run(w.request(rotation.Rotate, schedule.ReasonCreated))
	mine := w.paistrike
	w.paistrike = testparts.NewAccount(t, "Terraform", firstDay.Add(day))
	for _, request := range []rotation.Request{w.request(rotation.IfDue, schedule.ReasonNone), w.request(rotation.Settle, schedule.ReasonNone), {At: w.at, Stored: true, Wish: rotation.IfDue, MayRepublish: true}} {
		w.fails(request, "PS112")
	}
	if _, err := w.engine(w.wire()).Destroy(t.Context(), rotation.DestroyRequest{At: w.at, Owner: "resource-1"}); err == nil {
		t.Error("an entry whose token this account does not know was destroyed")
	}
	if len(w.live()) != 0 || w.version() != 1 {
		t.Fatalf("%d tokens in the wrong account, version %d", len(w.live()), w.version())
	}
	// A reason that the user gave is consent.
	result := w.run(w.due(schedule.ReasonTriggers))
	if !result.Rotated || !slices.ContainsFunc(result.Notes, func(m rotation.Message) bool { return m.Code == "PS113" }) {
		t.Errorf("asked for: rotated = %t, notes %v", result.Rotated, result.Notes)
	}
	w.paistrike = mine
}

// The recorded expiry has passed: whoever's it was, nobody can lose a working token.
func TestAnExpiredTokenHealsInAnyAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t, startKV(t))
	w.run(w.request(rotation.Rotate, schedule.ReasonCreated))
	w.paistrike = testparts.NewAccount(t, "Terraform", firstDay.Add(91*day))
	if result := w.run(w.request(rotation.IfDue, schedule.ReasonNone)); !result.Rotated {
		t.Error("an entry whose token has expired was not healed")
	}
}

// A copy of Vault, and a Vault under another address, have records of another identity.
func TestACopiedStoreIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, startKV(t))
	w.run(w.request(rotation.Rotate, schedule.ReasonCreated))
	original := w.identity
	w.identity = "staging.example.com:8200"
	for _, request := range []rotation.Request{w.request(rotation.IfDue, schedule.ReasonNone), w.due(schedule.ReasonForced), {At: w.at, Stored: true, Wish: rotation.IfDue}} {
		w.fails(request, "PS213")
	}
	destroyed, err := w.engine(w.wire()).Destroy(t.Context(), rotation.DestroyRequest{At: w.at, Owner: "resource-1"})
	if err != nil || len(destroyed.Revoked) > 0 || destroyed.Closed || len(w.live()) != 1 || w.version() != 1 {
		t.Errorf("a destroy on the copy: %+v, %v", destroyed, err)
	}
	w.identity = original
	w.run(w.request(rotation.IfDue, schedule.ReasonNone))
}

// A token that PAIStrike does not show keeps its overlap.
func TestALaggingListCutsNoOverlap(t *testing.T) {
	t.Parallel()
	w := newWorld(t, startKV(t))
	w.run(w.request(rotation.Rotate, schedule.ReasonCreated))
	w.run(w.request(rotation.Rotate, schedule.ReasonForced)) // so that the slot is known
	held := mustRecord(w)
	wire := roundTripper(func(r *http.Request) (*http.Response, error) {
		if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/"+held.TokenID) {
			return answer(r, 404, `{"code":"not_found"}`), nil
		}
		if r.Method != http.MethodGet || !strings.HasSuffix(r.URL.Path, tokensPath) {
			return w.send(r)
		}
		response, err := w.send(r)
		if err != nil {
			return nil, err
		}
		body, err := io.ReadAll(response.Body)
		text := without(string(body), held.TokenName)
		response.Body, response.ContentLength = io.NopCloser(bytes.NewReader([]byte(text))), int64(len(text))
		return response, err
	})
	result, err := w.engine(wire).Run(t.Context(), w.request(rotation.IfDue, schedule.ReasonNone))
	if err != nil || !result.Rotated || result.Reason != schedule.ReasonNotFound {
		t.Fatalf("%+v, %v", result, err)
	}
	w.paistrike.Clock().Advance(23 * time.Hour)
	w.run(w.request(rotation.Settle, schedule.ReasonNone))
	if !w.accepts(held.Secret) {
		t.Error("a token that was not listed for a moment lost its overlap")
	}
}
