package sandbox

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// maxLoose limits the number of entries shown whose token is not in the list.
const maxLoose = 20

// held is an entry with the name of its store.
type held struct {
	Entry
	store string
}

// index finds what the stores record about a token.
type index struct {
	serving  map[string][]held // entries by token ID; an ended entry is listed under the last token it served
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

// matches reports whether every word occurs in one of the token's texts.
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

// of returns the entries that serve one of the tokens or that served it when they ended.
func (ix index) of(tokens []Token) []held {
	var list []held
	for _, t := range tokens {
		list = append(list, ix.serving[t.ID]...)
	}
	return list
}

// storeView is the one-line summary of a store.
type storeView struct {
	Name, Summary string
	Failed        bool
}

// entryView is an entry in words.
type entryView struct {
	Store, Place, Version string
	Serves                string // distinguishes the token from others of its slot
	Ended                 bool
	Overlap               string // when the old token stops working
	Next                  moment
	Due                   bool // Next has passed
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

// loose returns the entries whose token is not in the list, because it belongs to another
// account or was forgotten.
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
