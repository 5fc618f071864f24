package paistrike

import (
	"net/http"
	"sync"
	"time"
)

// ServerTime returns the server's time, in UTC and whole seconds: the Date of the
// most recent answer, and what this machine's monotonic clock has counted since.
// It is false before the first answer. One wrong Date counts until the next answer
// only, so it may also go back.
func (c *Client) ServerTime() (time.Time, bool) { return c.clock.read(c.now()) }

// serverClock is shared by all clients of one server.
type serverClock struct {
	mu   sync.Mutex
	date time.Time // of the most recent answer
	seen time.Time // when that came, by this machine's clock
}

// see takes the Date of an answer that came at now, and returns it, zero if there
// is none.
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
