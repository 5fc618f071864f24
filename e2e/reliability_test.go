package e2e_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/paistrike/terraform-provider-paistrike/internal/proof"
	"github.com/paistrike/terraform-provider-paistrike/internal/tfcli"
)

// Every test named in the reliability guide exists. Its proof line has the format of `make
// proof` and reports no violation.
func TestReliabilityGuideNamesTestsThatExist(t *testing.T) {
	t.Parallel()
	root, err := tfcli.Repository()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, "templates", "guides", "reliability.md.tmpl"))
	if err != nil {
		t.Fatal(err)
	}
	page := string(text)
	named := regexp.MustCompile(`\bTest[A-Z]\w+`).FindAllString(page, -1)
	if len(named) < 20 {
		t.Fatalf("%d tests are named", len(named))
	}
	there := testsOf(t, root)
	for _, name := range slices.Compact(slices.Sorted(slices.Values(named))) {
		if !there[name] {
			t.Errorf("there is no %s", name)
		}
	}
	shape := strings.NewReplacer("violations=0", "violations=0", "=0/0", `=(\d+)/(\d+)`, "=0", `=\d+`).Replace(proof.Sum{}.String())
	line := regexp.MustCompile(`(?m)^` + shape + `$`).FindStringSubmatch(page)
	if line == nil || line[1] != line[2] {
		t.Errorf("the proof line is %q", line)
	}
}

// Every claim of the threat model names a test that exists.
func TestSecurityGuideNamesTestsThatExist(t *testing.T) {
	t.Parallel()
	root, err := tfcli.Repository()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, "templates", "guides", "security.md.tmpl"))
	if err != nil {
		t.Fatal(err)
	}
	there, rows := testsOf(t, root), 0
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		names := regexp.MustCompile(`\bTest[A-Z]\w+`).FindAllString(line, -1)
		for _, name := range names {
			if !there[name] {
				t.Errorf("there is no %s", name)
			}
		}
		if strings.HasPrefix(line, "| ") && strings.HasSuffix(strings.TrimSpace(cells[len(cells)-1]), "`") || len(names) > 0 {
			rows++
		}
	}
	if rows < 25 {
		t.Errorf("only %d claims name a test", rows)
	}
}

// testsOf returns the names of all tests in the repository's own packages.
func testsOf(t *testing.T, root string) map[string]bool {
	t.Helper()
	declared := regexp.MustCompile(`(?m)^func (Test\w+)\(t \*testing\.T\)`)
	there := map[string]bool{}
	files := os.DirFS(root)
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(name, "_test.go") || entry.IsDir() {
			return err
		}
		source, err := fs.ReadFile(files, name)
		for _, match := range declared.FindAllStringSubmatch(string(source), -1) {
			there[match[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return there
}
