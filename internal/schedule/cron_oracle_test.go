package schedule_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// oracle is a slow implementation of cron: it records which values each field admits, and
// then checks every minute.
type oracle struct {
	minute, hour, date, month, weekday [64]bool
	both                               bool // both day fields are restricted
}

const (
	monthNames   = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC"
	weekdayNames = "SUN MON TUE WED THU FRI SAT"
)

func newOracle(expr string) oracle {
	f := strings.Fields(strings.ToUpper(expr))
	o := oracle{both: f[2] != "*" && f[4] != "*"}
	o.minute, o.hour, o.date = admitted(f[0], 0, 59), admitted(f[1], 0, 23), admitted(f[2], 1, 31)
	o.month, o.weekday = admitted(numbered(f[3], monthNames, 1), 1, 12), admitted(numbered(f[4], weekdayNames, 0), 0, 6)
	if o.weekday[7] {
		o.weekday[0] = true
	}
	return o
}

// numbered replaces names with numbers.
func numbered(field, names string, first int) string {
	for i, name := range strings.Fields(names) {
		field = strings.ReplaceAll(field, name, strconv.Itoa(first+i))
	}
	return field
}

func admitted(field string, low, high int) (values [64]bool) {
	for item := range strings.SplitSeq(field, ",") {
		span, step, stepped := strings.Cut(item, "/")
		if !stepped {
			step = "1"
		}
		from, to, ranged := strings.Cut(span, "-")
		switch {
		case span == "*":
			from, to = strconv.Itoa(low), strconv.Itoa(high)
		case !ranged && stepped:
			to = strconv.Itoa(high)
		case !ranged:
			to = from
		}
		for v := number(from); v <= number(to); v++ {
			if (v-number(from))%number(step) == 0 {
				values[v] = true
			}
		}
	}
	return values
}

func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		panic(err)
	}
	return n
}

// at reports whether the schedule fires in the minute of t.
func (o oracle) at(t time.Time) bool {
	return o.on(t) && o.hour[t.Hour()] && o.minute[t.Minute()]
}

func (o oracle) on(t time.Time) bool {
	date, weekday := o.date[t.Day()], o.weekday[t.Weekday()]
	if o.both {
		return o.month[t.Month()] && (date || weekday)
	}
	return o.month[t.Month()] && date && weekday
}

// fires checks every minute of some days and returns those that fire, as minutes since the
// first.
func (o oracle) fires(from time.Time, days int) []int {
	var fires []int
	for d := range days {
		if !o.on(from.AddDate(0, 0, d)) {
			continue
		}
		for m := range 24 * 60 {
			if o.hour[m/60] && o.minute[m%60] {
				fires = append(fires, d*24*60+m)
			}
		}
	}
	return fires
}

// longestGap returns the longest time between two of the fires.
func longestGap(fires []int) time.Duration {
	gap := 0
	for i := 1; i < len(fires); i++ {
		gap = max(gap, fires[i]-fires[i-1])
	}
	return time.Duration(gap) * time.Minute
}

// expressions returns schedules of every accepted form, including some that fire on no day
// at all.
func expressions() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		minute, hour := cronField(t, "minute", 0, 59, ""), cronField(t, "hour", 0, 23, "")
		date, weekday := cronField(t, "date", 1, 31, ""), cronField(t, "weekday", 0, 6, weekdayNames)
		if date != "*" && weekday != "*" && strings.Contains(date+weekday, "*") {
			date = "*"
		}
		return strings.Join([]string{minute, hour, date, cronField(t, "month", 1, 12, monthNames), weekday}, " ")
	})
}

func cronField(t *rapid.T, label string, low, high int, names string) string {
	if rapid.Bool().Draw(t, label+" is free") {
		return "*"
	}
	value := func(v int) string {
		if words := strings.Fields(names); len(words) > 0 && rapid.Bool().Draw(t, label+" by name") {
			return words[v-low]
		}
		return strconv.Itoa(v)
	}
	item := func() string {
		from := rapid.IntRange(low, high).Draw(t, label)
		step := "/" + strconv.Itoa(rapid.IntRange(1, high).Draw(t, label+" step"))
		switch rapid.IntRange(0, 4).Draw(t, label+" form") {
		case 0:
			return "*" + step
		case 1:
			return value(from) + step
		case 2:
			return value(from) + "-" + value(rapid.IntRange(from, high).Draw(t, label+" end"))
		case 3:
			return value(from) + "-" + value(rapid.IntRange(from, high).Draw(t, label+" end")) + step
		default:
			return value(from)
		}
	}
	items := []string{item()}
	for range rapid.IntRange(0, 2).Draw(t, label+" more") {
		items = append(items, item())
	}
	return strings.Join(items, ",")
}

// The oracle is small enough to be checked manually.
func TestOracle(t *testing.T) {
	t.Parallel()
	monday := time.Date(2026, time.January, 5, 3, 17, 0, 0, time.UTC)
	for expr, want := range map[string]bool{
		"17 3 * * 1": true, "17 3 * * MON": true, "17 3 5 1 *": true, "17 3 9 1 MON": true, "17 3 5 1 SUN": true, "2/5 * * * *": true,
		"16 3 * * 1": false, "17 4 * * 1": false, "17 3 * * 2": false, "17 3 * 2 1": false, "17 3 9 * SUN": false, "*/5 * * * *": false,
	} {
		if got := newOracle(expr).at(monday); got != want {
			t.Errorf("%s fires at %v: %t, want %t", expr, monday, got, want)
		}
	}
}
