package main_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	usesLine = regexp.MustCompile(`(?m)^\s*(?:- )?uses: (\S+)(.*)$`)
	pinned   = regexp.MustCompile(`^[\w.-]+/[\w./-]+@[0-9a-f]{40}$`)
)

// A workflow runs only code pinned by its commit, has only the permissions that its jobs request,
// and leaves no credential on disk.
func TestWorkflowsArePinnedAndFrugal(t *testing.T) {
	t.Parallel()
	files := []string{"examples/consumers/vault-action.yml"}
	for _, pattern := range []string{".github/workflows/*.yml", "examples/workflows/*.yml"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) < 3 {
			t.Fatal(found, err)
		}
		files = append(files, found...)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		text := string(raw)
		if !strings.Contains(text, "\npermissions: {}\n") {
			t.Errorf("%s does not begin without rights", file)
		}
		for _, use := range usesLine.FindAllStringSubmatch(text, -1) {
			ours := strings.HasPrefix(use[1], "./")
			if !ours && !pinned.MatchString(use[1]) {
				t.Errorf("%s: %s is not pinned by commit", file, use[1])
			}
			if !ours && !strings.Contains(use[2], " # ") && !strings.HasPrefix(use[1], "paistrike/") {
				t.Errorf("%s: %s does not say which version that is", file, use[1])
			}
		}
		if strings.HasPrefix(file, ".github/") && strings.Count(text, "actions/checkout@") != strings.Count(text, "persist-credentials: false") {
			t.Errorf("%s: a checkout keeps its credential on the disk", file)
		}
	}
}
