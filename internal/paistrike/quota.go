package paistrike

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// quota is a response's announcement of the rate limit: how many requests are left, and
// when there are more.
type quota struct {
	left   int
	resets time.Duration // counted from the response
}

const (
	// roundedUp compensates for a server that rounds the time to a reset down to whole
	// seconds.
	roundedUp = time.Second
	// longestWindow caps the time to a reset.
	longestWindow = 24 * time.Hour
	// epochFrom and milliFrom distinguish a reset that is a point in time, in seconds or
	// milliseconds since 1970, from one that is a number of seconds.
	epochFrom = 100_000_000
	milliFrom = 100_000_000_000
)

// readQuota reads the headers that announce a rate limit, in one of three formats: the
// structured fields RateLimit and RateLimit-Policy of
// draft-ietf-httpapi-ratelimit-headers, the fields RateLimit-Remaining and RateLimit-Reset
// of its drafts up to 06, and X-RateLimit-*, in which the reset is a number of seconds or
// a point in time. now is used if the response has no Date. readQuota returns false if
// nothing usable is announced.
func readQuota(header http.Header, now time.Time) (quota, bool) {
	if tightest, ok := structuredQuota(header, now); ok {
		return tightest, true
	}
	for _, prefix := range []string{"RateLimit-", "X-RateLimit-", "X-Rate-Limit-"} {
		left, ok := wholeField(header.Get(prefix + "Remaining"))
		reset, timed := wholeField(header.Get(prefix + "Reset"))
		if ok && timed {
			return quota{int(left), untilReset(reset, header, now)}, true
		}
	}
	return quota{}, false
}

// structuredQuota reads RateLimit. If there are several limits, the one with the fewest
// requests left counts. A limit without a time resets after the window of its policy.
func structuredQuota(header http.Header, now time.Time) (tightest quota, found bool) {
	windows := map[string]int64{}
	for _, policy := range fieldMembers(header, "RateLimit-Policy") {
		windows[policy.name] = policy.number("w")
	}
	for _, limit := range fieldMembers(header, "RateLimit") {
		left, seconds := limit.number("r"), limit.number("t")
		if seconds < 0 {
			seconds = windows[limit.name]
		}
		if left < 0 || seconds <= 0 || found && left >= int64(tightest.left) {
			continue
		}
		tightest, found = quota{int(left), untilReset(seconds, header, now)}, true
	}
	return tightest, found
}

// untilReset interprets a reset: a number of seconds, or a point in time by the server's
// clock.
func untilReset(value int64, header http.Header, now time.Time) time.Duration {
	if value < epochFrom {
		return time.Duration(value)*time.Second + roundedUp
	}
	at := time.Unix(value, 0)
	if value >= milliFrom {
		at = time.UnixMilli(value)
	}
	from, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		from = now
	}
	return min(max(at.Sub(from), 0), longestWindow) + roundedUp
}

// fieldMember is one member of a structured field (RFC 9651): a name and parameters.
type fieldMember struct {
	name       string
	parameters map[string]string
}

// number returns a parameter that is a whole number, or -1 if it is missing.
func (m fieldMember) number(key string) int64 {
	if value, ok := wholeField(m.parameters[key]); ok {
		return value
	}
	return -1
}

// fieldMembers parses a list of items with parameters, such as "default";r=50;t=30. Draft
// 07 uses a dictionary instead (limit=100, remaining=50, reset=30), which is parsed as one
// member without a name.
func fieldMembers(header http.Header, field string) []fieldMember {
	var members []fieldMember
	flat := fieldMember{parameters: map[string]string{}}
	for _, text := range splitField(strings.Join(header.Values(field), ","), ',') {
		parts := splitField(text, ';')
		if len(parts) == 0 {
			continue
		}
		if key, value, isFlat := strings.Cut(parts[0], "="); isFlat && len(parts) == 1 {
			flat.parameters[flatNames[key]] = value
			continue
		}
		member := fieldMember{name: strings.Trim(parts[0], `"`), parameters: map[string]string{}}
		for _, parameter := range parts[1:] {
			key, value, _ := strings.Cut(parameter, "=")
			member.parameters[key] = value
		}
		members = append(members, member)
	}
	if len(flat.parameters) > 0 {
		members = append(members, flat)
	}
	return members
}

// flatNames maps the names of draft 07 to those of the parameters.
var flatNames = map[string]string{"limit": "q", "remaining": "r", "reset": "t"}

// splitField splits text at separators outside of quotes and omits empty parts.
func splitField(text string, separator rune) []string {
	quoted := false
	parts := strings.FieldsFunc(text, func(c rune) bool {
		if c == '"' {
			quoted = !quoted
		}
		return c == separator && !quoted
	})
	kept := parts[:0]
	for _, part := range parts {
		if part = strings.TrimSpace(part); part != "" {
			kept = append(kept, part)
		}
	}
	return kept
}

// wholeField parses a number without a sign, such as "42". Numbers with more than 15
// digits are not those of a rate limit.
func wholeField(text string) (int64, bool) {
	text = strings.TrimSpace(text)
	number, err := strconv.ParseInt(text, 10, 64)
	return number, err == nil && number >= 0 && len(text) <= 15
}
