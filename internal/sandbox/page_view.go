package sandbox

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// The dialogs that the page can open with.
const (
	dialogGenerate = "generate"
	dialogRevoke   = "revoke"
)

// pageView is all that the page shows.
type pageView struct {
	Live       liveView
	Nonce      string
	Tomorrow   string // the first day that the form offers
	Dialog     string // open from the start; "" = none
	Form       formView
	Revoke     rowView   // what the revoke dialog is about
	Made       *madeView // the token that this answer made
	Notice     string    // what was done to NoticeName
	NoticeName string
	Problem    string // why nothing was done
	Query      listQuery
}

// liveView is the part that follows changes by itself.
type liveView struct {
	Clock, ISO, Mode string
	Steps            []clockStep
	Stores           []storeView
	Find             string
	Address          string // of the page as it is shown
	Query            string // the same without the page's path
	Clear            string // address without the search; "" = there is none
	Fields           []field
	Columns          []columnView
	Summary          string
	Legend           bool
	Retires          bool     // some timeline shows when an old token is revoked
	At               *rowView // the token that was just made or revoked
	Groups           []groupView
	Pages            *pagesView // nil = one page has it all
	Empty            string     // why there is nothing in the list
	Loose            []entryView
}

// columnView is the head of a column, which sorts by it.
type columnView struct{ Key, Text, Sort, Address string }

type pagesView struct {
	Page, Of       int
	Previous, Next string
}

// groupView is the tokens of one slot, newest first.
type groupView struct {
	ID        string
	Slot      string // "" = tokens of no slot
	Label     string
	Headed    bool
	Continued bool
	Overlaps  bool   // more than one of them works now
	State     string // the same in words
	Entries   []entryView
	Timeline  *timeline
	Rows      []rowView
	Fold      string // what opens or closes the group, "" = it has nothing to hide
	FoldTo    string
	Open      bool
}

type rowView struct {
	ID, Name      string
	Label, Suffix string // Name in two parts; Suffix is what the provider put behind
	Created       moment
	LastUsed      moment
	Expires       moment
	Expired       bool
	Status        string
	Revocable     bool
	Held          string // which entry serves it
	Retires       moment // when it is revoked after its overlap
}

// moment is a time in words. Its ISO is empty if there is none.
type moment struct{ ISO, Text, Ago string }

type formView struct {
	Name, Expires           string
	Error                   string
	NameError, ExpiresError string
}

type madeView struct {
	Name, Secret string
	Done         string // where to go on
	Expires      moment
}

type clockStep struct{ Value, Text, Label string }

func clockSteps() []clockStep {
	return []clockStep{
		{"1h", "+1 h", "Move the clock on by one hour"},
		{"1d", "+1 d", "Move the clock on by one day"},
		{"30d", "+30 d", "Move the clock on by 30 days"},
	}
}

// slotPattern takes apart the names that the provider chooses: a label, and a suffix
// with the slot, its incarnation, a version and this attempt's nonce.
var slotPattern = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?s)^(.*)(-ps1-([a-z2-7]{12})-[a-z2-7]{6}-(?:0|[1-9][0-9]{0,9})-([a-z2-7]{8}))$`)
})

// naming is what the provider put into a token's name.
type naming struct{ label, suffix, slot, mark string }

func nameOf(t Token) naming {
	if parts := slotPattern().FindStringSubmatch(t.Name); parts != nil {
		return naming{parts[1], parts[2], parts[3], parts[4]}
	}
	return naming{label: t.Name}
}

func (p *page) liveView(q listQuery, readings []reading) liveView {
	now := p.clock.Now()
	tokens, kept := p.store.all(now, p.policy()), indexed(readings)
	pages := paged(p.arrange(tokens, kept, q, now), pageRows)
	q.Page = min(q.Page, len(pages))
	v := liveView{
		Clock: now.Format("Mon 2 Jan 2006, 15:04:05") + " UTC", ISO: now.Format(time.RFC3339),
		Mode: clockWords(p.clock.mode()), Steps: clockSteps(),
		Stores: storeViews(readings), Find: q.Find, Address: q.address(), Query: q.values().Encode(),
		Fields: q.fields(), Columns: columns(q), Summary: summary(tokens, now),
	}
	if q.Find != "" {
		found := slices.DeleteFunc(slices.Clone(tokens), func(t Token) bool { return !kept.matches(t, strings.Fields(strings.ToLower(q.Find))) })
		v.Summary = fmt.Sprintf("%d of %s, %d working now", len(found), count(len(tokens), "token"), working(found, now))
		all := q
		all.Find, all.Page = "", 1
		v.Clear = all.address()
	}
	for _, g := range pages[q.Page-1] {
		v.Groups = append(v.Groups, p.group(g, kept, q, now))
	}
	for _, g := range v.Groups {
		if g.Timeline != nil {
			v.Legend = true
			v.Retires = v.Retires || g.Timeline.Retires
		}
	}
	if at := slices.IndexFunc(tokens, func(t Token) bool { return t.ID == q.At }); at >= 0 {
		row := p.row(tokens[at], kept, now)
		v.At = &row
	}
	v.Pages = pager(q, len(pages))
	v.Empty = emptiness(v, q, len(tokens))
	v.Loose = p.loose(readings, tokens, now)
	return v
}

// emptiness says why there is nothing in the list, or "" if there is.
func emptiness(v liveView, q listQuery, tokens int) string {
	shown := v.At != nil || slices.ContainsFunc(v.Groups, func(g groupView) bool { return g.Headed || len(g.Rows) > 0 })
	switch {
	case tokens == 0:
		return "There is no token yet."
	case !shown && q.Find != "":
		return "No token has all these words in its name, id, status, or place in a store."
	}
	return ""
}

func columns(q listQuery) []columnView {
	list := []columnView{{Key: byName, Text: "Name"}, {Key: byCreated, Text: "Created"}, {Key: byUsed, Text: "Last Used"}, {Key: byExpires, Text: "Expires"}, {Key: byStatus, Text: "Status"}}
	for i, c := range list {
		list[i].Address = q.sortedBy(c.Key).address()
		if q.Sort == c.Key {
			list[i].Sort = "ascending"
			if q.Desc {
				list[i].Sort = "descending"
			}
		}
	}
	return list
}

func pager(q listQuery, pages int) *pagesView {
	if pages == 1 {
		return nil
	}
	v := &pagesView{Page: q.Page, Of: pages}
	if q.Page > 1 {
		v.Previous = q.turnedTo(q.Page - 1).address()
	}
	if q.Page < pages {
		v.Next = q.turnedTo(q.Page + 1).address()
	}
	return v
}

func clockWords(mode string) string {
	switch mode {
	case clockStill:
		return "still until it is moved"
	case clockShifted:
		return "running from where it was moved"
	}
	return "following the real time"
}

// summary counts in words, for those who hear the page rather than see it.
func summary(tokens []Token, now time.Time) string {
	return fmt.Sprintf("%s, %d working now", count(len(tokens), "token"), working(tokens, now))
}

func working(tokens []Token, now time.Time) int {
	n := 0
	for _, t := range tokens {
		if t.works(now) {
			n++
		}
	}
	return n
}

func count(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

// refuse puts each reason beside the field that it is about.
func (f *formView) refuse(faults []fieldError) {
	for _, fault := range faults {
		text := strings.ToUpper(fault.Detail[:1]) + fault.Detail[1:] + "."
		into := &f.Error
		switch fault.Pointer {
		case "/name":
			into = &f.NameError
		case "/expires_at":
			into = &f.ExpiresError
		}
		*into = strings.TrimSpace(*into + " " + text)
	}
}
