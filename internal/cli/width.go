package cli

import (
	"os"
	"strconv"
)

// usualWidth is that of a terminal that does not tell.
const usualWidth = 80

// Width returns how many columns a terminal has, and 0 if out is not a terminal. The variable
// COLUMNS overrides what the terminal says.
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
