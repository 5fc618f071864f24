package schedule_test

import "time"

// firstDay is when the stories begin: Monday, January 5, 2026, at 09:00.
var firstDay = time.Date(2026, time.January, 5, 9, 0, 0, 0, time.UTC)

const day = 24 * time.Hour
