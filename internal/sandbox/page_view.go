package sandbox

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// Dialogs that the page can open with.
const (
	dialogGenerate = "generate"
	dialogRevoke   = "revoke"
)

// pageView is the data of the whole page.
type pageView struct {
	Live       liveView
	Nonce      string
	Tomorrow   string // first day the form accepts
	Dialog     string // dialog to open; "" = none
	Form       formView
	Revoke     rowView   // token shown in the revoke dialog
	Made       *madeView // token created by this request
	Notice     string    // what happened to NoticeName
	NoticeName string
	Problem    string // why the request failed
	Query      listQuery
}

// liveView is the data of the part that updates itself.
type liveView struct {
	Clock, ISO, Mode string
	Steps            []clockStep
	Stores           []storeView
	Find             string
	Address          string // address of this view
	Query            string // query of this view
	Clear            string // address without the search; "" = no search
	Fields           []field
	Columns          []columnView
	Summary          string
	Legend           bool
	Retires          bool     // a timeline marks when an old token is revoked
	At               *rowView // token just created or revoked
	Groups           []groupView
	Pages            *pagesView // nil = a single page
	Empty            string     // why the list is empty
	Loose            []entryView
}

// columnView is a column heading that sorts the list.
type columnView struct{ Key, Text, Sort, Address string }

type pagesView struct {
	Page, Of       int
	Previous, Next string
}

// groupView is the data of one slot, newest token first.
type groupView struct {
	ID        string
	Slot      string // "" = tokens without a slot
	Label     string
	Headed    bool
	Continued bool
	Overlaps  bool   // more than one token works now
	State     string // Overlaps in words
	Entries   []entryView
	Timeline  *timeline
	Rows      []rowView
	Fold      string // label of the control that folds or unfolds the group; "" = nothing to fold
	FoldTo    string
	Open      bool
}

type rowView struct {
	ID, Name      string
	Label, Suffix string // parts of Name; the provider generates Suffix
	Created       moment
	LastUsed      moment
	Expires       moment
	Expired       bool
	Status        string
	Revocable     bool
	Held          string // entry that serves the token
	Retires       moment // revocation after the overlap
}

// moment is a time in words. ISO is empty if there is no time.
type moment struct{ ISO, Text, Ago string }

type formView struct {
	Name, Expires           string
	Error                   string
	NameError, ExpiresError string
}

type madeView struct {
	Name, Secret string
	Done         string // address to continue at
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

// slotPattern matches the names that the provider generates: a label, and a suffix with the
// slot, its incarnation, a generation and a nonce.
var slotPattern = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?s)^(.*)(-ps1-([a-z2-7]{12})-[a-z2-7]{6}-(?:0|[1-9][0-9]{0,9})-([a-z2-7]{8}))$`)
})

// naming is a token name split into its parts.
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

// emptiness explains why the list is empty, or returns "" if it is not.
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

// summary counts the tokens in words, for screen readers.
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

// refuse adds each error to the field it concerns.
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
