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
	// pageSize is the maximum page size of the contract.
	pageSize = 100
	// maxPages stops a list that does not end: 100,000 tokens in pages of ten.
	maxPages = 10_000
	// maxBarren limits the number of consecutive pages without new tokens.
	maxBarren = 20
	// maxWalks limits how often a list is read again because it changed while it was read.
	maxWalks = 3
)

var (
	errEndless  = errors.New("the list continues without returning another token")
	errRepeated = errors.New("the list leads back to a page that was already read")
	errMoved    = errors.New("tokens were added or removed while it was read; try again")
	errOtherURL = errors.New("the next page is on another host, to which the token is not sent")
)

// List returns all tokens of the account, from every page, each ID once. It never returns
// a partial list: a list that cannot be read to its end is an error, which is an
// [*IncompleteListError] if the server reports more tokens.
func (c *Client) List(ctx context.Context) ([]Token, error) {
	tokens, err := c.list(ctx)
	c.memory.note(tokens...)
	return tokens, err
}

// list reads the list, and reads it again if it changed: the numbers of pages and rows
// shift when a token is added or dropped in the meantime.
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

// checkNumbers finds out at which number a server starts counting its pages if the pages
// have no numbers: the first page is the same as the one read without a number.
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

// position is where a list continues. Exactly one field is set. The zero position is the
// end.
type position struct {
	cursor  string
	link    string
	page    int // the number of the page
	offset  int // the number of rows before the page
	offsets string
	value   string // for the page parameter
	guessed bool   // the server does not point to a page
}

// listAddress returns the address of a page. The zero position is the first page.
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

// nextAddress returns the address at which the list continues.
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

// walk is the state of reading a list.
type walk struct {
	single   bool // the routes state that there is only one page
	byNumber bool // the routes state that pages have numbers
	tokens   []Token
	ids      map[string]bool
	asked    int      // the page size requested
	at       position // the page read last
	base     int      // the number of the first page
	pages    int      // the number of pages read
	barren   int      // the number of consecutive pages without new tokens
	stated   int      // the number of tokens, as the server last reported it
	numbered bool     // pages are known to be numbered from one
	total    int      // like stated, without counts that may be the length of a page
	moved    bool     // that number has changed while reading
	turned   bool     // a page was read by its number and contained rows
}

func newWalk(list ListRoutes) *walk {
	return &walk{
		ids: map[string]bool{}, asked: list.PageSize,
		single: list.Page == none, byNumber: list.Page != "" && list.Page != none && list.Next == "",
	}
}

// take adds the new rows and returns their number.
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

// after returns where the list continues after a page with fresh new rows.
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

// mayGoOn reports whether another page may follow a page without information about others:
// the page is full, or it has a number and does not state the page size.
func (w *walk) mayGoOn(p page) bool {
	switch {
	case p.total >= 0 || p.pages >= 0:
		return false
	case p.number < 0 && p.offset < 0 && w.byNumber: // a server may return fewer than requested
		return len(p.tokens) > 0
	case p.number < 0 && p.offset < 0:
		return len(p.tokens) >= w.asked
	}
	return len(p.tokens) >= max(p.size, 1)
}

// refuse returns the error for a response that cannot be read as a list.
func (w *walk) refuse(op string, err error) error {
	if !slices.Contains([]error{errNoCursor, errEndless, errMoved}, err) {
		return &AnswerError{op, http.StatusOK, err.Error()}
	}
	return &IncompleteListError{Op: op, Read: len(w.tokens), Total: w.stated, Reason: err.Error(), moved: w.turned || w.moved}
}
