package provider_test

import (
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
)

// Each kind of import has a known plan or error, and no consumer of Vault's secret loses
// it.
func TestImportMatrix(t *testing.T) {
	onOneCLI(t)
	byHand := func(expires time.Time) func(*stage) string {
		return func(s *stage) string {
			id, _ := s.paistrike.Mint("CI/CD Pipeline", expires)
			return id
		}
	}
	end := monday().Add(60 * day)
	for _, c := range []struct {
		name  string
		given func(*stage) string // prepares the servers and returns the import ID
		fails string              // in the import
		plan  []plancheck.PlanCheck
		state []statecheck.StateCheck
		stops string // in the plan
	}{
		{
			name: "no record", given: byHand(end),
			plan: rotates("imported"), state: state(secretVersion(1), previous(1)),
		},
		{
			name:  "no record, by name",
			given: func(s *stage) string { byHand(end)(s); return "name/CI/CD Pipeline" },
			plan:  rotates("imported"), state: state(secretVersion(1), previous(1)),
		},
		{
			name: "revoked",
			given: func(s *stage) string {
				id := byHand(end)(s)
				s.paistrike.Revoke(id)
				return id
			},
			plan: rotates("imported"), state: state(secretVersion(1), previous(0), text("status", "active")),
		},
		{
			name: "expired",
			given: func(s *stage) string {
				id := byHand(monday().Add(time.Hour))(s)
				s.advance(time.Hour)
				return id
			},
			plan: rotates("imported"), state: state(secretVersion(1), previous(0), text("status", "active")),
		},
		{
			name: "foreign record",
			given: func(s *stage) string {
				s.writeByHand(standardPath, someonesSecret)
				return byHand(end)(s)
			},
			stops: "Error: Entry is not managed by paistrike ... PS208: secret/ci/paistrike contains a secret that paistrike did not write",
		},
		{
			name: "unknown id", given: func(*stage) string { return "tok_nobodys" },
			fails: "Error: Token not imported ... PAIStrike has no token with the id tok_nobodys. To import a token by its name, write name/ before the name.",
		},
		{
			name: "unknown name", given: func(*stage) string { return "name/Nobody's" },
			fails: `Error: Token not imported ... No active token is named "Nobody's". To import an expired or revoked token, use its id.`,
		},
		{
			name: "a name that is revoked",
			given: func(s *stage) string {
				s.paistrike.Revoke(byHand(end)(s))
				return "name/CI/CD Pipeline"
			},
			fails: `Error: Token not imported ... No active token is named "CI/CD Pipeline".`,
		},
		{
			name: "a name of several",
			given: func(s *stage) string {
				byHand(end)(s)
				byHand(end)(s)
				return "name/CI/CD Pipeline"
			},
			fails: `Error: Token not imported ... 2 tokens named "CI/CD Pipeline" work. Import one of them by its id:`,
		},
		{
			name: "the provider's own token", given: func(*stage) string { return "name/Terraform" },
			fails: "Error: Token not imported ... is the provider's own token (api_token).",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStage(t)
			id := c.given(s)
			acts := []act{{config: standard, step: importing(func() string { return id }), fails: c.fails}}
			switch {
			case c.stops != "":
				acts = append(acts, act{config: standard, fails: c.stops}, act{config: forgotten, unsound: true})
			case c.plan != nil:
				acts = append(acts, act{config: standard, plan: c.plan, state: append(c.state, text("rotation_reason", "imported"))})
			}
			s.play(acts...)
			if c.fails != "" || c.stops != "" {
				s.wantCalls(s.apiCalls(), "POST", 0)
				s.wantCalls(s.apiCalls(), "DELETE", 0)
			}
		})
	}
}

// A managed token is taken over unchanged by its name, even during an overlap.
func TestImportWhatVaultServesByName(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	s.play(
		act{config: standard},
		act{before: s.later(31 * day), config: standard, plan: rotates("period"), state: state(previous(1))},
		act{config: forgotten, unsound: true, after: func() { s.wantLive(2) }},
		act{config: standard, step: importing(func() string { return "name/CI/CD Pipeline" })},
		act{config: standard, plan: keeps(), newID: true, state: state(secretVersion(3), previous(1), text("status", "active"))},
	)
}

// If someone revoked the token of an entry, the import succeeds and the next apply
// replaces the token.
func TestImportARevokedTokenThatVaultServes(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	var id string
	s.play(
		act{config: standard, after: func() { id = s.entry(standardPath).serves() }},
		act{config: forgotten, unsound: true, after: func() { s.paistrike.Revoke(id) }},
		act{config: standard, step: importing(func() string { return id })},
		act{config: standard, plan: rotates("revoked"), newID: true, state: state(secretVersion(2), previous(0), text("status", "active"))},
	)
}
