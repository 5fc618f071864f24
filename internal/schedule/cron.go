package schedule

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Cron is a 5-field cron expression, in UTC by default. The zero value never fires.
type Cron struct {
	expr string
	// Bit n represents the value n. Sunday is bit 0 only.
	minutes, hours, days, months, weekdays uint64
	// either is true if both day fields are restricted, so that either may match.
	either bool
	// zone is the time zone of the fields. nil means UTC.
	zone *time.Location
}

// cronField is one of the five fields: the values that a star represents, the highest
// number accepted, and the names of the values starting at low.
type cronField struct {
	name      string
	low, high int
	limit     int // 7 for the day of week, which is Sunday again
	names     []string
}

var cronFields = [5]cronField{
	{name: "minute", high: 59, limit: 59},
	{name: "hour", high: 23, limit: 23},
	{name: "day of month", low: 1, high: 31, limit: 31},
	{name: "month", low: 1, high: 12, limit: 12, names: []string{"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}},
	{name: "day of week", high: 6, limit: 7, names: []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}},
}

// cronItem matches an item between commas: *, a value or a range, and a step. Extensions
// that only some schedulers understand (L, W, #, ?, @daily) are rejected, so that the same
// text has the same meaning in a workflow file.
var cronItem = regexp.MustCompile(`^(?:\*|([0-9]{1,2}|[A-Za-z]{3})(?:-([0-9]{1,2}|[A-Za-z]{3}))?)(?:/([0-9]{1,2}))?$`)

// ParseCron parses a 5-field cron expression: minute, hour, day of month, month, day of
// week (0 or 7 is Sunday). As in cron, if both day fields are restricted, either may
// match. Some schedulers treat a day field that contains a star ("*/2") as restricted and
// others do not, so ParseCron rejects such a field together with a restricted one.
func ParseCron(expr string) (Cron, error) {
	fields := strings.Fields(expr)
	if len(fields) != len(cronFields) {
		return Cron{}, fmt.Errorf("%q has %d fields, a schedule has 5: minute, hour, day of month, month, day of week (UTC)", expr, len(fields))
	}
	var sets [5]uint64
	for i, field := range cronFields {
		var err error
		if sets[i], err = field.parse(fields[i]); err != nil {
			return Cron{}, fmt.Errorf("schedule %q: %w", expr, err)
		}
	}
	days, weekdays := fields[2], fields[4]
	either := days != "*" && weekdays != "*"
	if either && strings.Contains(days+weekdays, "*") {
		return Cron{}, fmt.Errorf("schedule %q: schedulers disagree on day of month %s with day of week %s: make one of them *, or list the days", expr, days, weekdays)
	}
	c := Cron{expr: strings.Join(fields, " "), either: either}
	c.minutes, c.hours, c.days, c.months, c.weekdays = sets[0], sets[1], sets[2], sets[3], sets[4]
	return c, nil
}

// parse returns the set of values that a field matches.
func (f cronField) parse(text string) (uint64, error) {
	var set uint64
	for item := range strings.SplitSeq(text, ",") {
		first, last, step, err := f.item(item)
		switch {
		case err != nil:
			return 0, err
		case last < first:
			return 0, fmt.Errorf("%s %q runs backwards", f.name, item)
		case step < 1 || step > f.high:
			return 0, fmt.Errorf("the step of %s %q is not between 1 and %d", f.name, item, f.high)
		}
		for value := first; value <= last; value += step {
			set |= 1 << (value % (f.high + 1))
		}
	}
	return set, nil
}

// item parses an item between commas. A value with a step extends to the end of the range:
// "20/15" in the minutes is 20, 35 and 50.
func (f cronField) item(text string) (first, last, step int, err error) {
	groups := cronItem.FindStringSubmatch(text)
	if groups == nil {
		return 0, 0, 0, fmt.Errorf("%q is not a valid %s", text, f.name)
	}
	from, to, by := groups[1], groups[2], groups[3]
	first, last, step = f.low, f.high, 1
	if by != "" {
		step, err = strconv.Atoi(by)
	}
	if from != "" && err == nil {
		first, err = f.value(from)
	}
	if to != "" && err == nil {
		last, err = f.value(to)
	}
	if from != "" && to == "" && by == "" {
		last = first
	}
	return first, last, step, err
}

// value parses a number or a name.
func (f cronField) value(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil {
		n = f.low + slices.Index(f.names, strings.ToUpper(text)) // an unknown name is below low
	}
	if n < f.low || n > f.limit {
		return 0, fmt.Errorf("%q is not a valid %s", text, f.name)
	}
	return n, nil
}

// IsZero reports whether there is no schedule.
func (c Cron) IsZero() bool { return c.expr == "" }

// String returns the expression with single spaces.
func (c Cron) String() string { return c.expr }

// In returns the schedule in a time zone: an IANA name such as "Europe/Berlin", or "" for
// UTC. A local time that a clock change skips fires at the moment of the change. A local
// time that a clock change repeats fires once, the first time.
func (c Cron) In(name string) (Cron, error) {
	if name == "" || name == "UTC" {
		c.zone = nil
		return c, nil
	}
	if name == "Local" { // the same configuration must have the same meaning on every machine
		return Cron{}, fmt.Errorf("%q is not an IANA time zone such as \"Europe/Berlin\"", name)
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return Cron{}, fmt.Errorf("%q is not an IANA time zone such as \"Europe/Berlin\"", name)
	}
	c.zone = zone
	return c, nil
}

// Next returns the first fire after t, and false if the expression never fires (February
// 31).
func (c Cron) Next(t time.Time) (time.Time, bool) {
	return c.seek(t.UTC().Truncate(time.Minute).Add(time.Minute), 1)
}

// Last returns the last fire at or before t, and false if there is none.
func (c Cron) Last(t time.Time) (time.Time, bool) {
	return c.seek(t.UTC().Truncate(time.Minute), -1)
}

const (
	minutesPerDay = 24 * 60
	// seekDays limits how far away a fire can be: the next February 29 may be eight years
	// away.
	seekDays = 8*365 + 2
	// gapDays is the 28 years after which the calendar repeats itself, and four more, so
	// that a gap at the seam is complete.
	gapDays = 32*365 + 8
)

// seek returns the first fire from a minute on, forward or backward in time.
func (c Cron) seek(t time.Time, step int) (time.Time, bool) {
	if c.IsZero() {
		return time.Time{}, false
	}
	if c.zone != nil {
		return c.seekLocal(t, step)
	}
	midnight := t.Truncate(Day)
	minute := int(t.Sub(midnight) / time.Minute)
	for range seekDays {
		if c.onDay(midnight) {
			for ; minute >= 0 && minute < minutesPerDay; minute += step {
				if c.onMinute(minute) {
					return midnight.Add(time.Duration(minute) * time.Minute), true
				}
			}
		}
		midnight = midnight.Add(time.Duration(step) * Day) // every UTC day has 24 hours
		minute = 0
		if step < 0 {
			minute = minutesPerDay - 1
		}
	}
	return time.Time{}, false
}

func (c Cron) onDay(t time.Time) bool {
	_, month, dayOfMonth := t.Date()
	if c.months>>month&1 == 0 {
		return false
	}
	byDate, byWeekday := c.days>>dayOfMonth&1 == 1, c.weekdays>>t.Weekday()&1 == 1
	return byDate && byWeekday || c.either && (byDate || byWeekday)
}

func (c Cron) onMinute(minuteOfDay int) bool {
	return c.hours>>(minuteOfDay/60)&1 == 1 && c.minutes>>(minuteOfDay%60)&1 == 1
}

// LongestGap returns the longest time between two fires within 32 years of from. The
// calendar repeats itself after 28 years. Zero means that the schedule never fires.
func (c Cron) LongestGap(from time.Time) time.Duration {
	first, last, gap := -1, -1, 0 // minutes
	for minute := range minutesPerDay {
		if !c.onMinute(minute) {
			continue
		}
		if first < 0 {
			first = minute
		} else {
			gap = max(gap, minute-last)
		}
		last = minute
	}
	start, before := from.UTC().Truncate(Day), -1
	for today := range gapDays {
		if !c.onDay(start.Add(time.Duration(today) * Day)) {
			continue
		}
		if before >= 0 {
			gap = max(gap, (today-before)*minutesPerDay+first-last)
		}
		before = today
	}
	if before < 0 {
		return 0
	}
	if c.zone != nil {
		gap += 120 // a clock change adds up to two hours (Troll station)
	}
	return time.Duration(gap) * time.Minute
}
