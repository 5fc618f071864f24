package provider_test

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// A token has leaked. The same apply publishes the new token and then revokes the old one,
// so that the store never serves a revoked token; see guard.
func TestRevokePrevious(t *testing.T) { overBoth(t, revokePrevious) }

func revokePrevious(s *stage) {
	person := s.terminal(standard)
	person.apply()
	leaked, id := s.secret(standardPath), s.entry(standardPath).serves()
	s.leaked = id
	person.write(edit(standard, `overlap = "24h"`, `overlap = "24h", revoke_previous = "case 4711"`))
	s.wantSays(person.run("plan"), `~ rotation_reason = "created" -> "revoke_previous"`)
	s.wantSays(person.apply(), "Warning: Compromised token was revoked ... PS505: Token "+id)
	s.wantWorks("the leaked token", leaked, false)
	s.wantWorks("the new secret", s.secret(standardPath), true)
	s.wantLive(1)
	s.wantSays(person.run("plan"), "No changes.")
}

// The action does the same for an entry, in whoever's state it is. The next plan accepts
// the result.
func TestRotateAction(t *testing.T) {
	needs(t, "1.14.0", "")
	overBoth(t, rotateAction)
}

func rotateAction(s *stage) {
	rotate := func(more string) string {
		return standard + `
action "paistrike_rotate_api_token" "now" {
  config {
    vault = { mount = "secret", path = "ci/paistrike" }
` + more + `
  }
}
`
	}
	const invoke = "-invoke=action.paistrike_rotate_api_token.now"
	person := s.terminal(rotate(""))
	person.apply()
	first := s.secret(standardPath)
	s.wantSays(person.apply(invoke), "secret/ci/paistrike serves token tok_... generation 2. Token tok_... works until")
	s.wantWorks("the token before, in its overlap", first, true)
	s.wantSays(person.run("plan"), "No changes.")

	s.advance(25 * time.Hour)
	person.apply() // otherwise the token in its overlap would be revoked too
	leaked := s.entry(standardPath).serves()
	s.leaked = leaked
	person.write(rotate("    revoke_previous = true"))
	said := person.apply(invoke)
	s.wantSays(said, "generation 3. Revoked: ")
	if !strings.Contains(said, leaked) || slices.Contains(names(s.live()), leaked) {
		s.Errorf("%s was not revoked: %v", leaked, names(s.live()))
	}
	s.wantWorks("the new secret", s.secret(standardPath), true)
	s.wantSays(person.run("plan"), "No changes.")
}

// A job that only plans needs no management token, never calls PAIStrike, and can apply
// nothing.
func TestPlanWithoutAPI(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	person := s.terminal(standard)
	person.apply()
	s.advance(31 * day)
	person.Setenv("PAISTRIKE_API_TOKEN=", "PAISTRIKE_PLAN_WITHOUT_API=true")
	s.forgetCalls()
	plan := person.run("plan")
	s.wantSays(plan, "Warning: Plan without PAIStrike")
	s.wantSays(plan, `~ rotation_reason = "created" -> "period"`)
	s.wantSays(person.fails("apply", "-auto-approve"), "Error: Token not updated ... Nothing was created or changed: plan_without_api is set")
	s.wantCalls(s.apiCalls(), "", 0)
	s.wantCalls(s.vaultCalls(), "P", 0)
}

// A missing management token causes one error, however many resources there are.
func TestMissingTokenIsOneError(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	person := s.terminal("provider \"paistrike\" {}\n" + manyTokens(5))
	person.Setenv("PAISTRIKE_API_TOKEN=")
	said := person.fails("plan")
	s.wantSays(said, "Error: Provider configuration is invalid ... api_token is not set")
	if n := strings.Count(said, "Error: "); n != 1 {
		t.Errorf("%d errors, want 1:\n%s", n, said)
	}
}
