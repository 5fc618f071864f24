package paistrike_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
)

func TestListReadsEveryPage(t *testing.T) {
	t.Parallel()
	a, s := contract(t)
	for i := range 230 {
		a.add(fmt.Sprintf("token %d", i), nil)
	}
	tokens, err := s.client(t).List(t.Context())
	mustNot(t, err)
	if len(tokens) != 231 || tokens[0].ID != "tok_231" || tokens[230].ID != "tok_001" {
		t.Errorf("got %d tokens", len(tokens))
	}
	if len(s.made()) != 3 {
		t.Errorf("made %d requests, want 3", len(s.made()))
	}
}

// pages responds with the page that the query requests.
func pages(page func(query string, w http.ResponseWriter)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		page(r.URL.RawQuery, w)
	}
}

func TestWaysToTheNextPage(t *testing.T) {
	t.Parallel()
	const first, second = `{"id":"tok_2"},{"id":"tok_1"}`, `{"id":"tok_1"},{"id":"tok_0"}` // tok_1 moved down in the meantime
	tests := []struct {
		name string
		// Body and Link header of the first page. HOST stands for the server's address.
		body, link string
		want       string // the query of the second request
	}{
		{"cursor", `{"items":[` + first + `],"next_cursor":"a b/="}`, "", "cursor=a+b%2F%3D&limit=100"},
		{"cursor in camelCase", `{"data":[` + first + `],"nextCursor":"x"}`, "", "cursor=x&limit=100"},
		{"cursor in meta", `{"data":[` + first + `],"meta":{"next_cursor":"x"}}`, "", "cursor=x&limit=100"},
		{"page token", `{"data":[` + first + `],"nextPageToken":"x"}`, "", "cursor=x&limit=100"},
		{"cursor before link", `{"items":[` + first + `],"next_cursor":"x"}`, `<HOST/other>; rel="next"`, "cursor=x&limit=100"},
		{"link header", `[` + first + `]`, `<HOST/api/v1/api-tokens?page=1>; rel="prev", <HOST/api/v1/api-tokens?page=2>; rel="next"; title="x"`, "page=2"},
		{"link header, relative", `[` + first + `]`, `</api/v1/api-tokens?page=2>;rel=next`, "page=2"},
		{"link header, query alone", `[` + first + `]`, `<?page=2>; rel="last next"`, "page=2"},
		{"address in the body", `{"results":[` + first + `],"next":"HOST/api/v1/api-tokens?page=2"}`, "", "page=2"},
		{"address in links", `{"data":[` + first + `],"links":{"next":"HOST/api/v1/api-tokens?page=2"}}`, "", "page=2"},
		{"address in an object", `{"data":[` + first + `],"links":{"next":{"href":"/api/v1/api-tokens?page=2"}}}`, "", "page=2"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var s *server
			s = serve(t, pages(func(query string, w http.ResponseWriter) {
				if query == "limit=100" {
					w.Header().Set("Link", strings.ReplaceAll(test.link, "HOST", s.URL))
					fmt.Fprint(w, strings.ReplaceAll(test.body, "HOST", s.URL))
					return
				}
				if query != test.want {
					t.Errorf("the second request asks for %s, want %s", query, test.want)
				}
				fmt.Fprint(w, `{"items":[`+second+`]}`)
			}))
			tokens, err := s.client(t).List(t.Context())
			mustNot(t, err)
			if len(tokens) != 3 {
				t.Errorf("got %+v, want each id once", tokens)
			}
			s.expectRequests(t, "GET /api/v1/api-tokens", "GET /api/v1/api-tokens")
		})
	}
}

