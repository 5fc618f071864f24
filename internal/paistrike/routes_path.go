package paistrike

import (
	"net/url"
	"strings"
)

// checkRoute says what is wrong with a path template, in which exactly one of the
// placeholders must stand, once.
func checkRoute(path string, placeholders []string) string {
	bare, found := path, 0
	for _, placeholder := range placeholders {
		found += strings.Count(path, placeholder)
		bare = strings.ReplaceAll(bare, placeholder, "x")
	}
	switch {
	case strings.ContainsAny(bare, "{}"):
		return "must have no placeholder but " + orNone(placeholders)
	case found != min(len(placeholders), 1):
		return "must have " + orNone(placeholders) + " in it, once"
	}
	bare, query, _ := strings.Cut(bare, "?")
	if problem := checkPath(bare); problem != "" {
		return problem
	}
	if _, err := url.ParseQuery(query); err != nil || strings.ContainsFunc(query, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '#' || r == '?' }) {
		return "must have a query of names and values, with all but plain characters escaped"
	}
	return ""
}

func orNone(placeholders []string) string {
	if len(placeholders) == 0 {
		return "none"
	}
	return strings.Join(placeholders, " or ")
}

// checkPath says what is wrong with a path that is put behind the endpoint.
func checkPath(path string) string {
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") {
		return "must begin with one slash"
	}
	if strings.ContainsFunc(path, func(r rune) bool { return !isLetterOrDigit(r) && !strings.ContainsRune("/%-._~!$&'()*+,;=:@", r) }) {
		return "must be a path, with all but plain characters escaped, and without a fragment"
	}
	for segment := range strings.SplitSeq(path, "/") {
		plain, err := url.PathUnescape(segment)
		if err != nil {
			return "has a percent sign that escapes nothing"
		}
		if plain == "." || plain == ".." {
			return "must not have . or .. as a segment"
		}
	}
	return ""
}

// fill puts a value into a path template, escaped for its place.
func fill(template, placeholder, value string) string {
	path, query, asks := strings.Cut(template, "?")
	path = strings.Replace(path, placeholder, url.PathEscape(value), 1)
	if !asks {
		return path
	}
	return path + "?" + strings.Replace(query, placeholder, url.QueryEscape(value), 1)
}
