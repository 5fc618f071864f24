package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// usesAction matches a workflow step that uses one of the actions, and captures which one and
// the block that follows.
var usesAction = regexp.MustCompile(`(?m)^ *(?:- )?uses: (?:\./|paistrike/terraform-provider-paistrike/)action(/\w+)?(?:@\S+)?.*\n((?:^ {8,}.*\n)*)`)

// Every published workflow sets only existing inputs, and all required ones.
func TestWorkflowsSetInputsThatExist(t *testing.T) {
	t.Parallel()
	var files []string
	for _, pattern := range []string{"README.md", "*/README.md", "../examples/workflows/*.yml", "../.github/workflows/*.yml", "../docs/guides/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatal(pattern, err)
		}
		files = append(files, found...)
	}
	steps := 0
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range usesAction.FindAllStringSubmatch(string(raw), -1) {
			steps++
			inputs := actionYML(t, filepath.Join(".", step[1]), "inputs")
			var set []string
			for _, line := range regexp.MustCompile(`(?m)^ {10,}([a-z_]+):`).FindAllStringSubmatch(step[2], -1) {
				set = append(set, line[1])
				if !slices.ContainsFunc(inputs, func(in described) bool { return in.name == line[1] }) {
					t.Errorf("%s: action%s has no input %s", file, step[1], line[1])
				}
			}
			for _, in := range inputs {
				if in.required && !slices.Contains(set, in.name) {
					t.Errorf("%s: action%s needs %s:\n%s", file, step[1], in.name, strings.TrimSpace(step[0]))
				}
			}
		}
	}
	if steps < 10 {
		t.Errorf("only %d steps were found", steps)
	}
}
