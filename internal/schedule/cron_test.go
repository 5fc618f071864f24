package schedule_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

// cron parses a schedule that is known to be valid.
func cron(t interface {
	Helper()
	Fatal(args ...any)
}, expr string,
) schedule.Cron {
	t.Helper()
	c, err := schedule.ParseCron(expr)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// schedules contain every form, with leap days, short months and both day fields.
var schedules = []string{
	"* * * * *", "*/15 * * * *", "20/15 * * * *", "5,50 * * * *", "0-10/3 * * * *", "59 23 * * *", "0 0 * * *", "17 3 * * *",
	"17 3 * * 1", "17 3 * * 0", "17 3 * * 7", "17 3 * * MON", "17 3 * * mon-fri", "0 9 * * 1-5", "0 9 * * 5-7", "0 0 * * 6,0",
	"30 2 1 * *", "0 12 15 * *", "0 0 29 * *", "0 0 30 * *", "0 0 31 * *", "0 0 28-31 * *", "59 23 31 12 *", "0 0 1 1 *",
	"0 0 29 2 *", "0 0 29 FEB *", "0 0 30 2 MON", "0 0 29 2 7", "0 0 1 */3 *", "0 6 1 JAN,APR,JUL,OCT *", "0 0 1 2-11/3 *",
	"0 0 1 * 1", "0 0 13 * 5", "0 0 1,15 * 0", "0 0 1-7 6 1", "0 0 */2 * *", "0 0 * * */2", "0 0 */10 2 *", "7 */5 * * *", "0 22-23,0-4/2 * * *",
	"* 3 * 2 *", "1-59/2 * 31 1-12/2 *", "0 0 * 12 SAT", "05 04 03 02 *",
}

// Every fire of five years with two leap days, in both directions.
func TestCronAgreesWithEveryMinute(t *testing.T) {
	t.Parallel()
	start := time.Date(2024, time.January, 1, 0, 0, 0, 0, time.UTC)
	for _, expr := range schedules {
		t.Run(expr, func(t *testing.T) {
			t.Parallel()
			fires := newOracle(expr).fires(start, 5*365+2)
			if len(fires) < 2 {
				t.Fatalf("%d fires tell nothing", len(fires))
			}
			agree(t, cron(t, expr), start, fires, 1+len(fires)/50_000)
		})
	}
}

func TestCronAgreesWithEveryMinuteOfAnySchedule(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		expr := expressions().Draw(t, "schedule")
		start := time.Date(2024, time.January, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 2000).Draw(t, "day"))
		fires := newOracle(expr).fires(start, 400)
		agree(t, cron(t, expr), start, fires, 1+len(fires)/2000)
	})
}

// agree checks each fire, or each stride-th of them.
func agree(t interface {
	Helper()
	Fatalf(format string, args ...any)
}, c schedule.Cron, start time.Time, fires []int, stride int,
) {
	t.Helper()
	at := func(i int) time.Time { return start.Add(time.Duration(fires[i]) * time.Minute) }
	for i := stride; i < len(fires); i += stride {
		before, fire := at(i-1), at(i)
		for _, from := range []time.Time{before, before.Add(59 * time.Second), before.Add(fire.Sub(before) / 2), fire.Add(-1)} {
			if next, ok := c.Next(from); !ok || !next.Equal(fire) {
				t.Fatalf("%s after %v is %v, %t, want %v", c, from, next, ok, fire)
			}
			if last, ok := c.Last(from); !ok || !last.Equal(before) {
				t.Fatalf("%s before %v is %v, %t, want %v", c, from, last, ok, before)
			}
		}
	}
}

