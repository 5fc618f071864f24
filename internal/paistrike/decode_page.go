package paistrike

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Reasons why a list cannot be used.
var (
	errNoList   = errors.New("the response contains no list of tokens")
	errNoCursor = errors.New("there are or may be more tokens, but no page returns them; set in api_routes how the list is paged")
)

// page is one page of the list, with its information about the other pages.
type page struct {
	tokens []Token
	cursor string // of the next page
	link   string // address of the next page
	more   bool   // it states that there are more tokens
	ended  bool   // it states that there are no more tokens

	// Counts, or -1 if missing.
	number  int    // of this page
	pages   int    // in total
	size    int    // of a page
	offset  int    // rows before this page
	offsets string // the field name of offset
	total   int    // tokens in total
	count   int    // tokens in total, or on this page
}

// decodePage decodes a list, bare or in an envelope, and where it continues.
func (r reader) decodePage(body []byte, header http.Header) (page, error) {
	value, err := parse(body)
	if err != nil {
		return page{}, err
	}
	items, around, ok := r.items(value)
	if !ok {
		return page{}, errNoList
	}
	p := page{number: -1, pages: -1, size: -1, offset: -1, total: -1, count: -1}
	for _, item := range items {
		token, err := r.token(item)
		if err != nil {
			return page{}, err
		}
		p.tokens = append(p.tokens, token)
	}
	if r.list.Page == none {
		p.ended = true
		r.total(&p, around)
		return p, nil
	}
	for _, fields := range around {
		p.about(fields)
		for _, name := range []string{"meta", "metadata", "pagination", "paging", "page_info", "page", "result_info", "links"} {
			if inner, ok := asObject(fields[name]); ok {
				p.about(inner)
			}
		}
	}
	p.headers(header)
	r.total(&p, around)
	r.next(&p, around)
	return p, nil
}

// items returns the list and the objects around it.
func (r reader) items(value any) ([]any, []object, bool) {
	if r.list.Items == "" {
		return findList(value, maxDepth)
	}
	outer, ok := asObject(value)
	if !ok {
		return nil, nil, false
	}
	found, said := outer.at(r.list.Items)
	list, ok := found.([]any)
	return list, []object{outer}, ok || said && found == nil
}

// total reads the number of all tokens from its configured path.
func (r reader) total(p *page, around []object) {
	if r.list.Total == "" {
		return
	}
	p.total, p.count = -1, -1
	for _, fields := range around {
		if value, found := fields.at(r.list.Total); found {
			p.total = wholeNumber(value)
		}
	}
}

// next reads the pointer to the next page from its configured path.
func (r reader) next(p *page, around []object) {
	if r.list.Next == "" {
		return
	}
	p.cursor, p.link = "", ""
	for _, fields := range around {
		value, _ := fields.at(r.list.Next)
		p.next(object{"next": value})
	}
	p.ended = p.cursor == "" && p.link == ""
}

// findList returns the list and the objects around it.
func findList(value any, depth int) ([]any, []object, bool) {
	if list, ok := value.([]any); ok {
		return list, nil, true
	}
	fields, ok := asObject(value)
	if !ok || depth == 0 {
		return nil, nil, false
	}
	names := []string{"items", "data", "results", "result", "tokens", "api_tokens"}
	for _, name := range names {
		if list, around, ok := findList(fields[name], depth-1); ok {
			return list, append(around, fields), true
		}
	}
	for _, name := range names { // some servers write an empty list as null
		if value, said := fields[name]; said && value == nil {
			return nil, []object{fields}, true
		}
	}
	return nil, nil, false
}

// about reads the information about other pages from an object around the list.
func (p *page) about(fields object) {
	p.next(fields)
	for _, name := range []string{"has_more", "has_next", "has_next_page", "more", "is_truncated", "truncated"} {
		if said, found := fields.truth(name); found {
			p.more, p.ended = p.more || said, p.ended || !said
		}
	}
	for _, name := range []string{"is_last", "is_last_page", "last"} {
		if said, found := fields.truth(name); found {
			p.more, p.ended = p.more || !said, p.ended || said
		}
	}
	fields.count(&p.number, "page", "current_page", "page_number", "page_index", "number")
	fields.count(&p.pages, "pages", "total_pages", "last_page", "page_count", "num_pages")
	fields.count(&p.size, "per_page", "page_size", "limit", "size")
	fields.count(&p.total, "total", "total_count", "total_items", "total_results", "total_records", "total_elements")
	fields.count(&p.count, "count")
	for _, name := range []string{"offset", "skip", "start"} {
		if p.offset < 0 && fields.count(&p.offset, name) {
			p.offsets = name
		}
	}
}

