package paistrike

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// What makes a list useless.
var (
	errNoList   = errors.New("the answer has no list of tokens")
	errNoCursor = errors.New("the answer says that there are more tokens, but not how to get them")
)

// page is one page of the list.
type page struct {
	tokens []Token
	cursor string // of the next page
	link   string // address of the next page
}

// decodePage reads a list, bare or in an envelope, and where it goes on.
func decodePage(body []byte, header http.Header) (page, error) {
	value, err := parse(body)
	if err != nil {
		return page{}, err
	}
	items, around, ok := findList(value, maxDepth)
	if !ok {
		return page{}, errNoList
	}
	var p page
	for _, item := range items {
		token, err := readToken(item)
		if err != nil {
			return page{}, err
		}
		p.tokens = append(p.tokens, token)
	}
	more := false
	for _, fields := range around {
		p.next(fields)
		for _, name := range []string{"meta", "pagination", "paging", "page_info", "links"} {
			if inner, ok := asObject(fields[name]); ok {
				p.next(inner)
			}
		}
		said, _ := fields.truth("has_more", "has_next", "has_next_page")
		more = more || said
	}
	if p.cursor == "" && p.link == "" {
		p.link = nextLink(header)
	}
	if more && p.cursor == "" && p.link == "" {
		return page{}, errNoCursor
	}
	return p, nil
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
	for _, name := range names { // null is how some servers write an empty list
		if value, said := fields[name]; said && value == nil {
			return nil, []object{fields}, true
		}
	}
	return nil, nil, false
}

// next takes the pointer to the next page that an object holds.
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
}

// nextLink reads the target of rel=next from the Link headers of RFC 8288.
func nextLink(header http.Header) string {
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
			if isNext(parameters) {
				return target
			}
			line = rest
		}
	}
	return ""
}

func isNext(parameters string) bool {
	for parameter := range strings.FieldsFuncSeq(parameters, func(r rune) bool { return r == ';' || r == ',' }) {
		name, value, _ := strings.Cut(parameter, "=")
		relations := strings.Fields(strings.ToLower(strings.Trim(strings.TrimSpace(value), `"`)))
		if strings.EqualFold(strings.TrimSpace(name), "rel") && slices.Contains(relations, "next") {
			return true
		}
	}
	return false
}

// sameOrigin reports whether two addresses have one scheme and one host.
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
