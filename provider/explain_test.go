package provider_test

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// A path that was copied from the address of a request causes a warning.
func TestWarnsOfAPathThatRepeatsTheAPI(t *testing.T) {
	s := newStage(t)
	person := s.terminal("")
	for given, want := range map[string]string{
		"data/ci/paistrike": "secret/data/data/ci/paistrike in Vault's API. Unless you want a folder named data there, set path = \"ci/paistrike\"",
		"secret/ci/app":     "secret/data/secret/ci/app in Vault's API. Unless you want a folder named secret there, set path = \"ci/app\"",
		"secret/data/ci":    "secret/data/secret/data/ci in Vault's API. Unless you want a folder named secret/data there, set path = \"ci\"",
		"metadata/ci":       "secret/data/metadata/ci in Vault's API. Unless you want a folder named metadata there, set path = \"ci\"",
		"ci/data":           "",
		"secretary/ci":      "",
	} {
		person.write(edit(standard, standardPath, given))
		plan := person.run("plan")
		if want == "" {
			s.wantSilent(plan, "Warning: Path")
			continue
		}
		s.wantSays(plan, "Warning: Path repeats the mount or the API ... vault.path is relative to the mount, so the entry will be at "+want)
	}
	s.wantCalls(s.vaultCalls(), "P", 0)
}

// A plan that changes something although no token is due explains why.
func TestAPlanThatOnlyCleansUpSaysWhy(t *testing.T) {
	s := newStage(t)
	person := s.terminal(standard)
	person.apply()
	first := s.entry(standardPath).serves()
	s.advance(31 * day)
	s.wantSilent(person.apply(), "will be revoked")
	s.advance(25 * time.Hour)
	plan := person.run("plan")
	s.wantSays(plan, "Warning: Replaced token will be revoked ... The overlap of token "+first+" ended at 2026-02-06T09:00:00Z. The apply revokes it. The token that consumers read does not change.")
	s.wantSays(plan, "Plan: 0 to add, 1 to change, 0 to destroy.")
	person.apply()
	s.wantSays(person.run("plan"), "No changes.")

	s.must(http.MethodPatch, "secret/metadata/"+standardPath, map[string]any{"custom_metadata": map[string]any{"paistrike_rotation_period": "365d"}})
	s.wantSays(person.run("plan"), "Warning: Metadata will be rewritten ... does not contain the schedule that Terraform wrote")
	person.apply()

	person.write(edit(standard, standardPath, "build/paistrike"))
	person.apply()
	s.advance(25 * time.Hour)
	plan = person.run("plan")
	s.wantSays(plan, "Warning: Former entry will be closed ... The token moved from secret/ci/paistrike, and the overlap ended at 2026-02-07T10:00:00Z.")
	if n := strings.Count(plan, "Warning: "); n > 2 {
		t.Errorf("%d warnings of one move:\n%s", n, plan)
	}
}
