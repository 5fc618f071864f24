package paistrike_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
)

// numbered serves tokens in pages of a fixed size. head and tail return what surrounds the
// rows for a query.
type numbered struct {
	tokens, size int
	base         int    // the number of the first page
	parameter    string // "page" or "offset"
	around       func(number, offset, rows int) (head, tail string)
	headers      []string
}

func (n numbered) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	asked, err := strconv.Atoi(r.URL.Query().Get(n.parameter))
	number, offset := n.base, 0
	switch {
	case err != nil:
	case n.parameter == "page":
		number, offset = asked, (asked-n.base)*n.size
	default:
		offset = asked
	}
	var rows []string
	for i := offset; i < min(offset+n.size, n.tokens); i++ {
		rows = append(rows, fmt.Sprintf(`{"id":"tok_%d"}`, i))
	}
	head, tail := n.around(number, offset, len(rows))
	answer(200, head+"["+strings.Join(rows, ",")+"]"+tail, n.headers...)(w, r)
}

func TestNumberedPages(t *testing.T) {
	t.Parallel()
	around := func(head, tail string) func(number, offset, rows int) (string, string) {
		return func(number, offset, rows int) (string, string) {
			fill := strings.NewReplacer("NUMBER", strconv.Itoa(number), "OFFSET", strconv.Itoa(offset), "ROWS", strconv.Itoa(rows))
			return fill.Replace(head), fill.Replace(tail)
		}
	}
	untilLast := func(last int, field string) func(number, offset, rows int) (string, string) {
		return func(number, _, _ int) (string, string) {
			return `{"items":`, fmt.Sprintf(`,%s:%v}`, field, number < last)
		}
	}
	tests := []struct {
		name   string
		server numbered
		want   string // in the error; "" if all tokens are listed
		calls  int
	}{
		{"page and pages", numbered{45, 20, 1, "page", around(`{"page":NUMBER,"pages":3,"items":`, `}`), nil}, "", 3},
		{"from nought", numbered{45, 20, 0, "page", around(`{"content":1,"page":{"number":NUMBER,"totalPages":3,"size":20},"items":`, `}`), nil}, "", 3},
		{"page and total", numbered{45, 20, 1, "page", around(`{"currentPage":NUMBER,"total":45,"items":`, `}`), nil}, "", 3},
		{"result_info", numbered{45, 20, 1, "page", around(`{"result_info":{"page":NUMBER,"per_page":20,"count":ROWS,"total_count":45},"result":`, `}`), nil}, "", 3},
		{"meta", numbered{134, 50, 1, "page", around(`{"meta":{"current_page":NUMBER,"last_page":3},"data":`, `}`), nil}, "", 3},
		{"page and size alone", numbered{40, 20, 1, "page", around(`{"page":NUMBER,"per_page":20,"items":`, `}`), nil}, "", 3},
		{"a page number alone", numbered{45, 20, 1, "page", around(`{"page":NUMBER,"items":`, `}`), nil}, "", 4},
		{"a total alone", numbered{45, 20, 1, "page", around(`{"total":45,"items":`, `}`), nil}, "", 4},
		{"a total in the header", numbered{45, 20, 1, "page", around(``, ``), []string{"X-Total-Count", "45"}}, "", 4},
		{"has_more alone", numbered{45, 20, 1, "page", untilLast(3, `"has_more"`), nil}, "", 4},
		{"offset and total", numbered{45, 20, 0, "offset", around(`{"offset":OFFSET,"limit":20,"total":45,"items":`, `}`), nil}, "", 3},
		{"skip", numbered{45, 20, 0, "skip", around(`{"skip":OFFSET,"total":45,"items":`, `}`), nil}, "", 3},
		{"one full page, and that is all", numbered{100, 100, 1, "page", around(``, ``), nil}, "", 3},
		{"full pages without a word", numbered{230, 100, 1, "page", around(``, ``), nil}, "", 4},
		{"one page that is not full", numbered{99, 200, 1, "page", around(``, ``), nil}, "", 1},
		{"many in one page", numbered{99, 200, 1, "page", around(`{"total":99,"items":`, `}`), nil}, "", 1},

		{"a total, and another parameter", numbered{45, 20, 1, "p", around(`{"total":45,"items":`, `}`), nil}, "20 of 45 tokens", 3},
		{"a number, and another parameter", numbered{45, 20, 1, "p", around(`{"page":NUMBER,"items":`, `}`), nil}, "20 tokens", 2},
		{"a total that is never reached", numbered{45, 20, 1, "page", around(`{"page":NUMBER,"total":46,"items":`, `}`), nil}, "45 of 46 tokens", 12},
		{"from nought, and it does not say so", numbered{45, 20, 0, "page", around(`{"total":45,"items":`, `}`), nil}, "", 5},
		{"a full page for every number", numbered{230, 100, 1, "p", around(``, ``), nil}, "100 tokens", 3},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, test.server)
			tokens, err := s.client(t).List(t.Context())
			if len(s.made()) != test.calls {
				t.Errorf("made %d requests, want %d", len(s.made()), test.calls)
			}
			if test.want == "" {
				if err != nil || len(tokens) != test.server.tokens {
					t.Errorf("got %d tokens of %d, %v", len(tokens), test.server.tokens, err)
				}
				return
			}
			if _, ok := errors.AsType[*paistrike.IncompleteListError](err); !ok || tokens != nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %d tokens and %v, want %q", len(tokens), err, test.want)
			}
		})
	}
}

