package main_test

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// shippedModules returns the modules linked into a package on any of the platforms that it ships
// for, mapped to their directories.
func shippedModules(t *testing.T, pkg string) map[string]string {
	t.Helper()
	modules := map[string]string{}
	for _, system := range []string{"darwin", "linux", "windows"} {
		cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}}\t{{.Dir}}{{end}}{{end}}", pkg)
		cmd.Env = append(os.Environ(), "GOOS="+system, "CGO_ENABLED=0")
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("go list %s for %s: %v", pkg, system, err)
		}
		for line := range strings.Lines(string(out)) {
			if module, folder, ok := strings.Cut(strings.TrimSpace(line), "\t"); ok {
				modules[module] = folder
			}
		}
	}
	return modules
}

// license returns the license in a module's directory, or "" if it is unknown.
func license(t *testing.T, folder string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "LICENSE*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		words := strings.Join(strings.Fields(string(text)), " ")
		for _, known := range [][2]string{
			{"MPL-2.0", "Mozilla Public License"},
			{"Apache-2.0", "Apache License Version 2.0"},
			{"BSD", "Redistribution and use in source and binary forms"},
			{"MIT", "Permission is hereby granted, free of charge"},
		} {
			if strings.Contains(words, known[1]) {
				return known[0]
			}
		}
	}
	return ""
}

// Shipped programs link only reviewed modules: a new line in testdata/links.txt is a decision,
// made in the change that needs it.
func TestShippedBinariesLinkOnlyReviewedModules(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/links.txt")
	if err != nil {
		t.Fatal(err)
	}
	reviewed := map[string][]string{}
	for line := range strings.Lines(string(text)) {
		if pkg, module, ok := strings.Cut(strings.TrimSpace(line), " "); ok && pkg != "#" {
			reviewed[pkg] = append(reviewed[pkg], module)
		}
	}
	for _, pkg := range []string{".", "./action"} {
		t.Run(pkg, func(t *testing.T) {
			t.Parallel()
			modules := shippedModules(t, pkg)
			for _, module := range slices.Sorted(maps.Keys(modules)) {
				name := license(t, modules[module])
				t.Logf("%s links %s (%s)", pkg, module, name)
				if name == "" {
					t.Errorf("the license of %s is not one of those that are known to fit", module)
				}
				if !slices.Contains(reviewed[pkg], module) {
					t.Errorf("%s links %s, which is not in testdata/links.txt", pkg, module)
				}
			}
			for _, module := range reviewed[pkg] {
				if modules[module] == "" {
					t.Errorf("testdata/links.txt has %s for %s, which no longer links it", module, pkg)
				}
			}
		})
	}
}
