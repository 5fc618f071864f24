package main

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// cmdCalls checks the calls since the last `calls`, in order for each server: `calls identity
// 'vault POST auth/jwt/login' 'paistrike POST /api-tokens'`. An extra call is a failure, as
// is a missing one.
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
	if j.aws != nil {
		events := j.aws.Journal()
		for _, event := range events[j.aws.told:] {
			got = append(got, "aws "+event.EventName)
		}
		j.aws.told = len(events)
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

// cmdMade checks the number of requests since the start: `made paistrike POST 1`, `made vault
// 'POST auth/jwt/login' 2`, `made aws GetSecretValue 1`.
func cmdMade(ts *testscript.TestScript, _ bool, args []string) {
	j, n := jobOf(ts), 0
	switch args[0] {
	case "paistrike":
		for _, call := range j.paistrike.Journal() {
			if call.Method == args[1] {
				n++
			}
		}
	case "aws":
		for _, event := range j.aws.Journal() {
			if matched, _ := path.Match(args[1], event.EventName); matched {
				n++
			}
		}
	default:
		n = j.vault.count(args[1])
	}
	if strconv.Itoa(n) != args[2] {
		ts.Fatalf("%d requests %s, want %s", n, args[1], args[2])
	}
}
