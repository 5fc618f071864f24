package sandbox

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

const (
	pageRows   = 200 // maximum number of rows on a page of the list
	recentDead = 3   // dead tokens shown in a group with working tokens until it is unfolded
	otherGroup = "others"
)

// group is a section of the list: the tokens of one slot, all tokens without a slot, or, in a
// list that is not sorted by name, all tokens.
type group struct {
	id        string // the slot, otherGroup, or "" for all tokens
	label     string
	all       []Token // newest first
	shown     []Token // in display order
	folded    int     // number of tokens hidden until the group is unfolded
	continued bool    // the group started on the previous page
}

func (g group) alive(now time.Time) bool {
	return slices.ContainsFunc(g.all, func(t Token) bool { return t.works(now) })
}

// arrange returns the list that q selects, working tokens first.
func (p *page) arrange(tokens []Token, kept index, q listQuery, now time.Time) []group {
	words := strings.Fields(strings.ToLower(q.Find))
	matched := func(t Token) bool { return kept.matches(t, words) }
	if !q.grouped() {
		shown := slices.DeleteFunc(slices.Clone(tokens), func(t Token) bool { return !matched(t) || t.ID == q.At })
		if q.Sort == byCreated && !q.Desc {
			slices.Reverse(shown) // including tokens created in the same second
		}
		slices.SortStableFunc(shown, byColumn(q, now))
		return []group{{all: tokens, shown: shown}}
	}
	var groups []group
	for _, g := range p.slots(tokens) {
		if len(words) > 0 {
			if g.id == otherGroup {
				g.all = slices.DeleteFunc(g.all, func(t Token) bool { return !matched(t) })
			}
			if !slices.ContainsFunc(g.all, matched) {
				continue
			}
		}
		g.shown = unfolded(g, q, now, func(t Token) bool { return len(words) > 0 && matched(t) })
		g.folded = len(g.all) - len(g.shown)
		if slices.ContainsFunc(g.all, func(t Token) bool { return t.ID == q.At }) {
			g.folded-- // it is shown at the top
		}
		if g.id == otherGroup && g.folded+len(g.shown) == 0 {
			continue
		}
		groups = append(groups, g)
	}
	// Groups are sorted by name, so that a rotation does not move a group while someone is
	// reading.
	slices.SortFunc(groups, func(a, b group) int {
		names := cmp.Or(compareText(a.label, b.label), cmp.Compare(a.id, b.id))
		if q.Desc {
			names = -names
		}
		return cmp.Or(compareBool(b.alive(now), a.alive(now)), compareBool(a.id == otherGroup, b.id == otherGroup), names)
	})
	return groups
}

// slots divides tokens into groups, in no particular order.
func (p *page) slots(tokens []Token) []group {
	found := map[string]*group{}
	for _, t := range tokens {
		name := nameOf(t)
		id := cmp.Or(name.slot, otherGroup)
		g := found[id]
		if g == nil {
			g = &group{id: id, label: cmp.Or(name.label, id)}
			found[id] = g
		}
		g.all = append(g.all, t)
	}
	groups := make([]group, 0, len(found))
	for _, g := range found {
		groups = append(groups, *g)
	}
	return groups
}

// unfolded returns the tokens of a group that are shown by default: those that work and the
// last ones that ended, or none if no token works. An unfolded group, or one that a search
// matches, is shown in full.
func unfolded(g group, q listQuery, now time.Time, wanted func(Token) bool) []Token {
	open, dead := slices.Contains(q.Open, g.id), 0
	if !g.alive(now) {
		dead = recentDead
	}
	var shown []Token
	for _, t := range g.all {
		show := open || t.works(now) || wanted(t)
		if !t.works(now) {
			show = show || dead < recentDead
			dead++
		}
		if show && t.ID != q.At {
			shown = append(shown, t)
		}
	}
	if g.id == otherGroup {
		slices.SortStableFunc(shown, func(a, b Token) int { return compareBool(b.works(now), a.works(now)) })
	}
	return shown
}

// byColumn returns the comparison for the sorted list. Working tokens come first in both
// directions. A token that was never used sorts before all others by last use; a token that
// never expires sorts after all others by expiry.
func byColumn(q listQuery, now time.Time) func(a, b Token) int {
	column := map[string]func(a, b Token) int{
		byCreated: func(a, b Token) int { return a.CreatedAt.Compare(b.CreatedAt) },
		byUsed:    func(a, b Token) int { return a.LastUsedAt.Compare(b.LastUsedAt) },
		byExpires: func(a, b Token) int {
			return cmp.Or(compareBool(a.ExpiresAt.IsZero(), b.ExpiresAt.IsZero()), a.ExpiresAt.Compare(b.ExpiresAt))
		},
		byStatus: func(a, b Token) int {
			return cmp.Or(cmp.Compare(a.Status, b.Status), compareBool(a.works(now), b.works(now)))
		},
	}[q.Sort]
	return func(a, b Token) int {
		order := column(a, b)
		if q.Desc {
			order = -order
		}
		return cmp.Or(compareBool(b.works(now), a.works(now)), order)
	}
}

func compareText(a, b string) int {
	return cmp.Or(strings.Compare(strings.ToLower(a), strings.ToLower(b)), strings.Compare(a, b))
}

// compareBool orders false before true.
func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// paged distributes groups over pages of at most size rows. A group that fits on one page is
// not split; a folded group takes one row.
func paged(groups []group, size int) [][]group {
	pages := [][]group{nil}
	left := size
	for _, whole := range groups {
		for _, g := range torn(whole, size) {
			rows := max(1, len(g.shown))
			if rows > left {
				pages, left = append(pages, nil), size
			}
			left -= rows
			last := len(pages) - 1
			pages[last] = append(pages[last], g)
		}
	}
	return pages
}

// torn splits a group that is larger than a page.
func torn(g group, size int) []group {
	pieces := []group{g}
	for len(g.shown) > size {
		last := &pieces[len(pieces)-1]
		last.shown, g.shown = g.shown[:size], g.shown[size:]
		g.continued = true
		pieces = append(pieces, g)
	}
	return pieces
}
