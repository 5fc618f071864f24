package paistrike

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
)

const (
	// pageSize is the largest page that the contract allows.
	pageSize = 100
	// maxPages ends a list that does not end: 100,000 tokens in pages of ten.
	maxPages = 10_000
	// maxBarren is how many pages in a row may bring nothing new.
	maxBarren = 20
	// maxWalks is how often a list is read that moves while it is being read.
	maxWalks = 3
)

var (
	errEndless  = errors.New("the list goes on and on without another token")
	errRepeated = errors.New("the list leads back to a page that was read before")
	errMoved    = errors.New("tokens came or went while it was read; try again")
	errOtherURL = errors.New("the next page lies on another host, to which the token is not sent")
)

// List returns all tokens of the account, every page, each id once. A list that
// cannot be read to its end is an error, [*IncompleteListError] if the server said
// that there is more: it is never a part of the list.
func (c *Client) List(ctx context.Context) ([]Token, error) {
	tokens, err := c.list(ctx)
	c.memory.note(tokens...)
	return tokens, err
}

// list reads the list, again if it moved: numbers of pages and rows shift when a
// token appears or is dropped meanwhile.
func (c *Client) list(ctx context.Context) ([]Token, error) {
	for try := 1; ; try++ {
		tokens, err := c.walk(ctx)
		short, ok := errors.AsType[*IncompleteListError](err)
		if !ok || !short.moved || try == maxWalks {
			return tokens, err
		}
	}
}

func (c *Client) walk(ctx context.Context) ([]Token, error) {
	ask := call{op: "listing tokens", method: http.MethodGet, address: c.listAddress(position{})}
	w := newWalk(c.routes.List)
	read := map[string]bool{ask.address: true}
	for range maxPages {
		page, err := c.page(ctx, ask)
		if err != nil {
			return nil, err
		}
		next, err := w.after(page, w.take(page))
		if err != nil {
			return nil, w.refuse(ask.op, err)
		}
		if next == (position{}) {
			return w.tokens, nil
		}
		if next.guessed && !w.numbered {
			if err := c.checkNumbers(ctx, w, ask.op); err != nil {
				return nil, err
			}
			next.page = w.base + 1
		}
		address, err := c.nextAddress(ask.address, next)
		if err == nil && read[address] {
			err = errRepeated
		}
		if err != nil {
			return nil, w.refuse(ask.op, err)
		}
		w.at, ask.address, read[address] = next, address, true
	}
	return nil, w.refuse("listing tokens", errEndless)
}

// page reads one page.
func (c *Client) page(ctx context.Context, ask call) (page, error) {
	ask.longest = maxListBody
	got, err := c.do(ctx, ask)
	if err != nil {
		return page{}, err
	}
	read, err := c.readPage(got)
	if err != nil {
		return page{}, &AnswerError{ask.op, got.status, err.Error()}
	}
	return read, nil
}

func (c *Client) readPage(got answer) (page, error) {
	if got.cut != nil {
		return page{}, got.cut
	}
	return c.reader().decodePage(got.body, got.header)
}

// checkNumbers finds out from which number a server counts its pages that names
// none: the first page is the one that came without a number.
func (c *Client) checkNumbers(ctx context.Context, w *walk, op string) error {
	for _, number := range []string{"1", "0"} {
		ask := call{op: op, method: http.MethodGet, address: c.listAddress(position{value: number})}
		first, err := c.page(ctx, ask)
		if err != nil {
			return err
		}
		if maps.Equal(idsOf(first.tokens), idsOf(w.tokens)) {
			w.base, w.numbered = wholeNumber(number), true
			return nil
		}
	}
	return w.refuse(op, errNoCursor)
}

func idsOf(tokens []Token) map[string]bool {
	ids := make(map[string]bool, len(tokens))
	for _, token := range tokens {
		ids[token.ID] = true
	}
	return ids
}

// position is where a list goes on: exactly one field says how. The zero position
// is its end.
type position struct {
	cursor  string
	link    string
	page    int // its number
	offset  int // rows before it
	offsets string
	value   string // for the page parameter
	guessed bool   // the server names no page
}

// listAddress is where a page is read, the first one at the zero position.
func (c *Client) listAddress(at position) string {
	query := url.Values{}
	if size := c.routes.List.Size; size != none {
		query.Set(size, strconv.Itoa(c.routes.List.PageSize))
	}
	page := c.routes.List.Page
	switch {
	case at.value != "":
		query.Set(cmp.Or(page, "page"), at.value)
	case at.cursor != "" && c.routes.List.Next != "":
		query.Set(cmp.Or(page, "cursor"), at.cursor)
	case at.cursor != "":
		query.Set("cursor", at.cursor)
	case at.offset > 0:
		query.Set(at.offsets, strconv.Itoa(at.offset))
	case at.page > 0:
		query.Set(cmp.Or(page, "page"), strconv.Itoa(at.page))
	}
	return c.address(c.routes.Collection, query)
}

