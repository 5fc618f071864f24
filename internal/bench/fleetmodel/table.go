package fleetmodel

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// typical is the fleet of the guide's table: a daily run over entries that are replaced
// every 30 days, in a hundred folders, with the distances of the bench. Its processor times
// are estimates; at these distances they hardly matter.
func typical(entries, shards int) Fleet {
	return Fleet{
		Entries: entries, Due: entries / 30, Folders: 100, Shards: shards, Concurrency: 8,
		PAIStrike: 50 * time.Millisecond, Vault: 10 * time.Millisecond,
		Processor: Measured(),
	}
}

// Measured returns the CPU times derived from a run over 10,000 entries on loopback, which took 3 s.
func Measured() Processor {
	return Processor{Start: 30 * time.Millisecond, Page: 2 * time.Millisecond, Look: 300 * time.Microsecond, Call: 500 * time.Microsecond}
}

// columns are the limits of the fleets in the table.
var columns = []struct {
	title string
	bound func(*Fleet)
}{
	{"no limit", func(*Fleet) {}},
	{"Vault takes 50 writes a second", func(f *Fleet) { f.Writes = 50 }},
	{"6,000 requests a minute", func(f *Fleet) { f.Limit, f.Announced = 6000, true }},
	{"600 a minute", func(f *Fleet) { f.Limit, f.Announced = 600, true }},
	{"600 a minute, not announced", func(f *Fleet) { f.Limit = 600 }},
}

// Table is the table of docs/guides/scale.md, as Markdown.
func Table() string {
	var b strings.Builder
	b.WriteString("| entries | shards |")
	for _, column := range columns {
		b.WriteString(" " + column.title + " |")
	}
	b.WriteString("\n" + strings.Repeat("|---", 2+len(columns)) + "|\n")
	for _, entries := range []int{10_000, 100_000, 1_000_000} {
		for _, shards := range []int{1, 10, 100} {
			fmt.Fprintf(&b, "| %s | %d |", thousands(entries), shards)
			for _, column := range columns {
				f := typical(entries, shards)
				column.bound(&f)
				result := f.Run()
				b.WriteString(" " + span(result.Took) + refusals(result) + " |")
			}
			b.WriteString("\n")
		}
	}
	return b.String()
}

func refusals(r Result) string {
	if r.Refused == 0 {
		return ""
	}
	return fmt.Sprintf(", %s refused", thousands(r.Refused))
}

// span is a time with as many digits as an estimate deserves.
func span(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < 2*time.Hour:
		return fmt.Sprintf("%.0f min", d.Minutes())
	}
	return fmt.Sprintf("%.1f h", d.Hours())
}

func thousands(n int) string {
	if n < 1000 {
		return strconv.Itoa(n)
	}
	return thousands(n/1000) + fmt.Sprintf(",%03d", n%1000)
}
