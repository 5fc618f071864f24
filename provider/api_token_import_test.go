package provider_test

import (
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
)

// importing imports [ci] with the ID that is known when the step begins, and persists the
// result.
func importing(id func() string) func(*resource.TestStep) {
	return func(step *resource.TestStep) {
		step.ImportState, step.ResourceName, step.ImportStatePersist = true, ci, true
		step.ImportStateIdFunc = func(*terraform.State) (string, error) { return id(), nil }
		step.ConfigPlanChecks, step.ConfigStateChecks, step.PostApplyFunc = resource.ConfigPlanChecks{}, nil, nil
	}
}

// forgotten is a configuration that removes the resource from state and keeps the token.
const forgotten = `
removed {
  from = paistrike_api_token.ci
  lifecycle { destroy = false }
}
`

// The token that Vault serves is taken over unchanged.
func TestImportWhatVaultServes(t *testing.T) {
	s := newStage(t)
	current := func() string { return s.entry(standardPath).serves() }
	s.play(
		act{config: standard},
		act{config: forgotten, unsound: true, after: func() { s.wantLive(1) }},
		act{config: standard, step: importing(current)},
		act{
			config: standard, plan: keeps(), newID: true,
			// The entry is published again with the same token and the new owner.
			state: state(secretVersion(2), previous(0), text("status", "active"), text("rotate_at", "2026-02-04T09:00:00Z")),
			after: func() { s.wantCalls(s.apiCalls(), "POST", 1) },
		},
		act{before: s.later(31 * day), config: standard, plan: rotates("period"), state: state(secretVersion(3), previous(1))},
	)
}

// A different name in the configuration replaces the token, even an imported one.
func TestImportUnderAnotherName(t *testing.T) {
	s := newStage(t)
	renamed := edit(standard, "CI/CD Pipeline", "Build")
	s.play(
		act{config: standard},
		act{config: forgotten, unsound: true},
		act{config: renamed, step: importing(func() string { return s.entry(standardPath).serves() })},
		act{
			config: renamed, plan: rotates("name_changed"), newID: true,
			state: state(secretVersion(2), previous(1), attribute("token_name", startsWith("Build-ps1-"))),
		},
	)
}

// A manually created token cannot be taken over, because no one can read its secret. It is
// replaced and works for one more overlap.
func TestImportWhatWasMadeByHand(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	id, secret := s.paistrike.Mint("CI/CD Pipeline", monday().Add(60*day))
	s.play(
		act{config: standard, step: importing(func() string { return id })},
		act{
			config: standard, plan: rotates("imported"), state: state(secretVersion(1), previous(1), text("rotation_reason", "imported")),
			after: func() { s.wantWorks("the token made by hand", secret, true) },
		},
		act{
			before: s.later(25 * time.Hour), config: standard, plan: retires(), state: state(previous(0)),
			after: func() { s.wantWorks("the token made by hand", secret, false) },
		},
	)
}

func TestImportAnUnknownToken(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	s.play(act{
		config: standard, step: importing(func() string { return "tok_nobodys" }),
		fails: "Error: Token not imported ... PAIStrike has no token with the id tok_nobodys.",
	})
}

// If the configured entry belongs to someone else, nothing is written.
func TestImportOntoAForeignSecret(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	s.writeByHand(standardPath, someonesSecret)
	id, _ := s.paistrike.Mint("CI/CD Pipeline", time.Time{})
	s.play(
		act{config: standard, step: importing(func() string { return id })},
		act{config: standard, fails: "Error: Entry is not managed by paistrike ... PS208: secret/ci/paistrike contains a secret that paistrike did not write"},
		act{config: forgotten, unsound: true},
	)
	s.wantCalls(s.apiCalls(), "POST", 0)
	if s.secret(standardPath) != someonesSecret {
		t.Error("someone's secret was touched")
	}
}

// Destroying a token that was imported and never applied revokes it without calling Vault.
func TestDestroyWhatWasOnlyImported(t *testing.T) {
	s := newStage(t)
	id, secret := s.paistrike.Mint("CI/CD Pipeline", time.Time{})
	s.play(act{config: standard, step: importing(func() string { return id })})
	s.wantWorks("the token made by hand", secret, false)
	s.wantCalls(s.vaultCalls(), "", 0)
}
