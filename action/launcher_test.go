package main

import (
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/testparts"
)

// The launcher's tests run with this machine's Node.js and with the version of GitHub's
// runners. With the latter, none may be skipped on Linux.
func TestLauncher(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/launcher/*.test.js")
	if err != nil || len(files) < 3 {
		t.Fatal(files, err)
	}
	launched := launched(t)
	for name, node := range map[string]func(testing.TB) string{"the Node of PATH": testparts.Node, "Node 24": testparts.Node24} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, node(t), append([]string{"--test", "--test-reporter=tap"}, files...)...) //nolint:gosec // node
			cmd.Env = append(cmd.Environ(), "LAUNCHED="+launched)
			cmd.WaitDelay = 10 * time.Second
			said, err := cmd.CombinedOutput()
			if err != nil {
				t.Errorf("%v\n%s", err, said)
			}
			for line := range strings.Lines(string(said)) {
				if _, why, skipped := strings.Cut(line, "# SKIP "); skipped {
					t.Log("NOT TESTED on this Node:", strings.TrimSpace(why))
					if name == "Node 24" && testparts.Linux {
						t.Error("skipped on the Node of the runners")
					}
				}
			}
		})
	}
}

// launched builds the small program that the tests start.
func launched(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "launched")
	if said, err := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", program, "./testdata/launched").CombinedOutput(); err != nil { //nolint:gosec // fixed arguments
		t.Fatalf("%v\n%s", err, said)
	}
	return program
}
