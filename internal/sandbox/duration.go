package sandbox

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// textDuration is a duration in its JSON form: "36h", "1m30s" or, in whole days of 24 hours,
// "90d".
type textDuration time.Duration

// MarshalJSON writes the format of [time.Duration.String] ("2160h0m0s").
func (d textDuration) MarshalJSON() ([]byte, error) {
	return json.Marshal(time.Duration(d).String())
}

// UnmarshalJSON accepts the format of [time.ParseDuration] or whole days.
func (d *textDuration) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return fmt.Errorf("a duration is a text such as %q or %q: %w", "36h", "90d", err)
	}
	parsed, err := parseDuration(text)
	if err != nil {
		return err
	}
	*d = textDuration(parsed)
	return nil
}

func parseDuration(text string) (time.Duration, error) {
	days, found := strings.CutSuffix(text, "d")
	if !found {
		return time.ParseDuration(text)
	}
	const most = int64((1<<63 - 1) / (24 * time.Hour))
	n, err := strconv.ParseInt(days, 10, 64)
	if err != nil || n > most || n < -most {
		return 0, fmt.Errorf("%q is not a number of days", text)
	}
	return time.Duration(n) * 24 * time.Hour, nil
}
