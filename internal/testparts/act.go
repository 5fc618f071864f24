package testparts

import (
	"os/exec"
	"testing"
)

// Act returns the path of act, which runs GitHub workflows locally.
func Act(t testing.TB) string {
	t.Helper()
	if path := program(t, "act"); path != "" {
		return path
	}
	path, err := exec.LookPath("act")
	if err != nil {
		missing(t, "there is no act: `make tools` builds one")
	}
	return path
}
