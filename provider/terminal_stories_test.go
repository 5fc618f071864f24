package provider_test

import (
	"strings"
	"testing"
	"time"
)

// An apply that changes nothing leaves the state file unchanged, so a state under version
// control shows no difference.
func TestNothingToDoKeepsTheStateFile(t *testing.T) {
	s := newStage(t)
	person := s.terminal(standard)
	person.apply()
	before, _ := person.state()
	for range 3 {
		s.advance(10 * time.Minute)
		s.wantSays(person.apply(), "No changes.")
	}
	if after, _ := person.state(); after != before {
		s.Errorf("the serial went from %d to %d", before, after)
	}
}

// A plan shows the reason, and nothing shows the secret.
func TestWhatAPlanShows(t *testing.T) {
	s := newStage(t)
	person := s.terminal(standard)
	person.apply()
	s.advance(31 * day)
	plan := person.run("plan")
	s.wantSays(plan, `~ resource "paistrike_api_token" "ci" {`)
	s.wantSays(plan, `~ rotation_reason = "created" -> "period"`)
	s.wantSays(plan, `~ token_id = ... -> (known after apply)`)
	s.wantSays(plan, `Plan: 0 to add, 1 to change, 0 to destroy.`)
	s.wantSilent(plan, "pstk_")
	s.wantSilent(plan, "must be replaced")
}

// A saved plan that is applied after the scheduler rotated does not rotate again. Neither
// does a plan that is applied a second time.
func TestSavedPlanIsOld(t *testing.T) {
	s := newStage(t)
	person := s.terminal(standard)
	person.apply()
	s.advance(31 * day)
	person.run("plan", "-out=old")
	s.runScheduler()
	person.run("apply", "old")
	if s.minted() != 2 || person.attributes()["token_id"] != s.entry(standardPath).serves() {
		t.Errorf("%d tokens were minted, want 2; state says %v", s.minted(), person.attributes()["token_id"])
	}
	person.fails("apply", "old")
	s.wantSays(person.apply(), "No changes.")
	s.wantLive(2)
}

func TestReplaceOption(t *testing.T) {
	s := newStage(t)
	person := s.terminal(standard)
	person.apply()
	person.apply("-replace=" + ci)
	s.wantWorks("the secret", s.secret(standardPath), true)
	s.wantLive(1)
	s.wantSays(person.apply(), "No changes.")
}

// Without a refresh no clock is read, and nothing is due.
func TestNoRefreshNoRotation(t *testing.T) {
	s := newStage(t)
	person := s.terminal(standard)
	person.apply()
	s.advance(31 * day)
	s.forgetCalls()
	s.wantSays(person.run("plan", "-refresh=false"), "No changes.")
	s.wantCalls(s.apiCalls(), "", 0)
	s.wantCalls(s.vaultCalls(), "", 0)
}

// A warning explains what a too short overlap means for consumers.
func TestWarnsOfATokenInUseWhenItRetires(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	person := s.terminal(standard)
	person.apply()
	old := s.secret(standardPath)
	s.advance(31 * day)
	person.apply()
	s.advance(25 * time.Hour)
	s.call(old)
	s.wantSays(person.apply(), "Warning: Revoked token was still in use ... PS502: Token")
}

// If a fixed expiry has passed, only the user can help.
func TestWarnsOfAFixedEndThatIsOver(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	person := s.terminal(edit(standard, `expires_in = "90d"`, `expires_at = "2026-02-01"`, `period = "30d", `, ""))
	person.apply()
	s.advance(30 * day)
	plan := person.run("plan")
	s.wantSays(plan, "Warning: Token has expired")
	s.wantSays(plan, "No changes.")
}

// A token that nothing rotates approaches its expiry: the guard rails cause a warning.
func TestWarnsBeforeTheEnd(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	config := `provider "paistrike" { token_policy = { warn_before = "14d" } }` + "\n" +
		edit(standard, `  rotation   = { period = "30d", overlap = "24h" }`+"\n", "")
	person := s.terminal(config)
	s.wantSilent(person.apply(), "Warning: Token expires soon")
	s.advance(75 * day)
	s.wantSilent(person.run("plan"), "Warning: Token expires soon")
	s.advance(day)
	s.wantSays(person.run("plan"), "Warning: Token expires soon ... expires at 2026-04-05T09:00:00Z")
}

// Import blocks name the token by ID or, if the CLI supports identities, by identity.
func TestImportBlock(t *testing.T) {
	for name, c := range map[string]struct{ block, terraform, tofu string }{
		"id":       {`id = "TOKEN"`, "1.5.0", "1.5.0"},
		"identity": {`identity = { token_id = "TOKEN" }`, "1.12.0", "1.12.0"},
	} {
		t.Run(name, func(t *testing.T) {
			needs(t, c.terraform, c.tofu)
			s := newStage(t)
			first := s.terminal(standard)
			first.apply()
			id := s.entry(standardPath).serves()
			second := s.terminal(standard + "import {\n  to = " + ci + "\n  " + strings.Replace(c.block, "TOKEN", id, 1) + "\n}\n")
			s.wantSays(second.apply(), "Apply complete! Resources: 1 imported, 0 added, 1 changed, 0 destroyed.")
			s.wantSays(second.apply(), "No changes.")
			if got := second.attributes(); got["token_id"] != id || s.minted() != 1 {
				t.Errorf("state says token %v, want %s; %d were minted", got["token_id"], id, s.minted())
			}
		})
	}
}
