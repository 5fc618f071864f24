package testparts

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// Linux reports whether this machine runs Linux.
const Linux = runtime.GOOS == "linux"

// Node returns the path of Node.js, which every action needs.
func Node(t testing.TB) string {
	t.Helper()
	path, err := exec.LookPath("node")
	if err != nil {
		missing(t, "there is no node on PATH")
	}
	return path
}

// Node24 returns the path of the Node.js version that GitHub's runners use for actions.
func Node24(t testing.TB) string {
	t.Helper()
	path := program(t, "node24")
	if path == "" {
		missing(t, "there is no Node 24: `tools/node24` fetches one")
	}
	return path
}

// PathWith returns a PATH on which `node` is the given Node.js.
func PathWith(t testing.TB, node string) string {
	t.Helper()
	folder := t.TempDir()
	if err := os.Symlink(node, filepath.Join(folder, "node")); err != nil {
		t.Fatal(err)
	}
	return folder + string(os.PathListSeparator) + os.Getenv("PATH")
}