// Rows shift while they are read: when a token is dropped from the first page, one token
// of the second page moves to the first and is missed. Such a list is read again.
func TestAListThatMoves(t *testing.T) {
	t.Parallel()
	for drops, whole := range map[int]bool{1: true, 99: false} {
		rows, pages := []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"}, 0
		s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			page, _ := strconv.Atoi(r.URL.Query().Get("page"))
			page = max(page, 1)
			if pages++; page == 2 && pages <= drops*3 {
				rows = rows[1:]
			}
			var items []string
			for _, id := range rows[min((page-1)*3, len(rows)):min(page*3, len(rows))] {
				items = append(items, `{"id":"`+id+`"}`)
			}
			answer(200, fmt.Sprintf(`{"page":%d,"total":%d,"items":[%s]}`, page, len(rows), strings.Join(items, ",")))(w, r)
		}))
		tokens, err := s.client(t).List(t.Context())
		switch _, incomplete := errors.AsType[*paistrike.IncompleteListError](err); {
		case whole && (err != nil || len(tokens) != 9 || len(s.made()) != 5):
			t.Errorf("got %d tokens, %v after %d requests", len(tokens), err, len(s.made()))
		case !whole && (!incomplete || !strings.Contains(err.Error(), "added or removed") || len(s.made()) != 6):
			t.Errorf("got %d tokens, %v after %d requests", len(tokens), err, len(s.made()))
		}
	}
}

func TestAHundredThousandTokens(t *testing.T) {
	t.Parallel()
	s := serve(t, pages(func(query string, w http.ResponseWriter) {
		values, _ := url.ParseQuery(query)
		from, _ := strconv.Atoi(values.Get("cursor"))
		var rows []string
		for i := from; i < from+100; i++ {
			rows = append(rows, fmt.Sprintf(`{"id":"tok_%d"}`, i))
		}
		next := "null"
		if from+100 < 100_000 {
			next = fmt.Sprintf(`"%d"`, from+100)
		}
		fmt.Fprintf(w, `{"items":[%s],"next_cursor":%s}`, strings.Join(rows, ","), next)
	}))
	tokens, err := s.client(t).List(t.Context())
	if err != nil || len(tokens) != 100_000 {
		t.Errorf("got %d tokens, %v", len(tokens), err)
	}
}
