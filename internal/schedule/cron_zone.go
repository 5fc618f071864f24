package schedule

import (
	"time"
	_ "time/tzdata" // for machines without their own time zone data
)

// seekLocal is seek for a schedule in a time zone. It iterates over the local days,
// starting one day before t, because a local day may begin before its date in UTC does.
func (c Cron) seekLocal(t time.Time, step int) (time.Time, bool) {
	year, month, day := t.In(c.zone).Date()
	date := time.Date(year, month, day-step, 0, 0, 0, 0, time.UTC)
	for range seekDays {
		if c.onDay(date) {
			for n := range minutesPerDay {
				minute := n
				if step < 0 {
					minute = minutesPerDay - 1 - n
				}
				if !c.onMinute(minute) {
					continue
				}
				at := localTime(date.Add(time.Duration(minute)*time.Minute), c.zone)
				if step > 0 && !at.Before(t) || step < 0 && !at.After(t) {
					return at, true
				}
			}
		}
		date = date.AddDate(0, 0, step)
	}
	return time.Time{}, false
}

// localTime returns the moment at which the clocks of a zone show the same digits as wall
// does in UTC. [time.Date] does not specify its result around a clock change. localTime
// returns the first of two moments, and the moment of the change for a skipped time.
func localTime(wall time.Time, zone *time.Location) time.Time {
	moment := func(near time.Time) (at time.Time, valid bool) {
		_, offset := near.In(zone).Zone()
		at = wall.Add(-time.Duration(offset) * time.Second)
		_, there := at.In(zone).Zone()
		return at, there == offset
	}
	before, validBefore := moment(wall.Add(-Day))
	after, validAfter := moment(wall.Add(Day))
	switch {
	case validBefore && validAfter && after.Before(before), !validBefore && validAfter:
		return after
	case validBefore:
		return before
	}
	change, _ := before.In(zone).ZoneBounds()
	return change.UTC()
}