// nextAddress returns where the list goes on.
func (c *Client) nextAddress(here string, at position) (string, error) {
	if at.link == "" {
		return c.listAddress(at), nil
	}
	base, err := url.Parse(here)
	if err != nil {
		return "", err
	}
	next, err := base.Parse(at.link)
	if err != nil || next.User != nil || !sameOrigin(base, next) {
		return "", errOtherURL
	}
	return next.String(), nil
}

// walk is a list while it is being read.
type walk struct {
	single   bool // the routes say that there is one page only
	byNumber bool // or that pages have numbers
	tokens   []Token
	ids      map[string]bool
	asked    int      // rows asked for per page
	at       position // the page last read
	base     int      // number of the first page
	pages    int      // read so far
	barren   int      // pages in a row that brought nothing new
	stated   int      // how many tokens there are, by the latest word of the server
	numbered bool     // it is known that pages count from one
	total    int      // the same, but for what may be the length of a page
	moved    bool     // that has changed meanwhile
	turned   bool     // another page was got by its number, and brought rows
}

func newWalk(list ListRoutes) *walk {
	return &walk{
		ids: map[string]bool{}, asked: list.PageSize,
		single: list.Page == none, byNumber: list.Page != "" && list.Page != none && list.Next == "",
	}
}

// take adds the rows that are new and returns how many those are.
func (w *walk) take(p page) int {
	before := len(w.tokens)
	for _, token := range p.tokens {
		if !w.ids[token.ID] {
			w.ids[token.ID] = true
			w.tokens = append(w.tokens, token)
		}
	}
	w.pages++
	if w.pages == 1 {
		w.base = 1
		if p.number >= 0 {
			w.base = p.number
		}
	}
	w.moved = w.moved || w.pages > 1 && p.total >= 0 && p.total != w.total
	w.stated, w.total = max(p.total, p.count, 0), p.total
	fresh := len(w.tokens) - before
	w.barren++
	if fresh > 0 {
		w.barren = 0
		w.turned = w.turned || w.at.page > 0 || w.at.offset > 0
	}
	return fresh
}

// after says where the list goes on behind a page that brought so many new rows.
func (w *walk) after(p page, fresh int) (position, error) {
	switch {
	case w.moved:
		return position{}, errMoved
	case w.barren > maxBarren:
		return position{}, errEndless
	case p.cursor != "":
		return position{cursor: p.cursor}, nil
	case p.link != "":
		return position{link: p.link}, nil
	}
	more := p.more || w.stated > len(w.tokens) || w.beforeLast(p)
	switch {
	case !more && (p.ended || !w.mayGoOn(p)):
		return position{}, nil
	case fresh == 0 && !more && len(p.tokens) == 0:
		return position{}, nil
	case fresh == 0, w.single, w.at.page > 0 && p.number >= 0 && p.number != w.at.page:
		return position{}, errNoCursor
	case p.offset >= 0:
		return position{offset: p.offset + len(p.tokens), offsets: p.offsets}, nil
	case p.number >= 0:
		return position{page: p.number + 1}, nil
	}
	return position{page: max(w.at.page, 1) + 1, guessed: true}, nil
}

// beforeLast reports whether the server counts more pages than were read.
func (w *walk) beforeLast(p page) bool {
	number := p.number
	if number < 0 {
		number = max(w.at.page, 1)
	}
	return number < p.pages-1+w.base
}

// mayGoOn reports whether a page that says nothing of others may have one behind
// it: it is full, or it has a number and does not say how long a page is.
func (w *walk) mayGoOn(p page) bool {
	switch {
	case p.total >= 0 || p.pages >= 0:
		return false
	case p.number < 0 && p.offset < 0 && w.byNumber: // a server may return fewer than it is asked for
		return len(p.tokens) > 0
	case p.number < 0 && p.offset < 0:
		return len(p.tokens) >= w.asked
	}
	return len(p.tokens) >= max(p.size, 1)
}

// refuse returns why the answer cannot be read as a list.
func (w *walk) refuse(op string, err error) error {
	if !slices.Contains([]error{errNoCursor, errEndless, errMoved}, err) {
		return &AnswerError{op, http.StatusOK, err.Error()}
	}
	return &IncompleteListError{Op: op, Read: len(w.tokens), Total: w.stated, Reason: err.Error(), moved: w.turned || w.moved}
}
