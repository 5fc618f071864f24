package main_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// usage is a rule for English from CONTRIBUTING.md that a regular expression can check.
type usage struct {
	found  *regexp.Regexp
	except *regexp.Regexp // nil if there is no exception
	advice string
}

var usages = []usage{
	{regexp.MustCompile(`(?i)\b(some|any)body\b`), nil, `write "someone", "anyone"`},
	{regexp.MustCompile(`\bgives\b( \w+)?`), regexp.MustCompile(`^gives (up|back|away|in|them|it)$`), `write "returns", or say what it does`},
	{regexp.MustCompile(`(?i)(\w+ )?\b(is|are|was|were) no\b( \w+)?`), regexp.MustCompile(`(?i)^there |no (longer|more|one)$`), `write "is not a"`},
	{regexp.MustCompile(`(?i)(\w+ )?\b(is|are) none\b`), regexp.MustCompile(`(?i)^(there|expires_format) `), `write "is not one of", "for none", or say what it stands for`},
	{regexp.MustCompile(`(?i)(\b(zero|nil|false|true|none|empty|negative)|""|\b\d+) where (it|there|they|this|that|one|the|a|no|nothing|none)\b`), nil, `write "if" or "when" for a condition; "where" is a place`},
	{regexp.MustCompile(`(?i)\bwhere (it|there|they|this|that|one) (is|are|was|has|have|did|does)( (set|given|not|none|no|known))\b`), nil, `write "if" or "when" for a condition; "where" is a place`},
	{regexp.MustCompile(`(?i)\bfor want of\b`), nil, `write "because … is missing"`},
	{regexp.MustCompile(`(?i)\b(goes|go|going) before an?\b`), nil, `write "takes precedence over"`},
	{regexp.MustCompile(`(?i)\b(mends?|mended|mending)\b`), nil, `write "repairs" of data, "fixes" of settings`},
	{regexp.MustCompile(`(?i)\bbears?\b`), nil, `write "has"`},
	{regexp.MustCompile(`(?i)\bsome times\b|\ban?other \w+ than\b`), nil, `write "several", "a different … than"`},
	{regexp.MustCompile(`(?i)(\w+ )?\ball the same\b`), regexp.MustCompile(`(?i)^(is|are|be|stay) `), `write "still" or "anyway"`},
	{regexp.MustCompile(`(?i)\bnot?\b[^.:;,]{0,30} any ?more\b`), nil, `write "no longer"`},
	{regexp.MustCompile(`(?i)\bwhat (may |has )?becomes? of\b|\bis to be had\b|\bthe same holds\b|\blooks? after\b|\bputs? \w+ right\b`), nil, `write "what happens to", "exists", "the same applies", "manages", "corrects"`},
	{regexp.MustCompile(`(?i)\bin the place of\b|\bfor instance\b|\bleft-over`), nil, `write "instead of", "for example", "leftover"`},
	{regexp.MustCompile(`(?i)\b((recogni|organi|initiali|seriali|normali)s[ei]|behaviou|honou|favou|neighbou|licence)\w*`), nil, "write American spelling"},
	{regexp.MustCompile(`(?i)\bin case\b|\bthusly\b|\butiliz|\bupon\b|\bwhilst\b|\bought to\b`), nil, `write "if", "so", "use", "on", "while", "should"`},
	{regexp.MustCompile(`(?i)\bonce more\b|\bin place of\b|\bheed(s|ed|ing)?\b|\bsees? to it\b`), nil, `write "again", "instead of", "obeys", "makes sure"`},
	{regexp.MustCompile(`(?i)\b(be|is|are|was|were|left) as (it|they) stands?\b|\bin the manner of\b|\bbecame of\b`), nil, `write "unchanged", "like", "what happened to"`},
}

