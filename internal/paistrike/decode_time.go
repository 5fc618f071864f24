package paistrike

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// expiryNames returns the field names that services use for a token's expiry.
func expiryNames() []string {
	return []string{
		"expires_at", "expires", "expiry", "expires_on", "expiration", "expiration_date", "expiration_time", "expiry_date", "expired_at", "valid_to", "valid_until",
	}
}

// lastUsedNames returns the field names that services use for a token's last use.
func lastUsedNames() []string {
	return []string{"last_used_at", "last_used", "last_used_on", "last_used_date", "last_used_time", "last_use", "last_connection_date"}
}

// says reports whether one of the named fields is present, including null.
func (o object) says(names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool { _, said := o[name]; return said })
}

// time returns the first of the named fields that contains a time. If no field contains a
// time, it returns zero and true. If a field could not be decoded, it returns zero and
// false.
func (o object) time(names ...string) (time.Time, bool) {
	readable := true
	for _, name := range names {
		t, ok := readTime(o[name])
		if ok && !t.IsZero() {
			return t, true
		}
		readable = readable && ok
	}
	return time.Time{}, readable
}

// readTime decodes the formats in which services write a time: RFC 3339, without a zone
// (UTC), a date (its first instant in UTC, the cautious reading of an expiry), and seconds
// or milliseconds since 1970. null, "", 0 and "Never" mean no time.
func readTime(value any) (time.Time, bool) {
	switch value := value.(type) {
	case nil:
		return time.Time{}, true
	case json.Number:
		return epoch(value.String())
	case string:
		return textTime(strings.TrimSpace(value))
	}
	return time.Time{}, false
}

func textTime(text string) (time.Time, bool) {
	switch strings.ToLower(text) {
	case "", "never", "none", "null":
		return time.Time{}, true
	}
	for _, layout := range []string{
		time.RFC3339, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05", "2006-01-02T15:04",
		"2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05 Z0700", "2006-01-02 15:04:05 MST", "2006-01-02 15:04:05",
		"2006-01-02 15:04", time.DateOnly,
	} {
		if t, err := time.Parse(layout, text); err == nil && knownZone(t) {
			return t.UTC(), true
		}
	}
	return epoch(text)
}

// knownZone rejects zone names that Go does not know and would read as UTC.
func knownZone(t time.Time) bool {
	name, offset := t.Zone()
	return offset != 0 || name == "" || name == "UTC" || name == "GMT"
}

// epoch parses seconds since 1970, or milliseconds if seconds would be after the year
// 5000.
func epoch(text string) (time.Time, bool) {
	seconds, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil || math.IsNaN(seconds) || seconds < 0 || seconds >= 1e14:
		return time.Time{}, false
	case seconds == 0:
		return time.Time{}, true
	case seconds >= 1e11:
		seconds /= 1000
	}
	whole, fraction := math.Modf(seconds)
	return time.Unix(int64(whole), int64(fraction*1e9)).UTC(), true
}
