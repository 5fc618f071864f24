package sandbox

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
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
}

// liveView is the part that follows changes by itself.
type liveView struct {
	Clock   string
	ISO     string
	Mode    string
	Steps   []clockStep
	Summary string
	Groups  []groupView
	Others  []rowView // tokens of no slot
	Empty   bool
}

// groupView is the tokens of one slot, newest first.
type groupView struct {
	Slot     string
	Label    string
	Overlaps bool   // more than one of them works now
	State    string // the same in words
	Timeline timeline
	Rows     []rowView
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
}

// moment is a time in words. Its ISO is empty where there is none.
type moment struct{ ISO, Text, Ago string }

type formView struct {
	Name, Expires           string
	Error                   string
	NameError, ExpiresError string
}

type madeView struct {
	Name, Secret string
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

// slotPattern takes apart the names that the provider gives: a label, and a suffix
// with the slot, its incarnation, a version and this attempt's nonce.
func slotPattern() *regexp.Regexp {
	return regexp.MustCompile(`(?s)^(.*)(-ps1-([a-z2-7]{12})-[a-z2-7]{6}-(?:0|[1-9][0-9]{0,9})-([a-z2-7]{8}))$`)
}

func (p *page) liveView() liveView {
	now := p.clock.Now()
	tokens := p.store.all(now, p.policy())
	v := liveView{
		Clock: now.Format("Mon 2 Jan 2006, 15:04:05") + " UTC", ISO: now.Format(time.RFC3339),
		Mode: clockWords(p.clock.mode()), Steps: clockSteps(),
		Summary: summary(tokens, now), Empty: len(tokens) == 0,
	}
	slots := map[string][]Token{}
	for _, t := range tokens {
		if parts := p.slot.FindStringSubmatch(t.Name); parts != nil {
			slots[parts[3]] = append(slots[parts[3]], t)
		} else {
			v.Others = append(v.Others, p.row(t, now))
		}
	}
	for slot, members := range slots {
		v.Groups = append(v.Groups, p.group(slot, members, now))
	}
	// By name: a group that jumped up at each rotation would take the reader's place with it.
	slices.SortFunc(v.Groups, func(a, b groupView) int {
		return cmp.Or(strings.Compare(a.Label, b.Label), strings.Compare(a.Slot, b.Slot))
	})
	return v
}

func clockWords(mode string) string {
	switch mode {
	case clockStill:
		return "stands still until it is moved"
	case clockShifted:
		return "runs on from where it was moved"
	}
	return "follows the real time"
}

// summary counts in words, for those who hear the page rather than see it.
func summary(tokens []Token, now time.Time) string {
	working := 0
	for _, t := range tokens {
		if t.works(now) {
			working++
		}
	}
	return fmt.Sprintf("%s, %d working now", count(len(tokens), "token"), working)
}

func count(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

func (p *page) group(slot string, tokens []Token, now time.Time) groupView {
	g := groupView{Slot: slot, Timeline: p.timeline(tokens, now)}
	var working []Token
	for _, t := range tokens {
		g.Rows = append(g.Rows, p.row(t, now))
		if t.works(now) {
			working = append(working, t)
		}
	}
	g.Label = cmp.Or(g.Rows[0].Label, slot)
	switch len(working) {
	case 0:
		g.State = "No token works"
	case 1:
		g.State = "1 token works"
	default:
		g.Overlaps = true
		// Newest first: the overlap began when the newest but last joined.
		g.State = fmt.Sprintf("Overlap: %d tokens work since %s", len(working), momentOf(working[len(working)-2].CreatedAt, now).Text)
	}
	return g
}

func (p *page) row(t Token, now time.Time) rowView {
	r := rowView{
		ID: t.ID, Name: t.Name, Label: t.Name,
		Created: momentOf(t.CreatedAt, now), LastUsed: momentOf(t.LastUsedAt, now), Expires: momentOf(t.ExpiresAt, now),
		Expired:   !t.ExpiresAt.IsZero() && !now.Before(t.ExpiresAt),
		Status:    strings.ToUpper(t.Status[:1]) + t.Status[1:],
		Revocable: t.RevokedAt.IsZero(),
	}
	if parts := p.slot.FindStringSubmatch(t.Name); parts != nil {
		r.Label, r.Suffix = parts[1], parts[2]
	}
	return r
}

func momentOf(t, now time.Time) moment {
	if t.IsZero() {
		return moment{}
	}
	t = t.UTC()
	return moment{ISO: t.Format(time.RFC3339), Text: t.Format("2 Jan 2006, 15:04") + " UTC", Ago: ago(now.Sub(t))}
}

// ago says how long ago something was, or how far ahead it is, in one unit.
func ago(d time.Duration) string {
	form := "%s ago"
	if d < 0 {
		form, d = "in %s", -d
	}
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf(form, count(int(d/(24*time.Hour)), "day"))
	case d >= 2*time.Hour:
		return fmt.Sprintf(form, count(int(d/time.Hour), "hour"))
	case d >= 2*time.Minute:
		return fmt.Sprintf(form, count(int(d/time.Minute), "minute"))
	case form == "in %s":
		return "in a moment"
	}
	return "just now"
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
