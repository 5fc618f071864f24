package cli

import (
	"os"
	"strconv"
)

// usualWidth is the width assumed for a terminal of unknown width.
const usualWidth = 80

// Width returns the width of a terminal in columns, or 0 if out is not a terminal. The
// variable COLUMNS overrides the terminal's width.
func Width(out *os.File, getenv func(string) string) int {
	if !isTerminal(out) {
		return 0
	}
	if columns, err := strconv.Atoi(getenv("COLUMNS")); err == nil && columns > 0 {
		return columns
	}
	if columns := columnsOf(out); columns > 0 {
		return columns
	}
	return usualWidth
}
