package main

import (
	"slices"
	"strings"
)

// pattern is text with wildcards: * takes any characters, ? takes one.
type pattern []part

type part struct {
	char    rune
	literal bool // a * or ? that a variable brought stands for itself
}

// expand puts the values of policy variables such as ${aws:PrincipalTag/team} into
// a pattern. A variable whose key is not in the request matches nothing.
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

// impossible is in no name and no tag.
const impossible = '\x00'

// variable returns the value of ${key}, or of ${key, 'default'}; ${*}, ${?} and ${$}
// stand for those characters.
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

// match takes time in proportion to both lengths: it remembers only the last star.
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

// matchARN compares the six parts of an ARN one by one, so that no wildcard reaches
// over a colon but in the last.
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

// glob matches names that have no variables, such as actions.
func glob(text, name string) bool { return expand(text, nil).match(name) }
