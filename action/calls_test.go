package main

import (
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// cmdCalls lists every call that was made since the last `calls`, in their order at each
// server: `calls identity 'vault POST auth/jwt/login' 'paistrike POST /api-tokens'`. A
// call too many is a failure like one too few.
func cmdCalls(ts *testscript.TestScript, _ bool, args []string) {
	j := jobOf(ts)
	var got []string
	for range j.identity.tokens()[j.told.identity:] {
		got = append(got, "identity")
	}
	j.vault.mu.Lock()
	vault := slices.Clone(j.vault.calls)
	j.vault.mu.Unlock()
	for _, call := range vault[j.told.vault:] {
		got = append(got, "vault "+call)
	}
	journal := j.paistrike.Journal()
	for _, call := range journal[j.told.paistrike:] {
		got = append(got, "paistrike "+call.Method+" "+strings.TrimPrefix(call.Path, "/api/v1"))
	}
	if !slices.Equal(got, args) {
		ts.Fatalf("%d calls were made:\n  %s\nwant %d:\n  %s", len(got), strings.Join(got, "\n  "), len(args), strings.Join(args, "\n  "))
	}
	j.told.identity, j.told.vault, j.told.paistrike = len(j.identity.tokens()), len(vault), len(journal)
}
