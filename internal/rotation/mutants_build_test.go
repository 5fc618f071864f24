package rotation_test

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// mutantVariable is the environment variable with the name of the rule that a program of
// [buildMutants] breaks.
const mutantVariable = "PAISTRIKE_MUTANT"

// buildMutants builds the tests of this package once, with every mutant in them: each
// function that a mutant changes begins with a choice between itself and a changed copy.
// It returns the path of the program.
func buildMutants(t *testing.T, mutants []mutant) string {
	t.Helper()
	dir := t.TempDir()
	replace := map[string]string{}
	place := func(original, name, text string) {
		original, err := filepath.Abs(original)
		if err != nil {
			t.Fatal(err)
		}
		replace[original] = filepath.Join(dir, name)
		if err := os.WriteFile(replace[original], []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for file, list := range byFile(mutants) {
		packageName, text := schema(t, file, list)
		place(file, strings.ReplaceAll(file, "/", "_"), text)
		place(filepath.Join(filepath.Dir(file), "broken_rule.go"), packageName+"_broken_rule.go",
			fmt.Sprintf("package %s\n\nimport \"os\"\n\nvar brokenRule = os.Getenv(%q)\n", packageName, mutantVariable))
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	list, program := filepath.Join(dir, "overlay.json"), filepath.Join(dir, "mutants.test")
	if err := os.WriteFile(list, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	//nolint:gosec // fixed arguments and files of this test's own folder
	output, err := exec.CommandContext(t.Context(), "go", "test", "-c", "-vet=off", "-overlay", list, "-o", program, ".").CombinedOutput()
	if err != nil {
		t.Fatalf("the mutants do not compile: %v\n%s", err, output)
	}
	return program
}

// byFile groups mutants by the file that they change. The number of a mutant in the whole
// list is part of the name of its copy.
func byFile(mutants []mutant) map[string]map[int]mutant {
	files := map[string]map[int]mutant{}
	for number, m := range mutants {
		if files[m.file] == nil {
			files[m.file] = map[int]mutant{}
		}
		files[m.file][number] = m
	}
	return files
}

// schema returns a file's package and its text with all its mutants. Lines keep their
// numbers, because the copies are appended at the end.
func schema(t *testing.T, file string, mutants map[int]mutant) (packageName, text string) {
	t.Helper()
	raw, err := os.ReadFile(file) //nolint:gosec // a source file of this repository
	if err != nil {
		t.Fatal(err)
	}
	source := string(raw)
	files := token.NewFileSet()
	parsed, err := parser.ParseFile(files, file, raw, 0)
	if err != nil {
		t.Fatal(err)
	}
	offset := func(p token.Pos) int { return files.Position(p).Offset }
	type insertion struct {
		at   int
		text string
	}
	var choices []insertion
	var copies strings.Builder
	for number, m := range mutants {
		at := strings.Index(source, m.old)
		if n := strings.Count(source, m.old); n != 1 {
			t.Fatalf("%s holds the text of the rule %q %d times, want once: the mutant must follow the code", file, m.name, n)
		}
		where := slices.IndexFunc(parsed.Decls, func(d ast.Decl) bool {
			return offset(d.Pos()) <= at && at+len(m.old) <= offset(d.End())
		})
		function, ok := parsed.Decls[max(where, 0)].(*ast.FuncDecl)
		if where < 0 || !ok {
			t.Fatalf("the text of the rule %q does not lie in one function", m.name)
		}
		name := fmt.Sprintf("%sBroken%d", function.Name.Name, number)
		choices = append(choices, insertion{offset(function.Body.Lbrace) + 1, choose(m.name, name, function)})
		start, end := offset(function.Pos()), offset(function.End())
		called := offset(function.Name.Pos())
		fmt.Fprintf(&copies, "\n%s%s%s\n", source[start:called], name,
			strings.Replace(source[called+len(function.Name.Name):end], m.old, m.new, 1))
	}
	slices.SortFunc(choices, func(a, b insertion) int { return b.at - a.at })
	for _, c := range choices {
		source = source[:c.at] + c.text + source[c.at:]
	}
	return parsed.Name.Name, source + copies.String()
}

// choose returns the statement that calls the changed copy instead of the function that
// contains it.
func choose(rule, broken string, function *ast.FuncDecl) string {
	call := broken
	if function.Recv != nil {
		call = function.Recv.List[0].Names[0].Name + "." + broken
	}
	var arguments []string
	for _, field := range function.Type.Params.List {
		for _, name := range field.Names {
			argument := name.Name
			if _, variadic := field.Type.(*ast.Ellipsis); variadic {
				argument += "..."
			}
			arguments = append(arguments, argument)
		}
	}
	call += "(" + strings.Join(arguments, ", ") + ")"
	if function.Type.Results == nil {
		return fmt.Sprintf(" if brokenRule == %q { %s; return };", rule, call)
	}
	return fmt.Sprintf(" if brokenRule == %q { return %s };", rule, call)
}
