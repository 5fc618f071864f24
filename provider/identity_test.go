package provider_test

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"
)

// The identity is the current token and changes with it.
func TestIdentity(t *testing.T) {
	needs(t, "1.12.0", "1.12.0")
	s := newStage(t)
	current := statecheck.ExpectIdentityValueMatchesState(ci, tfjsonpath.New("token_id"))
	s.play(
		act{config: standard, state: state(current)},
		act{before: s.later(31 * day), config: standard, plan: rotates("period"), state: state(current)},
		act{before: func() { s.advance(31 * day); s.runScheduler() }, config: standard, plan: nothing(), state: state(current)},
		act{before: s.revoke, config: standard, plan: rotates("revoked"), state: state(current)},
		act{config: edit(standard, "ci/paistrike", "build/paistrike"), plan: rotates("secret_moved"), state: state(current)},
	)
}
