package schedule

import "time"

// CompactTime is a time in UTC in half the memory of a [time.Time], for data that is kept in
// large numbers. The zero value is not the zero time.
type CompactTime struct{ high, low, nanos uint32 } // halves of the seconds since 1970, and the fraction

// Compact returns a time as a CompactTime. It drops the location.
func Compact(t time.Time) CompactTime {
	seconds := t.Unix()
	return CompactTime{uint32(seconds >> 32), uint32(seconds), uint32(t.Nanosecond())} //nolint:gosec // both halves are kept
}

// Time returns the time, in UTC.
func (c CompactTime) Time() time.Time {
	return time.Unix(int64(c.high)<<32|int64(c.low), int64(c.nanos)).UTC()
}
