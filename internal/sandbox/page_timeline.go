package sandbox

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Dimensions of a timeline, in CSS pixels.
const (
	timelineTop  = 20 // room for the word "now"
	timelineStep = 22 // distance between bars
	timelineBar  = 14
	timelineFoot = 22 // room for the dates
	timelineBand = 14 // top of the bands and of the line for now
	timelineMost = 12 // maximum number of bars
)

// timeline is a diagram of when the tokens of one slot work: a bar for each token, a band
// where two overlap, and a line for now. Horizontal positions are percentages.
type timeline struct {
	Height, Foot int // bottom edges of the diagram and of its bars
	Band         int // height of the bands
	From, To     string
	Now          string
	NowAnchor    string // text anchor of the word "now"
	Retires      bool   // some bar marks its planned revocation
	Bars         []bar
	Bands        []band
	Words        string // text alternative for screen readers
}

// bar is one token: solid up to now, pale for the remaining lifetime.
type bar struct {
	Y, Text, Tick int // top edge, baseline of its mark, top of its tick
	State         string
	X, Width      string
	AheadX, Ahead string // remaining lifetime; empty if there is none
	Retires       string // position of the planned revocation; empty if none
	Mark          string
	Title         string
	Endless       bool // extends past the right edge
}

type band struct{ X, Width string }

// works reports whether the token is usable at now.
func (t Token) works(now time.Time) bool {
	end := t.end()
	return end.IsZero() || now.Before(end)
}

// end returns the time when the token stops working, or zero if no end is known.
func (t Token) end() time.Time {
	if !t.RevokedAt.IsZero() && (t.ExpiresAt.IsZero() || t.RevokedAt.Before(t.ExpiresAt)) {
		return t.RevokedAt
	}
	return t.ExpiresAt
}

// scale maps times to percentages.
type scale struct{ from, to time.Time }

// scaleOf covers all lifetimes but limits the future: a token valid for ten years would
// compress everything else.
func scaleOf(tokens []Token, now time.Time) scale {
	s := scale{now, now}
	for _, t := range tokens {
		if t.CreatedAt.Before(s.from) {
			s.from = t.CreatedAt
		}
	}
	past := now.Sub(s.from)
	for _, t := range tokens {
		until := t.end()
		if until.IsZero() {
			until = now.Add(max(past/2, 30*24*time.Hour))
		}
		if until.After(s.to) {
			s.to = until
		}
	}
	if most := now.Add(max(3*past, 120*24*time.Hour)); s.to.After(most) {
		s.to = most
	}
	if s.to.Sub(s.from) < time.Hour {
		s.to = s.from.Add(time.Hour)
	}
	return s
}

func (s scale) at(t time.Time) float64 {
	return min(100, max(0, 100*float64(t.Sub(s.from))/float64(s.to.Sub(s.from))))
}

func percent(x float64) string { return fmt.Sprintf("%.2f%%", x) }

// timeline draws the tokens of a group that are visible in the table or work, newest first.
func (p *page) timeline(g group, kept index, now time.Time) timeline {
	drawn := slices.DeleteFunc(slices.Clone(g.all), func(t Token) bool {
		return !t.works(now) && !slices.ContainsFunc(g.shown, func(s Token) bool { return s.ID == t.ID })
	})
	older := max(0, len(drawn)-timelineMost)
	return p.lines(drawn[:len(drawn)-older], older, kept, now)
}

func (p *page) lines(tokens []Token, older int, kept index, now time.Time) timeline {
	s := scaleOf(tokens, now)
	foot := timelineTop + len(tokens)*timelineStep
	line := timeline{
		Height: foot + timelineFoot, Foot: foot, Band: foot - timelineBand, Now: percent(s.at(now)), NowAnchor: "middle",
		From: s.from.Format("2 Jan 2006"), To: s.to.Format("2 Jan 2006"), Bands: bands(tokens, s, now),
	}
	if x := s.at(now); x > 97 {
		line.NowAnchor = "end"
	} else if x < 3 {
		line.NowAnchor = "start"
	}
	words := make([]string, 0, len(tokens))
	for i, t := range tokens {
		b := barOf(t, s, now)
		b.Mark = nameOf(t).mark
		b.Y = timelineTop + i*timelineStep
		b.Text, b.Tick = b.Y+timelineBar-3, b.Y-3
		b.Title = b.Mark + ", " + lifetime(t, now)
		if old, found := kept.retiring[t.ID]; found && t.works(now) && old.RevokeAfter.After(now) {
			b.Retires, line.Retires = percent(s.at(old.RevokeAfter)), true
			b.Title += ", to be revoked " + momentOf(old.RevokeAfter, now).Text
		}
		words = append(words, b.Title)
		line.Bars = append(line.Bars, b)
	}
	line.Words = "Lifetimes, newest first. " + strings.Join(words, ". ") + "."
	if older > 0 {
		line.Words += fmt.Sprintf(" %d more are older.", older)
	}
	return line
}

func barOf(t Token, s scale, now time.Time) bar {
	end := t.end()
	until := end
	if until.IsZero() || until.After(s.to) {
		until = s.to
	}
	b := bar{State: "works", Endless: end.IsZero() || end.After(s.to)}
	switch {
	case !t.RevokedAt.IsZero():
		b.State = "revoked"
	case !t.works(now):
		b.State = "expired"
	}
	begun := s.at(t.CreatedAt)
	past := until
	if past.After(now) {
		past = now
	}
	// A bar is always wide enough to be visible.
	width := max(s.at(past)-begun, 0.4)
	b.X, b.Width = percent(min(begun, 99.6)), percent(width)
	if ahead := max(s.at(now), begun); until.After(now) && s.at(until) > ahead {
		b.AheadX, b.Ahead = percent(ahead), percent(s.at(until)-ahead)
	}
	return b
}

// bands returns the periods up to now in which a token and its successor both worked.
func bands(tokens []Token, s scale, now time.Time) []band {
	byAge := slices.Clone(tokens)
	slices.SortStableFunc(byAge, func(a, b Token) int { return a.CreatedAt.Compare(b.CreatedAt) })
	var found []band
	for i := 1; i < len(byAge); i++ {
		from, to := byAge[i].CreatedAt, now
		for _, end := range []time.Time{byAge[i-1].end(), byAge[i].end()} {
			if !end.IsZero() && end.Before(to) {
				to = end
			}
		}
		if to.After(from) {
			found = append(found, band{percent(s.at(from)), percent(max(s.at(to)-s.at(from), 0.3))})
		}
	}
	return found
}

// lifetime describes a bar in words.
func lifetime(t Token, now time.Time) string {
	text := "made " + momentOf(t.CreatedAt, now).Text
	switch end := t.end(); {
	case end.IsZero():
		return text + ", never expires"
	case end.Equal(t.RevokedAt):
		return text + ", revoked " + momentOf(end, now).Text
	case t.works(now):
		return text + ", expires " + momentOf(end, now).Text
	default:
		return text + ", expired " + momentOf(end, now).Text
	}
}
