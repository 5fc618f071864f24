package schedule

import "time"

const testSlot = "k3v7q2m6xtab"

// A token of the stories is made on 5 January; a day later is the first tick.
var (
	born      = time.Date(2026, time.January, 5, 9, 0, 0, 0, time.UTC)
	firstTick = born.Add(Day)
)
