package schedule

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Never is the user's notation for a token without an expiry.
const Never = "never"

// Day is 24 hours. Durations are lengths of time, not calendar days.
const Day = 24 * time.Hour

// The longest accepted duration is about 100 years, far below the overflow of
// time.Duration, so that sums of durations do not overflow.
const (
	longestDays = 36500
	longest     = longestDays * Day
)

// durationPattern matches days, followed by the syntax of [time.ParseDuration] except a
// bare 0.
var durationPattern = regexp.MustCompile(`^(?:([0-9]{1,6})d)?([0-9][0-9a-zµ.]*[a-z])?$`)

// ParseDuration parses a positive duration such as "90d", "36h", "1d12h" or "15m": whole
// days, followed by the syntax of [time.ParseDuration]. One day is 24 hours. Zero,
// negative and overlong values are errors.
func ParseDuration(text string) (time.Duration, error) {
	groups := durationPattern.FindStringSubmatch(text)
	if groups == nil || text == "" {
		return 0, fmt.Errorf("%q is not a duration such as \"90d\", \"36h\" or \"15m\"", text)
	}
	var total time.Duration
	if groups[1] != "" {
		days, err := strconv.Atoi(groups[1])
		if err != nil {
			return 0, fmt.Errorf("%q is not a duration: %w", text, err)
		}
		total = time.Duration(min(days, longestDays+1)) * Day
	}
	if groups[2] != "" {
		rest, err := time.ParseDuration(groups[2])
		if err != nil {
			return 0, fmt.Errorf("%q is not a duration such as \"90d\", \"36h\" or \"15m\"", text)
		}
		total += min(rest, longest+Day)
	}
	switch {
	case total <= 0:
		return 0, fmt.Errorf("%q is not a positive duration", text)
	case total > longest:
		return 0, fmt.Errorf("%q is longer than 36500d", text)
	case total%time.Second != 0:
		return 0, fmt.Errorf("%q is not a whole number of seconds", text)
	}
	return total, nil
}

// FormatDuration formats a duration for [ParseDuration], in days if it is a whole number
// of days: "90d", "36h", "1h30m".
func FormatDuration(d time.Duration) string {
	if d > 0 && d%Day == 0 {
		return strconv.Itoa(int(d/Day)) + "d"
	}
	text := d.String()
	text, cut := strings.CutSuffix(text, "m0s")
	if cut {
		text += "m"
	}
	if shorter, cut := strings.CutSuffix(text, "h0m"); cut {
		text = shorter + "h"
	}
	return text
}