// count reads the first of the named fields that is a whole number, unless a number is
// known already.
func (o object) count(into *int, names ...string) bool {
	for _, name := range names {
		if *into >= 0 {
			return false
		}
		*into = wholeNumber(o[name])
	}
	return *into >= 0
}

// wholeNumber returns a count, or -1 if the value is not a count.
func wholeNumber(value any) int {
	var text string
	switch value := value.(type) {
	case json.Number:
		text = value.String()
	case string:
		text = strings.TrimSpace(value)
	}
	if n, err := strconv.ParseInt(text, 10, 32); err == nil && n >= 0 {
		return int(n)
	}
	return -1
}

// next reads the pointer to the next page from an object.
func (p *page) next(fields object) {
	if p.cursor == "" {
		p.cursor = fields.text("next_cursor", "next_page_cursor", "next_page_token", "next_token")
	}
	next := fields.text("next", "next_url", "next_page_url")
	if inner, ok := asObject(fields["next"]); ok {
		next = inner.text("href", "url")
	}
	isLink := strings.Contains(next, "://") || strings.HasPrefix(next, "/") || strings.HasPrefix(next, "?")
	switch {
	case isLink && p.link == "":
		p.link = next
	case next != "" && !isLink && p.cursor == "":
		p.cursor = next
	}
	for _, name := range []string{"next_cursor", "next_page_cursor", "next_page_token", "next_token", "next", "next_url", "next_page_url"} {
		if value, said := fields[name]; said && (value == nil || value == "") {
			p.ended = true
		}
	}
}

// headers reads the information about other pages from the headers.
func (p *page) headers(header http.Header) {
	for _, name := range []string{"X-Total-Count", "X-Total"} {
		if p.total < 0 {
			p.total = wholeNumber(header.Get(name))
		}
	}
	for _, relation := range []string{"first", "prev", "last"} {
		p.ended = p.ended || linkTo(header, relation) != ""
	}
	if p.cursor == "" && p.link == "" {
		p.link = linkTo(header, "next")
	}
}

// linkTo returns the target of a relation from the Link headers of RFC 8288.
func linkTo(header http.Header, relation string) string {
	for _, line := range header.Values("Link") {
		for line != "" {
			_, rest, found := strings.Cut(line, "<")
			if !found {
				break
			}
			target, rest, found := strings.Cut(rest, ">")
			if !found {
				break
			}
			parameters := rest
			if i := strings.IndexByte(rest, '<'); i >= 0 {
				parameters = rest[:i]
			}
			if hasRelation(parameters, relation) {
				return target
			}
			line = rest
		}
	}
	return ""
}

func hasRelation(parameters, relation string) bool {
	for parameter := range strings.FieldsFuncSeq(parameters, func(r rune) bool { return r == ';' || r == ',' }) {
		name, value, _ := strings.Cut(parameter, "=")
		relations := strings.Fields(strings.ToLower(strings.Trim(strings.TrimSpace(value), `"`)))
		if strings.EqualFold(strings.TrimSpace(name), "rel") && slices.Contains(relations, relation) {
			return true
		}
	}
	return false
}

// sameOrigin reports whether two addresses have the same scheme, host and port.
func sameOrigin(a, b *url.URL) bool {
	port := func(u *url.URL) string {
		if u.Port() == "" && u.Scheme == "https" {
			return "443"
		}
		if u.Port() == "" && u.Scheme == "http" {
			return "80"
		}
		return u.Port()
	}
	return a.Scheme == b.Scheme && strings.EqualFold(a.Hostname(), b.Hostname()) && port(a) == port(b)
}
