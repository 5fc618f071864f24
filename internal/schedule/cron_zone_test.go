package schedule_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

// zoneYears lists zones, each with a year in which it changes its clocks in a different
// way.
var zoneYears = []struct {
	zone string
	year int
}{
	{"Europe/Berlin", 2026},
	{"America/New_York", 2026},
	{"America/St_Johns", 2026},
	{"Australia/Lord_Howe", 2026}, // by half an hour, in the southern hemisphere
	{"America/Santiago", 2026},    // at midnight, in the southern hemisphere
	{"Africa/Cairo", 2026},        // at midnight: the day begins at one
	{"America/Havana", 2026},      // at midnight, and midnight occurs twice
	{"Antarctica/Troll", 2026},    // by two hours
	{"Africa/Casablanca", 2026},   // for Ramadan, backward first
	{"Asia/Kathmandu", 2026},      // never
	{"Pacific/Apia", 2011},        // a whole day is skipped
}

// wallClock records what the clocks of a zone show in each minute, according to [time]
// alone: the local times that are shown for the first time in that minute. There are none
// when the clocks went back, and many when they went forward.
type wallClock struct {
	from  time.Time
	shown [][]time.Time
}

func watch(zone string, from time.Time, days int) wallClock {
	place, err := time.LoadLocation(zone)
	if err != nil {
		panic(err)
	}
	wall := func(t time.Time) time.Time {
		_, offset := t.In(place).Zone()
		return t.Add(time.Duration(offset) * time.Second)
	}
	w := wallClock{from: from}
	seen := wall(from.Add(-time.Minute))
	for minute := range days * 24 * 60 {
		now := wall(from.Add(time.Duration(minute) * time.Minute))
		var fresh []time.Time
		for next := seen.Add(time.Minute); !next.After(now); next = next.Add(time.Minute) {
			fresh = append(fresh, next)
			seen = next
		}
		w.shown = append(w.shown, fresh)
	}
	return w
}

// fires returns the minutes in which a schedule fires: those that show one of its times
// for the first time, or skip over one.
func (w wallClock) fires(o oracle) []time.Time {
	var fires []time.Time
	for minute, fresh := range w.shown {
		if slices.ContainsFunc(fresh, o.at) {
			fires = append(fires, w.from.Add(time.Duration(minute)*time.Minute))
		}
	}
	return fires
}

func (w wallClock) end() time.Time { return w.from.Add(time.Duration(len(w.shown)) * time.Minute) }

func zoned(t *testing.T, expr, zone string) schedule.Cron {
	t.Helper()
	c, err := cron(t, expr).In(zone)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// follow checks a schedule over a period of time in both directions.
func follow(t interface {
	Helper()
	Fatalf(format string, args ...any)
}, c schedule.Cron, w wallClock, want []time.Time) {
	t.Helper()
	at := w.from.Add(-time.Second)
	for i, fire := range want {
		next, ok := c.Next(at)
		if !ok || !next.Equal(fire) {
			t.Fatalf("fire %d after %v is %v, want %v", i, at, next, fire)
		}
		if last, ok := c.Last(fire); !ok || !last.Equal(fire) {
			t.Fatalf("the last fire at %v is %v", fire, last)
		}
		if i > 0 {
			if last, ok := c.Last(fire.Add(-time.Second)); !ok || !last.Equal(want[i-1]) {
				t.Fatalf("the last fire before %v is %v, want %v", fire, last, want[i-1])
			}
		}
		at = fire
	}
	if next, ok := c.Next(at); ok && next.Before(w.end()) {
		t.Fatalf("a fire at %v that no clock showed", next)
	}
}

// A whole year of each zone contains both of its clock changes.
func TestCronInAZoneThroughAYear(t *testing.T) {
	t.Parallel()
	for _, tt := range zoneYears {
		t.Run(tt.zone, func(t *testing.T) {
			t.Parallel()
			w := watch(tt.zone, time.Date(tt.year, time.January, 1, 0, 0, 0, 0, time.UTC), 366)
			for _, expr := range []string{"0 0 * * *", "30 2 * * *", "15 1,2,3 * * *", "0 0 1 * *", "45 23 * * SUN", "*/20 * * 3,9 0,5,6", "59 23 31 12 *"} {
				c := zoned(t, expr, tt.zone)
				fires := w.fires(newOracle(expr))
				follow(t, c, w, fires)
				gap := c.LongestGap(w.from)
				for i := 1; i < len(fires); i++ {
					if pause := fires[i].Sub(fires[i-1]); pause > gap && tt.zone != "Pacific/Apia" {
						t.Errorf("%s pauses for %v before %v, and LongestGap is %v", expr, pause, fires[i], gap)
					}
				}
			}
		})
	}
}

// Any schedule, around any clock change of any of the zones.
func TestCronInAZoneAroundClockChanges(t *testing.T) {
	t.Parallel()
	var stretches []wallClock
	var zones []string
	for _, tt := range zoneYears {
		place, err := time.LoadLocation(tt.zone)
		if err != nil {
			t.Fatal(err)
		}
		at := time.Date(tt.year, time.January, 1, 12, 0, 0, 0, time.UTC)
		for at.Year() == tt.year {
			zones = append(zones, tt.zone)
			stretches = append(stretches, watch(tt.zone, at.Truncate(day).Add(-2*day), 4))
			_, end := at.In(place).ZoneBounds()
			if end.IsZero() {
				break
			}
			at = end.UTC()
		}
	}
	if len(stretches) < 25 {
		t.Fatalf("%d stretches: the time zone data lacks changes", len(stretches))
	}
	rapid.Check(t, func(t *rapid.T) {
		i := rapid.IntRange(0, len(stretches)-1).Draw(t, "stretch")
		expr := expressions().Draw(t, "expression")
		parsed, err := schedule.ParseCron(expr)
		if err != nil {
			t.Fatal(err)
		}
		c, err := parsed.In(zones[i])
		if err != nil {
			t.Fatal(err)
		}
		fires := stretches[i].fires(newOracle(expr))
		if len(fires) > 60 { // more of the same
			fires = fires[:0]
		}
		if len(fires) > 0 {
			follow(t, c, stretches[i], fires)
		}
	})
}

func TestZoneNames(t *testing.T) {
	t.Parallel()
	daily := cron(t, "0 3 * * *")
	for _, name := range []string{"", "UTC", "Europe/Berlin", "Etc/GMT+5"} {
		if _, err := daily.In(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, name := range []string{"Local", "CEST", "Europe/Nowhere", "../../etc/passwd", "europe berlin", "+02:00"} {
		if c, err := daily.In(name); err == nil {
			t.Errorf("%q passed: %v", name, c)
		}
	}
	here := zoned(t, "0 3 * * *", "Europe/Berlin")
	back, err := here.In("UTC")
	if next, ok := back.Next(noon); err != nil || !ok || !next.Equal(noon.Add(15*time.Hour)) {
		t.Errorf("back in UTC it fires at %v, %v", next, err)
	}
}