func TestCronInAnotherZone(t *testing.T) {
	t.Parallel()
	// 02:30 does not exist in Berlin on that night, which does not affect UTC.
	c := cron(t, "30 2 * * *")
	berlin := time.FixedZone("CEST", 2*60*60)
	next, ok := c.Next(time.Date(2026, time.March, 29, 4, 29, 0, 0, berlin))
	if want := time.Date(2026, time.March, 29, 2, 30, 0, 0, time.UTC); !ok || next != want {
		t.Errorf("next is %v, want %v", next, want)
	}
	last, ok := c.Last(time.Date(2026, time.March, 29, 4, 29, 0, 0, berlin))
	if want := time.Date(2026, time.March, 28, 2, 30, 0, 0, time.UTC); !ok || last != want {
		t.Errorf("last is %v, want %v", last, want)
	}
}

func TestCronAcrossEightYearsWithoutALeapDay(t *testing.T) {
	t.Parallel()
	c := cron(t, "0 0 29 2 *")
	before, after := time.Date(2096, time.February, 29, 0, 0, 0, 0, time.UTC), time.Date(2104, time.February, 29, 0, 0, 0, 0, time.UTC)
	if next, ok := c.Next(before); !ok || next != after {
		t.Errorf("next is %v, %t, want %v", next, ok, after)
	}
	if last, ok := c.Last(after.Add(-1)); !ok || last != before {
		t.Errorf("last is %v, %t, want %v", last, ok, before)
	}
}

func TestCronThatNeverFires(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, time.January, 5, 9, 0, 0, 0, time.UTC)
	for _, expr := range []string{"0 0 31 2 *", "0 0 30 2 *", "0 0 30,31 FEB *", "0 0 31 4,6,9,11 *", ""} {
		var c schedule.Cron // the zero value does not fire
		if expr != "" {
			c = cron(t, expr)
		}
		next, ok := c.Next(now)
		last, okLast := c.Last(now)
		if gap := c.LongestGap(now); ok || okLast || gap != 0 {
			t.Errorf("%q fires at %v and %v, with gaps of %v", expr, last, next, gap)
		}
	}
}

func TestCronText(t *testing.T) {
	t.Parallel()
	c := cron(t, " 17  3\t* *  Mon ")
	if c.String() != "17 3 * * Mon" || c.IsZero() {
		t.Errorf("%q, %t", c, c.IsZero())
	}
	if zero := (schedule.Cron{}); zero.String() != "" || !zero.IsZero() {
		t.Errorf("%q, %t", zero, zero.IsZero())
	}
}

