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
		code := run(job.Machine{Out: &out, Err: &said, Getenv: func(string) string { return "" }}, args)
		if code != 2 || !strings.Contains(said.String(), "usage: ") || out.Len() > 0 {
			t.Errorf("%v: %d %s", args, code, said.String())
		}
	}
	var out bytes.Buffer
	if code := run(job.Machine{Out: &out, Version: "1.2.3"}, []string{"version"}); code != 0 || out.String() != "1.2.3\n" {
		t.Errorf("%s", out.String())
	}
}
