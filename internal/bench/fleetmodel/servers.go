package fleetmodel

import "time"

// line serves one after the other, in the order in which they come.
type line struct {
	gap  time.Duration // between two that are served; 0 for any number at once
	free time.Duration // when the next one is served at the earliest
}

// perSecond is a server that takes so many in a second, evenly spaced; 0 is any number.
func perSecond(n int) line {
	if n == 0 {
		return line{}
	}
	return line{gap: time.Second / time.Duration(n)}
}

// take returns when a request that arrives at a time has been served.
func (l *line) take(at time.Duration) time.Duration { return l.takeFor(at, l.gap) }

// takeFor is the same for one that takes as long as is said.
func (l *line) takeFor(at, long time.Duration) time.Duration {
	l.free = max(l.free, at) + long
	return l.free
}

// minute is how long PAIStrike counts the requests of a token.
const minute = time.Minute

// limit counts the requests of the management token. A window begins with the first
// request after the end of the one before.
type limit struct {
	most    int // 0 is any number
	begins  time.Duration
	count   int
	windows int
}

// admit counts a request, and reports whether it is not one too many.
func (l *limit) admit(at time.Duration) bool {
	if l.most == 0 {
		return true
	}
	if l.windows == 0 || at >= l.begins+minute {
		l.begins, l.count = at, 0
		l.windows++
	}
	if l.count == l.most {
		return false
	}
	l.count++
	return true
}

// full reports whether the window has no request left, and when it ends.
func (l *limit) full(at time.Duration) (bool, time.Duration) {
	ends := l.begins + minute
	return l.most > 0 && l.count == l.most && at < ends, ends
}

// wholeSeconds rounds up, as answers tell times.
func wholeSeconds(d time.Duration) time.Duration {
	return (d + time.Second - 1).Truncate(time.Second)
}

// announcedLater is the time that a client adds to an announced reset, which may be rounded down
// (package paistrike).
const announcedLater = time.Second