func TestParseCronRefuses(t *testing.T) {
	t.Parallel()
	fields := func(text, count string) string {
		return text + " has " + count + " fields, a schedule has 5: minute, hour, day of month, month, day of week (UTC)"
	}
	for expr, want := range map[string]string{
		"":                      fields(`""`, "0"),
		"@daily":                fields(`"@daily"`, "1"),
		"0 0 * *":               fields(`"0 0 * *"`, "4"),
		"0 0 0 * * *":           fields(`"0 0 0 * * *"`, "6"),
		"0 0 * * * 2026":        fields(`"0 0 * * * 2026"`, "6"),
		"TZ=UTC 0 0 * * *":      fields(`"TZ=UTC 0 0 * * *"`, "6"),
		"TZ=0 0 * * *":          `schedule "TZ=0 0 * * *": "TZ=0" is not a valid minute`,
		"CRON_TZ=UTC 0 * * *":   `schedule "CRON_TZ=UTC 0 * * *": "CRON_TZ=UTC" is not a valid minute`,
		"60 * * * *":            `schedule "60 * * * *": "60" is not a valid minute`,
		"-1 * * * *":            `schedule "-1 * * * *": "-1" is not a valid minute`,
		"MON 0 * * *":           `schedule "MON 0 * * *": "MON" is not a valid minute`,
		"0 24 * * *":            `schedule "0 24 * * *": "24" is not a valid hour`,
		"0 0 0 * *":             `schedule "0 0 0 * *": "0" is not a valid day of month`,
		"0 0 32 * *":            `schedule "0 0 32 * *": "32" is not a valid day of month`,
		"0 0 1-40 * *":          `schedule "0 0 1-40 * *": "40" is not a valid day of month`,
		"0 0 L * *":             `schedule "0 0 L * *": "L" is not a valid day of month`,
		"0 0 15W * *":           `schedule "0 0 15W * *": "15W" is not a valid day of month`,
		"0 0 ? * *":             `schedule "0 0 ? * *": "?" is not a valid day of month`,
		"0 0 * 0 *":             `schedule "0 0 * 0 *": "0" is not a valid month`,
		"0 0 * 13 *":            `schedule "0 0 * 13 *": "13" is not a valid month`,
		"0 0 * 11,99 *":         `schedule "0 0 * 11,99 *": "99" is not a valid month`,
		"0 0 * SUN *":           `schedule "0 0 * SUN *": "SUN" is not a valid month`,
		"0 0 * JANUARY *":       `schedule "0 0 * JANUARY *": "JANUARY" is not a valid month`,
		"0 0 * * 8":             `schedule "0 0 * * 8": "8" is not a valid day of week`,
		"0 0 * * JAN":           `schedule "0 0 * * JAN": "JAN" is not a valid day of week`,
		"0 0 * * 5L":            `schedule "0 0 * * 5L": "5L" is not a valid day of week`,
		"0 0 * * 5#3":           `schedule "0 0 * * 5#3": "5#3" is not a valid day of week`,
		"0 0 * * ?":             `schedule "0 0 * * ?": "?" is not a valid day of week`,
		", * * * *":             `schedule ", * * * *": "" is not a valid minute`,
		"1,,2 * * * *":          `schedule "1,,2 * * * *": "" is not a valid minute`,
		"1, * * * *":            `schedule "1, * * * *": "" is not a valid minute`,
		"*-5 * * * *":           `schedule "*-5 * * * *": "*-5" is not a valid minute`,
		"5-* * * * *":           `schedule "5-* * * * *": "5-*" is not a valid minute`,
		"1-2-3 * * * *":         `schedule "1-2-3 * * * *": "1-2-3" is not a valid minute`,
		"1/2/3 * * * *":         `schedule "1/2/3 * * * *": "1/2/3" is not a valid minute`,
		"*/ * * * *":            `schedule "*/ * * * *": "*/" is not a valid minute`,
		"/5 * * * *":            `schedule "/5 * * * *": "/5" is not a valid minute`,
		"010 * * * *":           `schedule "010 * * * *": "010" is not a valid minute`,
		"1.5 * * * *":           `schedule "1.5 * * * *": "1.5" is not a valid minute`,
		"*/0 * * * *":           `schedule "*/0 * * * *": the step of minute "*/0" is not between 1 and 59`,
		"*/60 * * * *":          `schedule "*/60 * * * *": the step of minute "*/60" is not between 1 and 59`,
		"5-2 * * * *":           `schedule "5-2 * * * *": minute "5-2" runs backwards`,
		"0 22-2 * * *":          `schedule "0 22-2 * * *": hour "22-2" runs backwards`,
		"0 0 * * FRI-SUN":       `schedule "0 0 * * FRI-SUN": day of week "FRI-SUN" runs backwards`,
		"0 0 * * 7-2":           `schedule "0 0 * * 7-2": day of week "7-2" runs backwards`,
		"0 0 * * 7/2":           `schedule "0 0 * * 7/2": day of week "7/2" runs backwards`,
		"0 0 */2 * 1":           `schedule "0 0 */2 * 1": schedulers disagree on day of month */2 with day of week 1: make one of them *, or list the days`,
		"0 0 1 * */2":           `schedule "0 0 1 * */2": schedulers disagree on day of month 1 with day of week */2: make one of them *, or list the days`,
		"0 0 */2 * */2":         `schedule "0 0 */2 * */2": schedulers disagree on day of month */2 with day of week */2: make one of them *, or list the days`,
		"0 0 1 * 5,*":           `schedule "0 0 1 * 5,*": schedulers disagree on day of month 1 with day of week 5,*: make one of them *, or list the days`,
		"0 0 1 * \u0661":        "schedule \"0 0 1 * \u0661\": \"\u0661\" is not a valid day of week",
		"\xff 0 1 * 1":          `schedule "\xff 0 1 * 1": "\xff" is not a valid minute`,
		strings.Repeat("* ", 9): fields(`"* * * * * * * * * "`, "9"),
	} {
		c, err := schedule.ParseCron(expr)
		if err == nil || err.Error() != want || !c.IsZero() {
			t.Errorf("%q is %q, %v\nwant the error %s", expr, c, err, want)
		}
	}
}

