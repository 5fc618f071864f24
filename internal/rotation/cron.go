package rotation

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/adhocore/gronx"
)

// Cron is a 5-field cron expression, read in UTC. The zero value never fires.
type Cron struct{ expr string }

// cronField admits the portable forms only: *, numbers, three-letter names,
// ranges, lists and steps. What one scheduler alone understands (L, W, #, @daily)
// is refused, so that the same text means the same in a workflow file.
var cronField = regexp.MustCompile(`^(?:(?:\*|[0-9]{1,2}|[A-Za-z]{3})(?:-(?:[0-9]{1,2}|[A-Za-z]{3}))?(?:/[0-9]{1,2})?)(?:,(?:\*|[0-9]{1,2}|[A-Za-z]{3})(?:-(?:[0-9]{1,2}|[A-Za-z]{3}))?(?:/[0-9]{1,2})?)*$`)

// ParseCron reads a 5-field cron expression: minute, hour, day of month, month,
// day of week. As in cron, where both day fields are restricted either may match.
func ParseCron(expr string) (Cron, error) {
	fields := strings.Fields(expr)
	if len(fields) != 5 {
		return Cron{}, fmt.Errorf("%q has %d fields, a schedule has 5: minute, hour, day of month, month, day of week (UTC)", expr, len(fields))
	}
	for _, field := range fields {
		if !cronField.MatchString(field) {
			return Cron{}, fmt.Errorf("%q in schedule %q is not a cron field", field, expr)
		}
	}
	normal := strings.Join(fields, " ")
	if _, err := gronx.Segments(normal); err != nil || !gronx.IsValid(normal) {
		return Cron{}, fmt.Errorf("%q is not a valid 5-field cron expression", expr)
	}
	return Cron{expr: normal}, nil
}

// IsZero reports whether there is no schedule.
func (c Cron) IsZero() bool { return c.expr == "" }

// String gives the expression with single spaces.
func (c Cron) String() string { return c.expr }

// Next gives the first fire after t, and false where the expression never fires
// (31 February) or t is out of the range of dates.
func (c Cron) Next(t time.Time) (time.Time, bool) {
	if c.IsZero() {
		return time.Time{}, false
	}
	next, err := gronx.NextTickAfter(c.expr, t.UTC(), false)
	if err != nil || !next.After(t) {
		return time.Time{}, false
	}
	return next, true
}

// Last gives the last fire at or before t, and false where there is none.
func (c Cron) Last(t time.Time) (time.Time, bool) {
	if c.IsZero() {
		return time.Time{}, false
	}
	last, err := gronx.PrevTickBefore(c.expr, t.UTC(), true)
	if err != nil || last.After(t) {
		return time.Time{}, false
	}
	return last, true
}

// LongestGap gives the longest time between two fires around from and in the
// year after it. Every gap of more than a day holds a midnight, so one look per
// day finds it; shorter gaps are seen in the first day. Zero means that the
// schedule never fires.
func (c Cron) LongestGap(from time.Time) time.Duration {
	var gap time.Duration
	look := func(t time.Time) {
		last, before := c.Last(t)
		next, after := c.Next(t)
		if before && after {
			gap = max(gap, next.Sub(last))
		}
	}
	start := from.UTC().Truncate(day)
	for d := range 366 {
		look(start.Add(time.Duration(d) * day))
	}
	for h := range 24 {
		look(start.Add(time.Duration(h) * time.Hour))
	}
	return gap
}
