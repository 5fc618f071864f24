package release_test

import (
	"os/exec"
	"strings"
	"testing"
)

// step runs a step of tools/release that needs no build. It returns stdout and stderr.
func step(t *testing.T, input string, args ...string) (printed, said string, err error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "../../tools/release", args...) //nolint:gosec // our own script
	var words strings.Builder
	cmd.Stdin, cmd.Stderr = strings.NewReader(input), &words
	out, err := cmd.Output()
	return strings.TrimSpace(string(out)), words.String(), err
}

// The tag of a major version points to its highest release. It moves only forward, never to a
// prerelease, and other major versions do not affect it.
func TestMajorTagMovesForwardsOnly(t *testing.T) {
	t.Parallel()
	const published = "v1.2.9\nv1.3.0\nv1.4.0-rc.1\nv2.0.0\nv1\nlatest\n"
	for version, want := range map[string]string{
		"1.3.1": "v1", "1.10.0": "v1", "2.0.1": "v2", "3.0.0": "v3",
		"1.3.0":      "v1", // just published
		"1.2.9":      "",   // a fix of an older minor version
		"1.2.10":     "",
		"1.4.0-rc.2": "",
		"3.0.0-rc.1": "",
	} {
		printed, said, err := step(t, published, "major", version)
		if err != nil || printed != want {
			t.Errorf("%s: moves %q, want %q (%v, %s)", version, printed, want, err, said)
		}
	}
	if printed, _, err := step(t, "", "major", "1.0.0"); err != nil || printed != "v1" {
		t.Errorf("the first release of all: %q, %v", printed, err)
	}
	for _, version := range []string{"v1.0.0", "1.0", "", "1.0.0; true"} {
		if printed, _, err := step(t, published, "major", version); err == nil {
			t.Errorf("%q: moves %q", version, printed)
		}
	}
}

// A version without a released section in the changelog cannot be released.
func TestReleaseNeedsNotes(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"99.0.0", "0.1.0 (Unreleased)"} {
		if printed, said, err := step(t, "", "notes", version); err == nil || !strings.Contains(said, "CHANGELOG.md has no section") {
			t.Errorf("%s: %q, %v, %s", version, printed, err, said)
		}
	}
}
