package main

import (
	"bytes"
	"strings"
	"testing"

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
