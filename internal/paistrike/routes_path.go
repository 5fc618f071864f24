package paistrike

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// checkRoute returns the problem of a path template and its column, or "". Exactly one of
// the placeholders must occur, once.
func checkRoute(path string, placeholders []string) string {
	bare, found := path, 0
	for _, placeholder := range placeholders {
		found += strings.Count(path, placeholder)
		bare = strings.ReplaceAll(bare, placeholder, strings.Repeat("x", len(placeholder)))
	}
	if i := strings.IndexAny(bare, "{}"); i >= 0 {
		return "has an unknown placeholder at " + columnIn(path, i) + "; allowed: " + orNone(placeholders)
	}
	if found != min(len(placeholders), 1) {
		return "must contain " + orNone(placeholders) + " exactly once"
	}
	before, query, _ := strings.Cut(bare, "?")
	if problem := checkPath(before); problem != "" {
		return problem
	}
	odd := strings.IndexFunc(query, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '#' || r == '?' })
	if odd >= 0 {
		return "has a character at " + columnIn(path, len(before)+1+odd) + " that is not allowed in a query: escape it"
	}
	if _, err := url.ParseQuery(query); err != nil {
		return "must have a query of names and values, with special characters escaped"
	}
	return ""
}

// columnIn describes a position in a path. offset counts bytes from 0.
func columnIn(path string, offset int) string {
	return fmt.Sprintf("column %d", len([]rune(path[:offset]))+1)
}

func orNone(placeholders []string) string {
	if len(placeholders) == 0 {
		return "none"
	}
	return strings.Join(placeholders, " or ")
}

// checkPath returns the problem of a path that is appended to the endpoint, or "".
func checkPath(path string) string {
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") {
		return "must begin with one slash"
	}
	if i := strings.IndexFunc(path, func(r rune) bool { return !isLetterOrDigit(r) && !strings.ContainsRune("/%-._~!$&'()*+,;=:@", r) }); i >= 0 {
		return "has a character at " + columnIn(path, i) + " that is not allowed in a path: escape it"
	}
	at := 0
	for segment := range strings.SplitSeq(path, "/") {
		plain, err := url.PathUnescape(segment)
		if err != nil {
			return "has a percent sign that is not part of an escape at " + columnIn(path, at+strings.Index(segment, badEscape(err)))
		}
		at += len(segment) + 1
		if plain == "." || plain == ".." {
			return "must not have . or .. as a segment"
		}
	}
	return ""
}

// badEscape returns the escape that PathUnescape could not decode.
func badEscape(err error) string {
	bad, _ := errors.AsType[url.EscapeError](err)
	return string(bad)
}

// fill puts a value into a path template, with the escaping that its position needs.
func fill(template, placeholder, value string) string {
	path, query, asks := strings.Cut(template, "?")
	path = strings.Replace(path, placeholder, url.PathEscape(value), 1)
	if !asks {
		return path
	}
	return path + "?" + strings.Replace(query, placeholder, url.QueryEscape(value), 1)
}