// commentUsages apply only to comments: they are about programs, not about people or messages.
var commentUsages = []usage{
	{regexp.MustCompile(`^\w+ (is|are) what\b`), nil, `start with the name and a verb, or with "is the …"`},
	{regexp.MustCompile(`(?i)\b(tells?|says?) whether\b`), nil, `write "reports whether"`},
}

// faults returns the violations of rules in a text, each with advice.
func faults(text string, rules []usage) []string {
	text = strings.Join(strings.Fields(text), " ")
	var all []string
	for _, u := range rules {
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
		"the default where it is not set":                 1,
		"refused for want of permission":                  1,
		"It goes before an environment variable.":         1,
		"mode is none of mint, read":                      1,
		"The mirror is mended.":                           1,
		"A bearer token.":                                 0,
		"It is sent all the same.":                        1,
		"These are all the same.":                         0,
		"It does not work any more.":                      1,
		"There is no such token, or any more than one.":   0,
		"What becomes of it is recognised.":               2,
		"a role in the place of a key, for instance":      2,
		"It runs once more in place of the other.":        2,
		"Other text is left as it stands.":                1,
	} {
		if got := faults(text, usages); len(got) != want {
			t.Errorf("%q: %q", text, got)
		}
	}
	for text, want := range map[string]int{
		"Limit is what a server allows.":                                  1,
		"columns are what\nbounds the fleets.":                            1,
		"isOpen tells whether\nthe entry is open":                         1,
		"It is what a server allows, and reports whether that is enough.": 1,
		"Limit is the number of requests. This is what a server allows.":  0,
	} {
		if got := faults(text, commentUsages); len(got) != want {
			t.Errorf("%q: %q", text, got)
		}
	}
}

// goFiles returns the Go files outside of test data.
func goFiles(t *testing.T) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); path != "." && (name == "testdata" || name == "bin" || strings.HasPrefix(name, ".")) {
				return filepath.SkipDir
			}
			return nil
		}
		if strings.HasSuffix(path, ".go") {
			files = append(files, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// All comments follow the rules, and so do all string literals outside of tests. Tests quote
// violations.
func TestCodeIsInEnglish(t *testing.T) {
	t.Parallel()
	var read, ofTests int
	for _, file := range goFiles(t) {
		isTest := strings.HasSuffix(file, "_test.go")
		set := token.NewFileSet()
		tree, err := parser.ParseFile(set, file, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		read += len(tree.Comments)
		if isTest {
			ofTests += len(tree.Comments)
		}
		for _, group := range tree.Comments {
			complain(t, set.Position(group.Pos()), group.Text(), slices.Concat(usages, commentUsages))
		}
		if isTest {
			continue
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			if text, ok := n.(*ast.BasicLit); ok && text.Kind == token.STRING && strings.Contains(text.Value, " ") {
				complain(t, set.Position(text.Pos()), text.Value, usages)
			}
			return true
		})
	}
	if read < 5500 || ofTests < 2000 {
		t.Errorf("only %d comments were read, %d of them of tests", read, ofTests)
	}
}

func complain(t *testing.T, at token.Position, text string, rules []usage) {
	t.Helper()
	for _, fault := range faults(text, rules) {
		t.Errorf("%s: %s", at, fault)
	}
}

// The sources of the documentation follow the rules.
func TestGuidesAreInEnglish(t *testing.T) {
	t.Parallel()
	var files []string
	for _, pattern := range []string{"templates/*.tmpl", "templates/*/*", "docs/decisions/*.md", "*.md", "action/*.md", "action/*/*.md", "tools/*.md", "examples/*/*.md"} {
		found, err := filepath.Glob(filepath.FromSlash(pattern))
		if err != nil || len(found) == 0 {
			t.Fatal(pattern, err)
		}
		files = append(files, found...)
	}
	for _, file := range files {
		if file == "CONTRIBUTING.md" { // it quotes violations
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, fault := range faults(string(text), usages) {
			t.Errorf("%s: %s", file, fault)
		}
	}
}