func TestLongestGap(t *testing.T) {
	t.Parallel()
	for expr, want := range map[string]time.Duration{
		"* * * * *":      time.Minute,
		"*/15 * * * *":   15 * time.Minute,
		"5,50 * * * *":   45 * time.Minute,
		"0-2 * * * *":    58 * time.Minute,
		"0 * * * *":      time.Hour,
		"0 9-17 * * *":   16 * time.Hour,
		"0 9-17 * * 1-5": 64 * time.Hour, // over the weekend
		"17 3 * * *":     day,
		"17 3 * * 1":     7 * day,
		"0 0 1 * *":      31 * day,
		"0 0 31 * *":     61 * day, // from August to October
		"0 0 1 1 *":      366 * day,
		"0 0 29 2 *":     (4*365 + 1) * day,
		"0 0 1 * 1":      7 * day,
	} {
		if got := cron(t, expr).LongestGap(firstDay); got != want {
			t.Errorf("%s pauses for %v at most, want %v", expr, got, want)
		}
	}
}

func TestLongestGapAgreesWithEveryMinute(t *testing.T) {
	t.Parallel()
	const years28 = 28*365 + 7
	for _, expr := range []string{"0 0 * 1 1", "30 4 29 2 *", "0 0 31 * *", "7,53 9-17 * 6 1-5", "0 0 29 2 0", "0 12 13 * 5", "0 0 30 1,3 *"} {
		got, want := cron(t, expr).LongestGap(firstDay), longestGap(newOracle(expr).fires(firstDay.Truncate(day), years28+2*366))
		if got != want {
			t.Errorf("%s pauses for %v at most, want %v", expr, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		expr := expressions().Draw(t, "schedule")
		got, seen := cron(t, expr).LongestGap(firstDay), longestGap(newOracle(expr).fires(firstDay, 400))
		if got < seen {
			t.Fatalf("%s pauses for %v at most, and a pause of %v was seen", expr, got, seen)
		}
	})
}

func FuzzParseCron(f *testing.F) {
	for _, seed := range append([]string{"TZ=0 * * * *", "*/0 * * * *", "0 0 31 2 *", "0 0 */2 * 1", "0 0 L * 5#3", "99-1/0 * * * *", "0 0 * * 7/2", "@daily"}, schedules...) {
		f.Add(seed, firstDay.Unix())
	}
	f.Add("* * * * *", int64(-62135596800)) // the zero time
	f.Add("0 0 29 2 *", int64(253402300799))
	f.Fuzz(func(t *testing.T, expr string, seconds int64) {
		c, err := schedule.ParseCron(expr)
		if err != nil {
			return
		}
		if again, err := schedule.ParseCron(c.String()); err != nil || again != c {
			t.Fatalf("%q is read as %q, and that as %q, %v", expr, c, again, err)
		}
		o, now := newOracle(c.String()), time.Unix(seconds%253402300799, 0)
		next, ok := c.Next(now)
		last, okLast := c.Last(now)
		if ok != okLast || ok != (c.LongestGap(firstDay) > 0) {
			t.Fatalf("%s fires after %v: %t, before: %t, pauses for %v", c, now, ok, okLast, c.LongestGap(firstDay))
		}
		if !ok {
			return
		}
		if !next.After(now) || !o.at(next) || last.After(now) || !o.at(last) {
			t.Fatalf("%s fires at %v and %v around %v", c, last, next, now)
		}
		if after, _ := c.Next(last); !after.Equal(next) {
			t.Fatalf("%s fires at %v, and between %v and %v too", c, after, last, next)
		}
	})
}
