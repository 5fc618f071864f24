package sandbox

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

func (p *page) group(g group, kept index, q listQuery, now time.Time) groupView {
	v := groupView{ID: g.id, Label: g.label, Continued: g.continued, Headed: g.id != ""}
	for _, t := range g.shown {
		v.Rows = append(v.Rows, p.row(t, kept, now))
	}
	if !v.Headed {
		return v
	}
	if slices.Contains(q.Open, g.id) {
		v.Open, v.Fold = true, "Show fewer"
	} else if g.folded > 0 {
		v.Fold = "Show " + count(g.folded, "ended token")
	}
	v.FoldTo = q.toggled(g.id).address()
	if g.id == otherGroup {
		v.Label, v.State = "Other tokens", "made by hand, or for one job"
		return v
	}
	v.Slot = g.id
	v.Overlaps, v.State = overlap(g.all, now)
	for _, e := range kept.of(g.all) {
		v.Entries = append(v.Entries, p.entry(e, now))
	}
	if !g.continued && (len(g.shown) > 0 || g.alive(now)) {
		line := p.timeline(g, kept, now)
		v.Timeline = &line
	}
	return v
}

// overlap reports whether several of the tokens, newest first, work at now, and describes the
// state in words.
func overlap(tokens []Token, now time.Time) (overlaps bool, words string) {
	alive := slices.DeleteFunc(slices.Clone(tokens), func(t Token) bool { return !t.works(now) })
	switch len(alive) {
	case 0:
		return false, "No token works"
	case 1:
		return false, "1 token works"
	}
	// The overlap began when the second-newest working token was created.
	return true, fmt.Sprintf("Overlap: %d tokens work since %s", len(alive), momentOf(alive[len(alive)-2].CreatedAt, now).Text)
}

func (p *page) row(t Token, kept index, now time.Time) rowView {
	name := nameOf(t)
	r := rowView{
		ID: t.ID, Name: t.Name, Label: name.label, Suffix: name.suffix,
		Created: momentOf(t.CreatedAt, now), LastUsed: momentOf(t.LastUsedAt, now), Expires: expiryOf(t, now),
		Expired:   !t.ExpiresAt.IsZero() && !now.Before(t.ExpiresAt),
		Status:    strings.ToUpper(t.Status[:1]) + t.Status[1:],
		Revocable: t.RevokedAt.IsZero(),
	}
	for _, e := range kept.serving[t.ID] {
		if e.State == EntryActive {
			r.Held = e.store + " serves it"
			if name.slot == "" {
				r.Held += " at " + e.Place
			}
		}
	}
	if old, found := kept.retiring[t.ID]; found && t.works(now) {
		r.Retires = momentOf(old.RevokeAfter, now)
	}
	return r
}

// expiryOf returns when a token expires or, if it has ended, how it ended.
func expiryOf(t Token, now time.Time) moment {
	m := momentOf(t.ExpiresAt, now)
	switch end := t.end(); {
	case !t.RevokedAt.IsZero() && end.Equal(t.RevokedAt):
		m.Ago = "revoked " + momentOf(end, now).Ago
	case !t.works(now):
		m.Ago = "expired " + m.Ago
	}
	return m
}

func momentOf(t, now time.Time) moment {
	if t.IsZero() {
		return moment{}
	}
	t = t.UTC()
	return moment{ISO: t.Format(time.RFC3339), Text: t.Format("2 Jan 2006, 15:04") + " UTC", Ago: ago(now.Sub(t))}
}

// ago formats the distance to a past (d > 0) or future time in a single unit.
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
