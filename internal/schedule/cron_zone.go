package schedule

import (
	"time"
	_ "time/tzdata" // for machines that have no time zone data of their own
)

// seekLocal is seek for a schedule in a time zone: it goes through the local days, from
// one before t because a day may begin before its date in UTC does.
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

// localTime returns the moment at which the clocks of a zone show what wall shows in
// UTC. [time.Date] leaves open which moment it takes around a clock change: here it is
// the first of two, and for a time that is skipped the moment of the change.
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
