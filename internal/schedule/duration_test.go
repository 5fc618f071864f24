package schedule_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

func TestParseDuration(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"90d":       90 * day,
		"2160h":     90 * day,
		"36h":       36 * time.Hour,
		"1d12h":     36 * time.Hour,
		"1h30m":     90 * time.Minute,
		"1.5h":      90 * time.Minute,
		"15m":       15 * time.Minute,
		"90m":       90 * time.Minute,
		"1s":        time.Second,
		"1000ms":    time.Second,
		"1d1s":      day + time.Second,
		"007d":      7 * day,
		"36500d":    36500 * day,
		"36499d24h": 36500 * day,
	} {
		if got, err := schedule.ParseDuration(text); err != nil || got != want {
			t.Errorf("%q is %v, %v, want %v", text, got, err, want)
		}
	}
}

func TestParseDurationRefuses(t *testing.T) {
	t.Parallel()
	const shape = ` is not a duration such as "90d", "36h" or "15m"`
	for text, want := range map[string]string{
		"":         `""` + shape,
		"0":        `"0"` + shape,
		"90":       `"90"` + shape,
		"90 d":     `"90 d"` + shape,
		" 90d":     `" 90d"` + shape,
		"90d\n":    `"90d\n"` + shape,
		"-1h":      `"-1h"` + shape,
		"+1h":      `"+1h"` + shape,
		"1.5d":     `"1.5d"` + shape,
		"1d1d":     `"1d1d"` + shape,
		"1d0":      `"1d0"` + shape,
		"1h1d":     `"1h1d"` + shape,
		"1d-1h":    `"1d-1h"` + shape,
		"1w":       `"1w"` + shape,
		"1D":       `"1D"` + shape,
		"never":    `"never"` + shape,
		"9999999d": `"9999999d"` + shape,
		"9999999h": `"9999999h"` + shape, // overflows time.Duration

		"0s":   `"0s" is not a positive duration`,
		"0d":   `"0d" is not a positive duration`,
		"0d0h": `"0d0h" is not a positive duration`,

		"36501d":          `"36501d" is longer than 36500d`,
		"36500d1s":        `"36500d1s" is longer than 36500d`,
		"999999d":         `"999999d" is longer than 36500d`,
		"999999d2500000h": `"999999d2500000h" is longer than 36500d`,

		"1ms":    `"1ms" is not a whole number of seconds`,
		"1d1ns":  `"1d1ns" is not a whole number of seconds`,
		"1.5s":   `"1.5s" is not a whole number of seconds`,
		"1500ms": `"1500ms" is not a whole number of seconds`,
		"1µs":    `"1µs" is not a whole number of seconds`,
	} {
		got, err := schedule.ParseDuration(text)
		if err == nil || err.Error() != want || got != 0 {
			t.Errorf("%q is %v, %v\nwant the error %s", text, got, err, want)
		}
	}
}

func TestFormatDuration(t *testing.T) {
	t.Parallel()
	for want, d := range map[string]time.Duration{
		"90d": 90 * day, "1d": day, "36h": 36 * time.Hour, "25h": 25 * time.Hour, "1h": time.Hour, "20m": 20 * time.Minute,
		"1h30m": 90 * time.Minute, "1h0m1s": time.Hour + time.Second, "1m1s": time.Minute + time.Second, "10s": 10 * time.Second,
		"100h10m": 100*time.Hour + 10*time.Minute, "0s": 0, "2m3.5s": 2*time.Minute + 3500*time.Millisecond,
	} {
		if got := schedule.FormatDuration(d); got != want {
			t.Errorf("%d ns is written %q, want %q", d, got, want)
		}
	}
}

// durations returns durations that a policy can contain: whole seconds up to 100 years,
// often round ones.
func durations() *rapid.Generator[time.Duration] {
	whole := func(unit time.Duration, most int64) *rapid.Generator[time.Duration] {
		return rapid.Map(rapid.Int64Range(1, most), func(n int64) time.Duration { return time.Duration(n) * unit })
	}
	return rapid.OneOf(whole(time.Second, 36500*86400), whole(time.Second, 4000), whole(time.Minute, 4000), whole(time.Hour, 3000), whole(day, 400))
}

func TestDurationRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := durations().Draw(t, "duration")
		text := schedule.FormatDuration(want)
		if got, err := schedule.ParseDuration(text); err != nil || got != want {
			t.Fatalf("%v is written %q and read as %v, %v", want, text, got, err)
		}
	})
}

func FuzzParseDuration(f *testing.F) {
	for _, seed := range []string{"90d", "1d12h", "1h30m", "1d0", "1.5d", "999999d2500000h", "-1h", "1µs", "1e9h", "٣d", "\xffd"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := schedule.ParseDuration(text)
		if err != nil {
			return
		}
		if d < time.Second || d > 36500*day || d%time.Second != 0 {
			t.Fatalf("%q is accepted as %v", text, d)
		}
		again, err := schedule.ParseDuration(schedule.FormatDuration(d))
		if err != nil || again != d {
			t.Fatalf("%q is %v, written %q, and read as %v, %v", text, d, schedule.FormatDuration(d), again, err)
		}
	})
}
