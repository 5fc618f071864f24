package sandbox_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
)

type page struct {
	Items      []token `json:"items"`
	NextCursor *string `json:"next_cursor"`
}

// walk reads the whole list page by page and calls between after each page.
func (w *world) walk(limit int, between func(page int)) []token {
	w.Helper()
	var all []token
	path := fmt.Sprintf("/api-tokens?limit=%d", limit)
	for n := 1; ; n++ {
		got := w.api("GET", path, "")
		p := decode[page](w, got, http.StatusOK)
		all = append(all, p.Items...)
		link := got.header.Get("Link")
		if p.NextCursor == nil {
			if link != "" {
				w.Errorf("the last page links on: %s", link)
			}
			return all
		}
		path = fmt.Sprintf("/api-tokens?limit=%d&cursor=%s", limit, url.QueryEscape(*p.NextCursor))
		target, found := strings.CutSuffix(link, `>; rel="next"`)
		if next, err := url.Parse(strings.TrimPrefix(target, "<")); !found || err != nil ||
			next.Query().Get("cursor") != *p.NextCursor || next.Host != "" || next.Path != "/api/v1/api-tokens" {
			w.Errorf("link %q and cursor %q disagree", link, *p.NextCursor)
		}
		between(n)
	}
}

func TestPagesStandStillWhileTokensComeAndGo(t *testing.T) {
	t.Parallel()
	w := start(t, sandbox.Options{})
	w.control("POST", "seed", `{"count":229,"name_prefix":"old"}`)
	before := w.sandbox.Tokens()

	seen := w.walk(50, func(n int) {
		w.create(fmt.Sprintf("new %d", n), 0)
		w.sandbox.Revoke(before[n*50+10].ID) // on the next page
		w.sandbox.Revoke(before[n*50-10].ID) // on this one
	})

	if len(before) != 230 || len(seen) != 230 {
		t.Fatalf("saw %d tokens of %d", len(seen), len(before))
	}
	for i := range before {
		if seen[i].ID != before[i].ID {
			t.Fatalf("token %d is %s, want %s", i, seen[i].ID, before[i].ID)
		}
	}
	if again := w.walk(100, func(int) {}); len(again) != 234 || again[0].Name != "new 4" {
		t.Errorf("afterwards the list has %d tokens and starts with %q", len(again), again[0].Name)
	}
}

func TestPagesSkipNothingWhenTokensVanish(t *testing.T) {
	t.Parallel()
	w := start(t, sandbox.Options{})
	w.control("POST", "seed", `{"count":19}`)
	before := w.sandbox.Tokens()
	seen := w.walk(10, func(int) {
		w.sandbox.Forget(before[9].ID) // the cursor refers to this token
		w.sandbox.Forget(before[15].ID)
	})
	if len(seen) != 19 {
		t.Errorf("saw %d tokens, want all but the one that vanished ahead", len(seen))
	}
}

func TestPageBoundaries(t *testing.T) {
	t.Parallel()
	w := start(t, sandbox.Options{})
	w.control("POST", "seed", `{"count":99}`)
	if all := w.walk(100, func(int) { t.Error("a list that fits a page has a second one") }); len(all) != 100 {
		t.Errorf("saw %d tokens", len(all))
	}
	if p := decode[page](w, w.api("GET", "/api-tokens", ""), http.StatusOK); len(p.Items) != 50 {
		t.Errorf("a page has %d tokens where no limit is asked for", len(p.Items))
	}
	for _, limit := range []string{"0", "101", "-1", "x", "", "1.5"} {
		refused(w, w.api("GET", "/api-tokens?limit="+limit, ""), http.StatusBadRequest, "bad_limit")
	}
	for _, cursor := range []string{"", "x", "AAAA", "%00", strings.Repeat("a", 600)} {
		refused(w, w.api("GET", "/api-tokens?cursor="+cursor, ""), http.StatusBadRequest, "bad_cursor")
	}
}

func TestAnEmptyListIsAList(t *testing.T) {
	t.Parallel()
	w := start(t, sandbox.Options{Policy: sandbox.Policy{ListLag: time.Hour}})
	child := w.create("child", 0)
	w.sandbox.Forget(w.id)
	got := w.as(child.Secret, "GET", "/api-tokens", "")
	if strings.TrimSpace(got.body) != `{"items":[],"next_cursor":null}` {
		t.Errorf("an empty list is %s", got.body)
	}
}

func TestTokenIsShutOutInTheMiddleOfItsOwnList(t *testing.T) {
	t.Parallel()
	w := start(t, sandbox.Options{})
	w.control("POST", "seed", `{"count":20}`)
	first := decode[page](w, w.api("GET", "/api-tokens?limit=10", ""), http.StatusOK)
	w.sandbox.Revoke(w.id)
	refused(w, w.api("GET", "/api-tokens?cursor="+*first.NextCursor, ""), http.StatusUnauthorized, "token_revoked")
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	w := start(t, sandbox.Options{Policy: sandbox.Policy{UniqueNames: true}})
	var callers sync.WaitGroup
	made := make([]reply, 8)
	for i := range made {
		callers.Go(func() {
			made[i], _ = w.try(t.Context(), w.secret, "POST", "/api/v1/api-tokens", `{"name":"one of a kind"}`)
			_, _ = w.try(t.Context(), w.secret, "GET", "/api/v1/api-tokens", "")
			w.sandbox.Tokens()
			w.sandbox.Journal()
			w.sandbox.Clock().Advance(time.Second)
		})
	}
	callers.Wait()
	created := 0
	for _, r := range made {
		switch r.status {
		case http.StatusCreated:
			created++
		case http.StatusConflict:
		default:
			t.Errorf("status %d: %s", r.status, r.body)
		}
	}
	if created != 1 || len(w.sandbox.Tokens()) != 2 || w.minted() != 1 {
		t.Errorf("%d creates were answered 201, and there are %d tokens", created, len(w.sandbox.Tokens()))
	}
}
