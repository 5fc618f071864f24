package main_test

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	module  = "github.com/paistrike/terraform-provider-paistrike"
	sandbox = module + "/internal/sandbox"
)

// linked lists the packages linked into a package, itself included. format is go list's.
func linked(t *testing.T, format, pkg string) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", format, pkg).Output()
	if err != nil {
		t.Fatalf("go list %s: %v", pkg, err)
	}
	return strings.Fields(string(out))
}

// A binary that contained the sandbox could be directed to it.
func TestShippedBinariesDoNotLinkTheSandbox(t *testing.T) {
	t.Parallel()
	for _, pkg := range []string{".", "./action"} {
		t.Run(pkg, func(t *testing.T) {
			t.Parallel()
			sources, err := filepath.Glob(filepath.Join(pkg, "*.go"))
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(sources, func(file string) bool { return !strings.HasSuffix(file, "_test.go") }) {
				t.Skip("there is no such program yet")
			}
			if slices.Contains(linked(t, "{{.ImportPath}}", pkg), sandbox) {
				t.Errorf("%s links %s", pkg, sandbox)
			}
		})
	}
	if !slices.Contains(linked(t, "{{.ImportPath}}", "./examples/sandbox"), sandbox) {
		t.Error("the look-up does not find the sandbox where it is")
	}
}

func TestSandboxStandsOnTheStandardLibrary(t *testing.T) {
	t.Parallel()
	if got := linked(t, "{{if not .Standard}}{{.ImportPath}}{{end}}", "./internal/sandbox"); len(got) != 1 || got[0] != sandbox {
		t.Errorf("the sandbox is linked with %v", got)
	}
}
