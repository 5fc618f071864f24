package report

import (
	"fmt"
	"iter"
	"strings"
	"time"
	"unicode"

	"github.com/paistrike/terraform-provider-paistrike/internal/fleet"
	"github.com/paistrike/terraform-provider-paistrike/internal/inert"
)

// timelineRows limits the diagram: more rows are unreadable, and GitHub renders no Mermaid
// text above 50,000 characters.
const timelineRows = 40

// timeline draws the lifetimes of tokens as a Mermaid Gantt chart, which GitHub renders. Each
// entry has bars for the lifetime of its token, the time of its next rotation, and the
// replaced tokens in their overlap.
func timeline(now time.Time, entries iter.Seq[fleet.Entry]) string {
	var b strings.Builder
	shown, left := 0, 0
	for e := range entries {
		switch {
		case e.TokenID == "" || e.CreatedAt.IsZero():
		case shown == timelineRows:
			left++
		default:
			shown++
			bars(&b, now, e)
		}
	}
	if shown == 0 {
		return ""
	}
	// Mermaid interprets a bare number as milliseconds, regardless of the format.
	text := "```mermaid\n%%{init: {\"gantt\": {\"leftPadding\": 220}}}%%\ngantt\n    title Token lifetimes\n    dateFormat x\n    axisFormat %d %b\n" +
		b.String() + "```\n\n"
	if left > 0 {
		text += fmt.Sprintf("The chart shows the %d most urgent tokens; %d more are in the table.\n\n", shown, left)
	}
	return text
}

// bars draws one entry.
func bars(b *strings.Builder, now time.Time, e fleet.Entry) {
	fmt.Fprintf(b, "    section %s\n", plainName(ending(e.Path, 30)))
	end, label := e.ExpiresAt, "lifetime"
	if end.IsZero() {
		end, label = latest(now, e.CreatedAt).AddDate(0, 3, 0), "lifetime, no expiry"
	}
	bar(b, label, "active", e.CreatedAt, end)
	if !e.NextAt.IsZero() {
		until := e.NextAt.Add(max(e.Window, day))
		if e.Window == 0 && e.Deadline.After(e.NextAt) {
			until = e.Deadline
		}
		bar(b, "rotation", "crit", e.NextAt, until)
	}
	for _, old := range e.Previous {
		bar(b, "overlap of "+plainName(old.ID), "done", old.SupersededAt, old.RevokeAfter)
	}
}

const day = 24 * time.Hour

func bar(b *strings.Builder, label, kind string, from, until time.Time) {
	fmt.Fprintf(b, "    %s :%s, %d, %d\n", label, kind, from.UnixMilli(), max(until.UnixMilli(), from.UnixMilli()+1))
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// plainName removes all Mermaid syntax from untrusted text.
func plainName(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("/._- ", r) {
			return r
		}
		return '_'
	}, inert.Short(text))
}

// ending truncates text at the start, because paths differ at the end.
func ending(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return "..." + string(runes[len(runes)-most+3:])
	}
	return text
}
