package schedule

import "time"

const testSlot = "k3v7q2m6xtab"

// The token of the stories is created on January 5. The first tick is a day later.
var (
	born      = time.Date(2026, time.January, 5, 9, 0, 0, 0, time.UTC)
	firstTick = born.Add(Day)
)
