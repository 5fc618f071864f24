package main

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/paistrike/terraform-provider-paistrike/internal/doctor"
	"github.com/paistrike/terraform-provider-paistrike/internal/job"
)

func TestUsage(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{nil, {"mint"}, {"main", "post"}} {
		var out, said bytes.Buffer
		m := job.Machine{Program: "paistrike-action", Out: &out, Err: &said, Getenv: func(string) string { return "" }}
		if code := run(m, args); code != 2 || !strings.Contains(said.String(), "paistrike-action") || out.Len() > 0 {
			t.Errorf("%v: %d %s", args, code, said.String())
		}
	}
	for path, want := range map[string]string{"/usr/bin/paistrike": "paistrike", "paistrike.exe": "paistrike", "/proc/self/fd/9": "paistrike-action"} {
		if got := programName(path); got != want {
			t.Errorf("%s: %s", path, got)
		}
	}
}

// The doctor is listed and runs like any other command, although it parses its own flags.
func TestDoctorIsACommand(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"help":            "\n  doctor      Check the configuration of PAIStrike's API.\n",
		"help doctor":     "usage: paistrike-action doctor [flags]",
		"doctor --help":   "usage: paistrike-action doctor [flags]",
		"completion bash": "doctor) words='--api-prefix --api-routes --auth --endpoint --openapi --help'",
		"doctr":           "unknown command \"doctr\" (did you mean doctor?)",
	} {
		var said bytes.Buffer
		m := job.Machine{Program: "paistrike-action", Out: &said, Err: &said, Getenv: func(string) string { return "" }}
		if run(m, strings.Fields(line)); !strings.Contains(said.String(), want) {
			t.Errorf("%s: %s", line, said.String())
		}
	}
	var help bytes.Buffer
	run(job.Machine{Program: "paistrike-action", Out: &help, Err: &help, Getenv: func(string) string { return "" }}, []string{"doctor", "--help"})
	var shown []string
	for _, line := range regexp.MustCompile(`(?m)^  (--[a-z-]+) `).FindAllStringSubmatch(help.String(), -1) {
		shown = append(shown, line[1])
	}
	slices.Sort(shown)
	if flags := doctor.Flags(); !slices.Equal(flags, shown) {
		t.Errorf("the doctor takes %v, and its help shows %v", flags, shown)
	}
}
