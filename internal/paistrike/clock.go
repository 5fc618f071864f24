package paistrike

import (
	"net/http"
	"sync"
	"time"
)

// ServerTime returns the server's time in UTC, in whole seconds: the Date of the most
// recent response, plus the time since then on this machine's monotonic clock. It returns
// false before the first response. A wrong Date counts only until the next response, so
// the time may also go back.
func (c *Client) ServerTime() (time.Time, bool) { return c.clock.read(c.now()) }

// serverClock is shared by all clients of one server.
type serverClock struct {
	mu   sync.Mutex
	date time.Time // of the most recent response
	seen time.Time // when that response arrived, by this machine's clock
}

// see records the Date of a response that arrived at now. It returns that time, or zero
// without a valid Date.
func (s *serverClock) see(header http.Header, now time.Time) time.Time {
	date, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return time.Time{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.date, s.seen = date.UTC(), now
	return s.date
}

func (s *serverClock) read(now time.Time) (time.Time, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.date.IsZero() {
		return time.Time{}, false
	}
	return s.date.Add(max(now.Sub(s.seen), 0)).Truncate(time.Second), true
}