// The token is sent only to the configured server, wherever the list may point.
func TestNextPageElsewhere(t *testing.T) {
	t.Parallel()
	elsewhere := serve(t, answer(200, `[]`))
	port := elsewhere.URL[strings.LastIndex(elsewhere.URL, ":"):]
	for _, target := range []string{
		elsewhere.URL + "/api/v1/api-tokens?page=2", "//127.0.0.1" + port + "/x", "http://localhost" + port, "https://127.0.0.1" + port,
		"http://user:pass@127.0.0.1" + port, "file:///etc/passwd", "http://[",
	} {
		for _, s := range []*server{
			serve(t, answer(200, `[{"id":"tok_1"}]`, "Link", "<"+target+`>; rel="next"`)),
			serve(t, answer(200, `{"items":[{"id":"tok_1"}],"next_url":"`+target+`"}`)),
		} {
			tokens, err := s.client(t).List(t.Context())
			var unusable *paistrike.AnswerError
			if !errors.As(err, &unusable) || tokens != nil {
				t.Errorf("%s: got %v, %v; want an error, since the list is not whole", target, tokens, err)
			}
			s.expectRequests(t, "GET /api/v1/api-tokens")
		}
	}
	elsewhere.expectRequests(t)
}

func TestListsThatDoNotEnd(t *testing.T) {
	t.Parallel()
	var n atomic.Int32
	tests := []struct {
		name     string
		handler  http.HandlerFunc
		want     string
		requests int
	}{
		{"one cursor for ever", answer(200, `{"items":[{"id":"tok_1"}],"next_cursor":"x"}`), "already read", 2},
		{"one link for ever", answer(200, `[{"id":"tok_1"}]`, "Link", `<?limit=100>; rel="next"`), "already read", 1},
		{"more, but no way to it", answer(200, `{"items":[{"id":"tok_1"}],"has_more":true}`), "no page returns them", 3},
		{"always another cursor", pages(func(_ string, w http.ResponseWriter) {
			fmt.Fprintf(w, `{"items":[{"id":"tok_1"}],"next_cursor":"c%d"}`, n.Add(1))
		}), "continues without returning", 22},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, test.handler)
			tokens, err := s.client(t).List(t.Context())
			if err == nil || !strings.Contains(err.Error(), test.want) || tokens != nil {
				t.Errorf("got %d tokens and %v, want an error with %q", len(tokens), err, test.want)
			}
			if len(s.made()) != test.requests {
				t.Errorf("made %d requests, want %d", len(s.made()), test.requests)
			}
		})
	}
}

// A list that is too long is not requested again, because it would be just as long.
func TestListThatIsTooLong(t *testing.T) {
	t.Parallel()
	s := serve(t, answer(200, `{"items":[],"x":"`+strings.Repeat("x", 64<<20)+`"}`))
	if _, err := s.client(t).List(t.Context()); err == nil || !strings.Contains(err.Error(), "too long") || len(s.made()) != 1 {
		t.Errorf("got %v after %d requests", err, len(s.made()))
	}
}

// A partial list is an error: tokens that are missing from it would look deleted.
func TestListFailsAsAWhole(t *testing.T) {
	t.Parallel()
	s := serve(t, inTurn(answer(200, `{"items":[{"id":"tok_1"}],"next_cursor":"x"}`), answer(403, "")))
	if tokens, err := s.client(t).List(t.Context()); tokens != nil || !paistrike.IsForbidden(err) {
		t.Errorf("got %v, %v", tokens, err)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	elsewhere := serve(t, http.HandlerFunc(works))
	for _, status := range []int{300, 301, 302, 303, 307, 308} {
		for _, target := range []string{elsewhere.URL + "/login?next=" + canary, "/login?token=" + canary, "http://user:" + canary + "@elsewhere.example/", "%%"} {
			for _, one := range []act{reading(), revoking(), creating()} {
				s := serve(t, answer(status, "", "Location", target))
				err := one.do(t.Context(), s.client(t))
				if paistrike.StatusOf(err) != status || !strings.Contains(err.Error(), "set endpoint and api_prefix") {
					t.Errorf("%d to %s on %s: %v", status, target, one.name, err)
					continue
				}
				if strings.HasPrefix(target, elsewhere.URL) && !strings.Contains(err.Error(), "leads to "+elsewhere.URL+"/login;") {
					t.Errorf("the error does not say where to: %v", err)
				}
				expectNoCanary(t, "the error", err.Error())
				if len(s.made()) != 1 {
					t.Errorf("%d to %s on %s: made %v", status, target, one.name, s.made())
				}
			}
		}
	}
	elsewhere.expectRequests(t)
}
