package sandbox

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"
)

// Values of [Policy.RateHeaders].
const (
	// RateStructured selects the fields RateLimit and RateLimit-Policy of
	// draft-ietf-httpapi-ratelimit-headers.
	RateStructured = "structured"
	// RateFields selects RateLimit-Limit, -Remaining and -Reset of its drafts up to 06.
	RateFields = "fields"
	// RateX selects X-RateLimit-Limit, -Remaining and -Reset, the reset in seconds since
	// 1970.
	RateX = "x"
)

// window counts a token's requests in the current minute.
type window struct {
	start time.Time
	count int
}

// budget is the remainder of a token's requests in its minute.
type budget struct {
	limit, left int
	resets      time.Time
	refused     bool
}

// admit counts a request of the token, unless the token has reached its limit.
func (s *store) admit(id string, now time.Time, p Policy) budget {
	if p.RatePerMinute == 0 {
		return budget{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.windows[id]
	if now.Sub(w.start) >= time.Minute || now.Before(w.start) {
		w = window{start: now}
	}
	refused := w.count >= p.RatePerMinute
	if !refused {
		w.count++
	}
	s.windows[id] = w
	return budget{limit: p.RatePerMinute, left: p.RatePerMinute - w.count, resets: w.start.Add(time.Minute), refused: refused}
}

// tell announces a budget in the headers that the policy selects.
func (b budget) tell(header http.Header, now time.Time, form string) {
	seconds := int(math.Ceil(b.resets.Sub(now).Seconds()))
	if b.refused {
		header.Set("Retry-After", strconv.Itoa(seconds))
	}
	if b.limit == 0 {
		return
	}
	fields := func(prefix string, reset int64) {
		header.Set(prefix+"Limit", strconv.Itoa(b.limit))
		header.Set(prefix+"Remaining", strconv.Itoa(b.left))
		header.Set(prefix+"Reset", strconv.FormatInt(reset, 10))
	}
	switch form {
	case RateStructured:
		header.Set("RateLimit-Policy", fmt.Sprintf(`"minute";q=%d;w=60`, b.limit))
		header.Set("RateLimit", fmt.Sprintf(`"minute";r=%d;t=%d`, b.left, seconds))
	case RateFields:
		fields("RateLimit-", int64(seconds))
	case RateX:
		fields("X-RateLimit-", b.resets.Unix())
	}
}
