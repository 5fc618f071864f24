package main_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// usage is a rule of CONTRIBUTING.md's English that a machine can check.
type usage struct {
	found  *regexp.Regexp
	except *regexp.Regexp // nil: none
	advice string
}

var usages = []usage{
	{regexp.MustCompile(`(?i)\b(some|any)body\b`), nil, `write "someone", "anyone"`},
	{regexp.MustCompile(`\bgives\b( \w+)?`), regexp.MustCompile(`^gives (up|back|away|in)$`), `write "returns", or say what it does`},
	{regexp.MustCompile(`(?i)(\w+ )?\b(is|are) no\b( \w+)?`), regexp.MustCompile(`(?i)^there |no (longer|more)$`), `write "is not a"`},
	{regexp.MustCompile(`(?i)\b(zero|nil|false|none|empty|negative) where\b`), nil, `write "if" or "when" for a condition; "where" is a place`},
	{regexp.MustCompile(`(?i)\bin case\b|\bthusly\b|\butiliz`), nil, `write "if", "so", "use"`},
}

// faults returns what a text has against the rules, each with advice.
func faults(text string) []string {
	text = strings.Join(strings.Fields(text), " ")
	var all []string
	for _, u := range usages {
		for _, match := range u.found.FindAllString(text, -1) {
			if u.except == nil || !u.except.MatchString(match) {
				all = append(all, strings.TrimSpace(match)+": "+u.advice)
			}
		}
	}
	return all
}

func TestEnglishRules(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"String gives the text.":                          1,
		"Ctrl-C gives up.":                                0,
		"waits until somebody\nasks":                      1,
		"A missing key is no\nerror.":                     1,
		"There is no such token.":                         0,
		"It is no longer there, and there are no others.": 0,
		"Zero where it never expires.":                    1,
		"Tell where it lies.":                             0,
	} {
		if got := faults(text); len(got) != want {
			t.Errorf("%q: %q", text, got)
		}
	}
}

// inEnglish are the folders whose comments keep the rules. What is not listed is still to
// be gone through; a folder is added when it is clean, and none is taken out.
var inEnglish = []string{
	"action", "examples/quickstart", "examples/sandbox", "internal/cli", "internal/entry", "internal/fleet",
	"internal/inert", "internal/input", "internal/job", "internal/notify", "internal/rotation",
	"internal/runner", "internal/sandbox/storeview", "internal/schedule", "internal/secret",
	"internal/store/aws", "internal/store/aws/defaultchain", "internal/store/vault", "internal/tfcli",
	"provider",
}

func TestCommentsAreInEnglish(t *testing.T) {
	t.Parallel()
	read := 0
	for _, folder := range inEnglish {
		files, err := filepath.Glob(filepath.Join(filepath.FromSlash(folder), "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			set := token.NewFileSet()
			tree, err := parser.ParseFile(set, file, nil, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			read += len(tree.Comments)
			for _, group := range tree.Comments {
				complain(t, set.Position(group.Pos()).String(), group)
			}
		}
	}
	if read < 500 {
		t.Errorf("only %d comments were read", read)
	}
}

func complain(t *testing.T, at string, group *ast.CommentGroup) {
	t.Helper()
	for _, fault := range faults(group.Text()) {
		t.Errorf("%s: %s", at, fault)
	}
}

// What the documentation is written from keeps the rules too.
func TestGuidesAreInEnglish(t *testing.T) {
	t.Parallel()
	var files []string
	for _, pattern := range []string{"templates/*.tmpl", "templates/*/*", "docs/decisions/*.md", "ARCHITECTURE.md", "CHANGELOG.md"} {
		found, err := filepath.Glob(filepath.FromSlash(pattern))
		if err != nil || len(found) == 0 {
			t.Fatal(pattern, err)
		}
		files = append(files, found...)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, fault := range faults(string(text)) {
			t.Errorf("%s: %s", file, fault)
		}
	}
}
