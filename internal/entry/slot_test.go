package entry_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
)

func TestSlot(t *testing.T) {
	t.Parallel()
	seen := map[string][3]string{}
	for _, parts := range [][3]string{
		{"uuid", "", "ci/paistrike"}, {"uuid-2", "", "ci/paistrike"}, {"uuid", "admin", "ci/paistrike"}, {"uuid", "", "ci/paistrike2"},
		{"a", "bc", "d"}, {"ab", "c", "d"}, {"a", "b", "cd"}, {"", "abc", "d"}, {"abcd", "", ""}, {"", "", "abcd"}, {"", "", ""},
		{"a", "b\x00", "c"}, {"a", "b", "\x00c"},
	} {
		slot := entry.Slot(parts[0], parts[1], parts[2])
		if len(slot) != 12 || strings.Trim(slot, "abcdefghijklmnopqrstuvwxyz234567") != "" {
			t.Errorf("%q has slot %q", parts, slot)
		}
		if other, taken := seen[slot]; taken {
			t.Errorf("%q and %q share slot %s", parts, other, slot)
		}
		seen[slot] = parts
	}
	// Slots remain in token names and records for years, so they must never change.
	if got := entry.Slot("kv_1234", "admin/team", "ci/paistrike"); got != "u37gx32vv4qz" {
		t.Errorf("slot is %q, and was another in every version before", got)
	}
}

func TestSlotsOfDifferentEntriesDiffer(t *testing.T) {
	t.Parallel()
	part := rapid.StringMatching(`[ab/]{0,3}`)
	rapid.Check(t, func(t *rapid.T) {
		draw := func(label string) [3]string {
			return [3]string{part.Draw(t, label+" uuid"), part.Draw(t, label+" namespace"), part.Draw(t, label+" path")}
		}
		a, b := draw("first"), draw("second")
		if (a == b) != (entry.Slot(a[0], a[1], a[2]) == entry.Slot(b[0], b[1], b[2])) {
			t.Fatalf("%q and %q", a, b)
		}
	})
}
