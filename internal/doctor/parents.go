package doctor

import (
	"regexp"
	"strings"
)

var parameter = regexp.MustCompile(`\{([^{}]*)\}`)

// nameParents replaces each path parameter that is not the token, such as an organization,
// with a placeholder in capitals.
func (p *Proposal) nameParents(collection string) {
	words := map[string]string{}
	named := func(path string) string {
		return parameter.ReplaceAllStringFunc(path, func(hole string) string {
			word := capitals(strings.Trim(hole, "{}"))
			if words[hole] == "" {
				words[hole] = word
				p.open("the paths contain %s: replace it with the value of %s", word, strings.Trim(hole, "{}"))
			}
			return word
		})
	}
	above := strings.TrimRight(collection, "/")
	for _, path := range []*string{&p.Routes.Collection, &p.Routes.CreatePath, &p.Routes.Item, &p.Routes.Self, &p.Routes.RevokePath} {
		if rest, below := strings.CutPrefix(*path, above); below {
			*path = named(above) + rest
		} else {
			*path = named(*path)
		}
	}
}

// capitals returns a conspicuous placeholder that is valid in a path: YOUR_ORG_ID.
func capitals(name string) string {
	return "YOUR_" + strings.ToUpper(strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '_'
	}, name))
}
