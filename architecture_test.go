package main_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// chart is the import graph in ARCHITECTURE.md.
type chart struct {
	packages map[string]string // import path to the name in the chart
	drawn    []string          // "a -> b"
	listed   []string          // "a -> b", from the lines "a also imports b, c"
}

var (
	node   = regexp.MustCompile(`(\w+)\[([\w./]+)[^\]]*\]`)
	arrow  = regexp.MustCompile(`(?m)^ +(\w+)(?:\[[^\]]*\])? --> (\w+)(?:\[[^\]]*\])?$`)
	beside = regexp.MustCompile(`(?m)^- (\w+) also imports ([\w, ]+)$`)
)

func readChart(t *testing.T) chart {
	t.Helper()
	text, err := os.ReadFile("ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), "```mermaid\n")
	flow, after, closed := strings.Cut(rest, "```")
	if !found || !closed {
		t.Fatal("ARCHITECTURE.md has no chart")
	}
	c := chart{packages: map[string]string{}}
	for _, match := range node.FindAllStringSubmatch(flow, -1) {
		path := module + "/" + match[2]
		if match[2] == "main.go" {
			path = module
		}
		c.packages[path] = match[1]
	}
	for _, match := range arrow.FindAllStringSubmatch(flow, -1) {
		c.drawn = append(c.drawn, match[1]+" -> "+match[2])
	}
	for _, match := range beside.FindAllStringSubmatch(after, -1) {
		for to := range strings.SplitSeq(match[2], ", ") {
			c.listed = append(c.listed, match[1]+" -> "+to)
		}
	}
	return c
}

// imports returns the packages of the repository, each with the packages of the repository that
// it imports outside of tests.
func imports(t *testing.T) map[string][]string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-f", `{{.ImportPath}}{{range .Imports}} {{.}}{{end}}`, "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	found := map[string][]string{}
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		found[words[0]] = slices.DeleteFunc(words[1:], func(path string) bool {
			return path != module && !strings.HasPrefix(path, module+"/")
		})
	}
	return found
}

// The chart in ARCHITECTURE.md and the list below it contain exactly the imports.
func TestArchitectureShowsTheImports(t *testing.T) {
	t.Parallel()
	c := readChart(t)
	var actual []string
	for from, all := range imports(t) {
		for _, to := range all {
			if c.packages[from] != "" && c.packages[to] != "" {
				actual = append(actual, c.packages[from]+" -> "+c.packages[to])
			}
		}
	}
	slices.Sort(actual)
	said := slices.Sorted(slices.Values(slices.Concat(c.drawn, c.listed)))
	if diff := cmp.Diff(said, actual); diff != "" {
		t.Errorf("ARCHITECTURE.md (-) and the imports (+) differ:\n%s", diff)
	}
}

// helpers are packages only for tests and measurements, which the chart omits.
var helpers = []string{
	"e2e", "e2e/action", "e2e/release", "examples", "examples/ci", "examples/consumers", "examples/internal/storeenv", "examples/quickstart", "examples/sandbox", "internal/bench", "internal/bench/fleetmodel",
	"internal/paistrike/contracttest", "internal/proof", "internal/proof/run", "internal/runner/runnertest", "internal/sandbox/pagetest",
	"internal/testparts", "internal/tfcli",
}

// Every package of the product is in the chart and, except main, in the table.
func TestArchitectureHasEveryPackage(t *testing.T) {
	t.Parallel()
	c := readChart(t)
	text, err := os.ReadFile("ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	for path := range imports(t) {
		name := strings.TrimPrefix(path, module+"/")
		if slices.Contains(helpers, name) {
			continue
		}
		if c.packages[path] == "" {
			t.Errorf("%s is not in the chart", name)
		}
		if path != module && name != "internal/sandbox/storeview" && !strings.Contains(string(text), "\n| `"+name+"` |") {
			t.Errorf("%s is not in the table", name)
		}
	}
	for path := range c.packages {
		folder := filepath.FromSlash("." + strings.TrimPrefix(path, module))
		if _, err := os.Stat(folder); err != nil {
			t.Errorf("the chart has a package that is not there: %v", err)
		}
	}
}

// Every revocation of a token by ID goes through paistrike.End, which requires a warrant: nothing
// else calls Revoke.
func TestEveryRevocationAsksForItsWarrant(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "git", "ls-files", "-co", "--exclude-standard", "*.go").Output()
	if err != nil {
		t.Fatal(err)
	}
	var callers []string
	for _, name := range strings.Fields(string(out)) {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) != 2 { // a context and an ID
				return true
			}
			if method, ok := call.Fun.(*ast.SelectorExpr); ok && method.Sel.Name == "Revoke" {
				callers = append(callers, name)
			}
			return true
		})
	}
	if want := []string{"internal/paistrike/end.go", "internal/rotation/revoke.go"}; !slices.Equal(callers, want) {
		t.Errorf("Revoke is called in %q, want %q: call End", callers, want)
	}
}

// Every file that ARCHITECTURE.md names exists.
func TestArchitectureNamesFilesThatExist(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`((?:internal|provider|action|templates|docs)/[\\w./-]+\\.\\w+)`").FindAllStringSubmatch(string(text), -1)
	if len(named) < 15 {
		t.Fatalf("%d files are named", len(named))
	}
	for _, match := range named {
		if _, err := os.Stat(filepath.FromSlash(match[1])); err != nil {
			t.Errorf("%s is named and not there", match[1])
		}
	}
}

// The resource calls only the engine methods that "The walk of one token" names.
func TestArchitectureNamesTheWalk(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	_, walk, found := strings.Cut(string(text), "\n## The walk of one token\n")
	walk, _, closed := strings.Cut(walk, "A month later")
	_, destroy, last := strings.Cut(string(text), "**`terraform destroy`**")
	destroy, _, ended := strings.Cut(destroy, "\n\n")
	if !found || !closed || !last || !ended {
		t.Fatal("ARCHITECTURE.md has no walk")
	}
	said := map[string]bool{}
	for _, match := range regexp.MustCompile("`Engine\\.([A-Z]\\w*)`").FindAllStringSubmatch(walk+destroy, -1) {
		said[match[1]] = true
	}
	if diff := cmp.Diff(said, enteredBy(t, "refresh", "modify_plan", "plan", "resource", "update")); diff != "" {
		t.Errorf("the walk of ARCHITECTURE.md (-) and the methods of the engine that the resource calls (+) differ:\n%s", diff)
	}
}

// enteredBy returns the engine methods with a context that the given files call.
func enteredBy(t *testing.T, files ...string) map[string]bool {
	t.Helper()
	entered := map[string]bool{}
	for _, name := range files {
		tree, err := parser.ParseFile(token.NewFileSet(), filepath.Join("provider", "api_token_"+name+".go"), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) == 0 {
				return true
			}
			method, ok := call.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			on := ""
			switch x := method.X.(type) {
			case *ast.Ident:
				on = x.Name
			case *ast.SelectorExpr:
				on = x.Sel.Name
			}
			if first, isName := call.Args[0].(*ast.Ident); on == "engine" && isName && first.Name == "ctx" {
				entered[method.Sel.Name] = true
			}
			return true
		})
	}
	return entered
}
