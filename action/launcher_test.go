package main

import (
	"os"
	"os/exec"
	"testing"
)

// node finds Node.js, without which no action starts.
func node(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("node")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("NOT TESTED:", err)
	}
	return path
}

func TestLauncher(t *testing.T) {
	t.Parallel()
	if said, err := exec.CommandContext(t.Context(), node(t), "--test", "launch.test.js").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, said)
	}
}
