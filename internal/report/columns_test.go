package report

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestColumns(t *testing.T) {
	t.Parallel()
	head := []string{"PATH", "WHAT"}
	rows := slices.Values([][]string{{"ci/a", "It lives for long, and nobody uses it."}, {"ci/ä/a-path-without-a-blank", "-"}})
	want := "PATH                         WHAT\n" +
		"ci/a                         It lives for long, and nobody uses it.\n" +
		"ci/ä/a-path-without-a-blank  -\n"
	if got := aligned(head, rows, 0); got != want {
		t.Errorf("any width:\n%s", got)
	}
	want = "PATH             WHAT\n" +
		"ci/a             It lives for\n" +
		"                 long, and\n" +
		"                 nobody uses it.\n" +
		"ci/ä/a-path-wit  -\n" +
		"hout-a-blank\n"
	if got := aligned(head, rows, 32); got != want {
		t.Errorf("32 columns:\n%s", got)
	}
	if got := aligned(head, slices.Values([][]string{}), 80); got != "" {
		t.Errorf("a head alone: %q", got)
	}
}

// On a terminal of 80 columns, no line is wrapped by the terminal.
func TestTablesFitATerminal(t *testing.T) {
	t.Parallel()
	for _, width := range []int{80, 100, 132} {
		for line := range strings.Lines(RotationTable(fleetOf(60), width)) {
			if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > width && strings.Contains(line, "  ") {
				t.Errorf("%d columns of %d: %s", n, width, line)
			}
		}
	}
}
