package main

import (
	"slices"
	"strings"
)

// pattern is text with wildcards: * matches any characters, ? matches one.
type pattern []part

type part struct {
	char    rune
	literal bool // a * or ? from a variable is literal
}

// expand replaces policy variables such as ${aws:PrincipalTag/team} in a pattern. A variable
// whose key is not in the request matches nothing.
func expand(text string, keys conditionKeys) pattern {
	var p pattern
	for text != "" {
		before, rest, found := strings.Cut(text, "${")
		for _, c := range before {
			p = append(p, part{char: c})
		}
		if !found {
			return p
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			return append(p, part{char: impossible, literal: true})
		}
		for _, c := range variable(name, keys) {
			p = append(p, part{char: c, literal: true})
		}
		text = after
	}
	return p
}

// impossible occurs in no name and no tag.
const impossible = '\x00'

// variable returns the value of ${key} or ${key, 'default'}; ${*}, ${?} and ${$} are those
// characters.
func variable(name string, keys conditionKeys) string {
	if name == "*" || name == "?" || name == "$" {
		return name
	}
	key, fallback, has := strings.Cut(name, ",")
	if values := keys.get(strings.TrimSpace(key)); len(values) == 1 {
		return values[0]
	}
	if has {
		return strings.Trim(strings.TrimSpace(fallback), "'")
	}
	return string(impossible)
}

func (p pattern) equal(text string) bool {
	return slices.EqualFunc(p, []rune(text), func(a part, b rune) bool { return a.char == b })
}

// match takes time proportional to the product of the lengths at most, because it backtracks
// only to the last star.
func (p pattern) match(text string) bool {
	runes := []rune(text)
	at, star, mark := 0, -1, 0
	for i := 0; i < len(runes); {
		switch {
		case at < len(p) && !p[at].literal && p[at].char == '*':
			star, mark = at, i
			at++
		case at < len(p) && (p[at].char == runes[i] || !p[at].literal && p[at].char == '?'):
			at++
			i++
		case star >= 0:
			mark++
			at, i = star+1, mark
		default:
			return false
		}
	}
	for at < len(p) && !p[at].literal && p[at].char == '*' {
		at++
	}
	return at == len(p)
}

// matchARN compares the six parts of an ARN separately, so that a wildcard matches a colon
// only in the last part.
func (p pattern) matchARN(text string) bool {
	patterns, texts := p.split(6), strings.SplitN(text, ":", 6)
	return slices.EqualFunc(patterns, texts, func(a pattern, b string) bool { return a.match(b) })
}

func (p pattern) split(most int) []pattern {
	var parts []pattern
	for len(parts) < most-1 {
		i := slices.IndexFunc(p, func(c part) bool { return c.char == ':' })
		if i < 0 {
			break
		}
		parts, p = append(parts, p[:i]), p[i+1:]
	}
	return append(parts, p)
}

// glob matches names without variables, such as actions.
func glob(text, name string) bool { return expand(text, nil).match(name) }
