package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// What ships stays small: a runner downloads the action's program for each job that has
// no cache.
func TestSizesOfWhatShips(t *testing.T) {
	t.Parallel()
	for pkg, most := range map[string]int64{".": 27, "./action": 12} {
		t.Run(pkg, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "program")
			cmd := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", file, pkg) //nolint:gosec // fixed arguments
			cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
			if said, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, said)
			}
			info, err := os.Stat(file)
			if err != nil {
				t.Fatal(err)
			}
			megabytes := float64(info.Size()) / 1e6
			t.Logf("%s is %.1f MB of at most %d", pkg, megabytes, most)
			if info.Size() > most*1e6 {
				t.Errorf("%s is %.1f MB, want at most %d", pkg, megabytes, most)
			}
		})
	}
}
