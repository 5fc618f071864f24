package e2e_test

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/paistrike/terraform-provider-paistrike/internal/tfcli"
)

// documentation returns every Markdown file for users, by its path in the repository.
func documentation(t *testing.T) map[string]string {
	t.Helper()
	root, err := tfcli.Repository()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, pattern := range []string{"*.md", ".github/*.md", "action/*.md", "action/*/*.md", "examples/*/*.md", "modules/*/*.md", "tools/*.md", "docs/*.md", "docs/*/*.md"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			name, err := filepath.Rel(root, file)
			if err != nil {
				t.Fatal(err)
			}
			all[filepath.ToSlash(name)] = string(raw)
		}
	}
	if len(all) < 30 {
		t.Fatalf("only %d pages were found", len(all))
	}
	return all
}

var (
	linkForm    = regexp.MustCompile(`\]\(([^)\s#]*)(#[^)\s]*)?\)`)
	headingForm = regexp.MustCompile(`(?m)^#{1,6} (.+)$`)
	anchorForm  = regexp.MustCompile(`<a (?:id|name)="([^"]+)"`)
	codeForm    = regexp.MustCompile("(?ms)^```.*?^```$")
	notInAnchor = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// anchors returns the link targets that GitHub and the registry derive from a page's
// headings.
func anchors(page string) map[string]bool {
	found := map[string]bool{}
	for _, match := range anchorForm.FindAllStringSubmatch(page, -1) {
		found[match[1]] = true
	}
	for _, match := range headingForm.FindAllStringSubmatch(codeForm.ReplaceAllString(page, ""), -1) {
		found[strings.ReplaceAll(notInAnchor.ReplaceAllString(strings.ToLower(match[1]), ""), " ", "-")] = true
	}
	return found
}

// Every link into the repository refers to an existing file and heading.
func TestLinksLeadSomewhere(t *testing.T) {
	t.Parallel()
	root, err := tfcli.Repository()
	if err != nil {
		t.Fatal(err)
	}
	all := documentation(t)
	links := 0
	for name, text := range all {
		for _, match := range linkForm.FindAllStringSubmatch(text, -1) {
			target, anchor := match[1], strings.TrimPrefix(match[2], "#")
			if ours, ok := strings.CutPrefix(target, "https://github.com/paistrike/terraform-provider-paistrike/"); ok {
				_, inside, found := strings.Cut(ours, "/main/") // blob/main/ or tree/main/
				if !found {
					continue
				}
				target = inside
			} else if strings.Contains(target, "://") {
				continue
			} else if target == "" {
				target = name
			} else {
				target = path.Join(path.Dir(name), target)
			}
			links++
			if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(target))); err != nil {
				t.Errorf("%s: %s leads nowhere", name, match[0])
			} else if anchor != "" && strings.HasSuffix(target, ".md") && !anchors(all[target])[anchor] {
				t.Errorf("%s: %s leads to no heading", name, match[0])
			}
		}
	}
	if links < 100 {
		t.Errorf("only %d links were found", links)
	}
}

// The registry's front page links to every guide, under the guide's own subcategory.
func TestIndexHasEveryGuide(t *testing.T) {
	t.Parallel()
	all := documentation(t)
	listed := map[string]string{} // guide to subcategory
	subcategory := ""
	for line := range strings.Lines(all["docs/index.md"]) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "**") && strings.HasSuffix(line, "**") {
			subcategory = strings.Trim(line, "*")
		}
		if target, ok := strings.CutPrefix(line, "- ["); ok {
			if match := linkForm.FindStringSubmatch("[" + target); match != nil {
				listed["docs/"+match[1]] = subcategory
			}
		}
	}
	for name, text := range all {
		if !strings.HasPrefix(name, "docs/guides/") {
			continue
		}
		match := regexp.MustCompile(`(?m)^subcategory: "(.+)"$`).FindStringSubmatch(text)
		if match == nil || match[1] != listed[name] {
			t.Errorf("%s is in subcategory %q, and the index lists it under %q", name, match, listed[name])
		}
	}
}

// Examples that require the provider use version constraints that include the next release.
func TestExamplesNameTheVersion(t *testing.T) {
	t.Parallel()
	major, minor, _ := strings.Cut(nextVersion(t), ".")
	minor, _, _ = strings.Cut(minor, ".")
	want := `version = "~> ` + major + "." + minor + `"`
	named := 0
	check := func(name, text string) {
		for _, match := range regexp.MustCompile(`(?s)source\s*=\s*"paistrike/paistrike"(.*?)\}`).FindAllStringSubmatch(text, -1) {
			named++
			if !strings.Contains(match[1], want) {
				t.Errorf("%s does not have %s", name, want)
			}
		}
		for _, match := range regexp.MustCompile(`modules/integrations\?ref=v([0-9.]+)`).FindAllStringSubmatch(text, -1) {
			if match[1] != nextVersion(t) {
				t.Errorf("%s has the module of version %s", name, match[1])
			}
		}
	}
	for name, text := range documentation(t) {
		check(name, text)
	}
	for _, pattern := range []string{"examples/*/*.tf", "examples/*/*/*.tf", "modules/*/*.tf"} {
		files, err := filepath.Glob(filepath.Join("..", filepath.FromSlash(pattern)))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			check(file, string(raw))
		}
	}
	if named < 8 {
		t.Errorf("only %d examples name the provider", named)
	}
}
