package provider_test

import (
	"testing"

	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
)

// breakGlass returns an action that revokes a token by its ID.
func breakGlass(id string) string {
	return `
action "paistrike_revoke_api_token" "leak" {
  config {
    token_id = "` + id + `"
    reason   = "found in a public log, case 4711"
  }
}
`
}

const invokeLeak = "-invoke=action.paistrike_revoke_api_token.leak"

// A leaked token is revoked by its ID. The next plan is an update in place that states
// why, and after its apply the consumers' secret works again.
func TestRevokeActionAndHeal(t *testing.T) {
	needs(t, "1.14.0", "")
	s := newStage(t)
	person := s.terminal(standard)
	person.apply()
	leaked, id := s.secret(standardPath), s.entry(standardPath).serves()
	person.write(standard + breakGlass(id))
	s.leaked, s.named = id, id
	said := person.apply(invokeLeak)
	s.wantSays(said, "Revoking token "+id+" (CI/CD Pipeline-ps1-")
	s.wantSays(said, "found in a public log, case 4711")
	s.wantSays(said, "Token "+id+" no longer works")
	s.wantWorks("the leaked token", leaked, false)

	plan := person.run("plan")
	s.wantSays(plan, `~ rotation_reason = "created" -> "revoked"`)
	s.wantSays(plan, "Plan: 0 to add, 1 to change, 0 to destroy.")
	person.apply()
	s.wantWorks("the new secret", s.secret(standardPath), true)
	s.wantSays(person.run("plan"), "No changes.")
	s.wantLive(1)
	s.wantSays(person.apply(invokeLeak), "was already revoked")
	s.wantLive(1)
}

// A token that Terraform does not manage can be revoked too, without any Vault.
func TestRevokeActionOnATokenMadeByHand(t *testing.T) {
	needs(t, "1.14.0", "")
	s := newStage(t)
	id, secret := s.paistrike.Mint("Zapier", monday().Add(90*day))
	s.withoutVault()
	s.terminal(breakGlass(id)).apply(invokeLeak)
	s.wantWorks("the token made by hand", secret, false)
}

// An ID that is not a token's, and a token that must not be revoked, are rejected. Nothing
// is revoked then.
func TestRevokeActionRefuses(t *testing.T) {
	needs(t, "1.14.0", "")
	s := newStage(t)
	own := s.tokens()[0].ID
	id, secret := s.paistrike.Mint("Zapier", monday().Add(90*day))
	s.wantSays(s.terminal(breakGlass("tok_nobodys")).fails("apply", "-auto-approve", invokeLeak),
		"Token not revoked: PAIStrike has no token with the id tok_nobodys. Nothing was revoked.")
	s.wantSays(s.terminal(breakGlass(own)).fails("apply", "-auto-approve", invokeLeak),
		"Token not revoked: Token "+own+" is the provider's own token (api_token).")
	s.wantCalls(s.apiCalls(), "DELETE", 0)
	s.paistrike.AddFaults(sandbox.Fault{Method: "DELETE", Count: -1, Status: 503})
	s.wantSays(s.terminal(breakGlass(id)).fails("apply", "-auto-approve", invokeLeak),
		"Token not revoked: Token "+id+" may still work.")
	s.wantWorks("the token made by hand", secret, true)
}
