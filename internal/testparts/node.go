package testparts

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// Linux reports whether this machine runs what only Linux has.
const Linux = runtime.GOOS == "linux"

// Node returns the Node.js of this machine, without which no action starts.
func Node(t testing.TB) string {
	t.Helper()
	path, err := exec.LookPath("node")
	if err != nil {
		missing(t, "there is no node on PATH")
	}
	return path
}

// Node24 returns the Node.js with which GitHub's runners start actions.
func Node24(t testing.TB) string {
	t.Helper()
	path := program(t, "node24")
	if path == "" {
		missing(t, "there is no Node 24: `tools/node24` fetches one")
	}
	return path
}

// PathWithNode24 is a PATH on which `node` is the Node.js of GitHub's runners.
func PathWithNode24(t testing.TB) string {
	t.Helper()
	folder := t.TempDir()
	if err := os.Symlink(Node24(t), filepath.Join(folder, "node")); err != nil {
		t.Fatal(err)
	}
	return folder + string(os.PathListSeparator) + os.Getenv("PATH")
}
