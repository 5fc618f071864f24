package sandbox

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// maxLoose is how many entries without a token in the list are shown.
const maxLoose = 20

// held is an entry with the store that it is in.
type held struct {
	Entry
	store string
}

// index finds what the stores say of a token.
type index struct {
	serving  map[string][]held // by token; an entry that has ended served it last
	retiring map[string]Retiring
}

func indexed(readings []reading) index {
	ix := index{serving: map[string][]held{}, retiring: map[string]Retiring{}}
	for _, r := range readings {
		for _, e := range r.entries {
			ix.serving[e.TokenID] = append(ix.serving[e.TokenID], held{e, r.store})
			for _, old := range e.Retiring {
				ix.retiring[old.TokenID] = old
			}
		}
	}
	return ix
}

// matches reports whether a token has every word somewhere.
func (ix index) matches(t Token, words []string) bool {
	if len(words) == 0 {
		return true
	}
	texts := []string{t.Name, t.ID, t.Status}
	for _, e := range ix.serving[t.ID] {
		texts = append(texts, e.store, e.Place)
	}
	text := strings.ToLower(strings.Join(texts, "\n"))
	return !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(text, word) })
}

// of are the entries that serve any of the tokens, or served it when they ended.
func (ix index) of(tokens []Token) []held {
	var list []held
	for _, t := range tokens {
		list = append(list, ix.serving[t.ID]...)
	}
	return list
}

// storeView is a store in one line.
type storeView struct {
	Name, Summary string
	Failed        bool
}

// entryView is what an entry says, in words.
type entryView struct {
	Store, Place, Version string
	Serves                string // what tells the token from others of its slot
	Ended                 bool
	Overlap               string // until when the old token works too
	Next                  moment
	Due                   bool // Next is over
	LastError             string
}

func storeViews(readings []reading) []storeView {
	views := make([]storeView, len(readings))
	for i, r := range readings {
		active, overlaps := 0, 0
		for _, e := range r.entries {
			if e.State == EntryActive {
				active++
				overlaps += min(len(e.Retiring), 1)
			}
		}
		views[i] = storeView{Name: r.store, Summary: plural(active, "entry serves", "entries serve") + " a token", Failed: r.failed}
		if overlaps > 0 {
			views[i].Summary += fmt.Sprintf(", %d in overlap", overlaps)
		}
		if r.failed {
			views[i].Summary = "does not answer; what it said last is shown"
		}
	}
	return views
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func (p *page) entry(e held, now time.Time) entryView {
	name := nameOf(Token{Name: e.TokenName})
	v := entryView{
		Store: e.store, Place: e.Place, Version: e.Version, Serves: cmp.Or(name.mark, e.TokenName, e.TokenID),
		Ended: e.State != EntryActive, Next: momentOf(e.NextRotation, now), Due: !e.NextRotation.After(now), LastError: e.LastError,
	}
	var until time.Time
	for _, old := range e.Retiring {
		if old.RevokeAfter.After(until) {
			until = old.RevokeAfter
		}
	}
	if !until.IsZero() {
		v.Overlap = momentOf(until, now).Text
	}
	return v
}

// loose are the entries whose token the list has not: it is of another account,
// or was forgotten.
func (p *page) loose(readings []reading, tokens []Token, now time.Time) []entryView {
	listed := map[string]bool{}
	for _, t := range tokens {
		listed[t.ID] = true
	}
	var views []entryView
	for _, r := range readings {
		for _, e := range r.entries {
			if !listed[e.TokenID] && len(views) < maxLoose {
				views = append(views, p.entry(held{e, r.store}, now))
			}
		}
	}
	return views
}
