package e2e_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/paistrike/terraform-provider-paistrike/internal/tfcli"
)

// The page of error codes lists exactly the codes that the provider can report, with the same
// summaries.
func TestEveryErrorCodeIsDocumented(t *testing.T) {
	t.Parallel()
	root, err := tfcli.Repository()
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(root, "templates", "guides", "errors.md"))
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string][]string{}
	for _, heading := range regexp.MustCompile(`(?m)^### (PS\d{3}): (.+)$`).FindAllStringSubmatch(string(page), -1) {
		if documented[heading[1]] != nil {
			t.Errorf("%s is there twice", heading[1])
		}
		documented[heading[1]] = slices.Sorted(slices.Values(strings.Split(heading[2], " / ")))
	}
	if diff := cmp.Diff(shown(t, filepath.Join(root, "internal", "rotation", "messages.go"), filepath.Join(root, "internal", "rotation", "messages_store.go"), filepath.Join(root, "internal", "rotation", "messages_end.go"), filepath.Join(root, "internal", "store", "vault", "messages.go"),
		filepath.Join(root, "internal", "store", "aws", "messages.go")), documented); diff != "" {
		t.Errorf("shown (-) and documented (+) differ:\n%s", diff)
	}
	if sections := strings.Count(string(page), "\n### "); strings.Count(string(page), "**Cause.**") != sections || strings.Count(string(page), "**Remedy.**") != sections {
		t.Error("a code lacks its cause or its remedy")
	}
}

// shown extracts codes and summaries from the source files with the messages of the protocol
// and the stores.
func shown(t *testing.T, files ...string) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	for _, file := range files {
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		collect(t, tree, found)
	}
	return found
}

// calledName returns the name of the called function, without its package.
func calledName(call *ast.CallExpr) string {
	switch called := call.Fun.(type) {
	case *ast.Ident:
		return called.Name
	case *ast.SelectorExpr:
		return called.Sel.Name
	}
	return ""
}

// collect adds the codes and summaries of one file.
func collect(t *testing.T, tree *ast.File, found map[string][]string) {
	t.Helper()
	ast.Inspect(tree, func(node ast.Node) bool {
		call, ok := node.(*ast.CallExpr)
		if !ok {
			return true
		}
		if !slices.Contains([]string{"failure", "warning", "NewFailure"}, calledName(call)) {
			return true
		}
		if _, stores := call.Args[0].(*ast.SelectorExpr); stores {
			return true // it passes on a store's message
		}
		code, summary := literal(t, call.Args[0]), literal(t, call.Args[1])
		if !slices.Contains(found[code], summary) {
			found[code] = append(found[code], summary)
			slices.Sort(found[code])
		}
		return true
	})
}

func literal(t *testing.T, expression ast.Expr) string {
	t.Helper()
	basic, ok := expression.(*ast.BasicLit)
	if !ok {
		t.Fatalf("a message has a code or a summary that is not written out: %T", expression)
	}
	value, err := strconv.Unquote(basic.Value)
	if err != nil {
		t.Fatal(err)
	}
	return value
}
