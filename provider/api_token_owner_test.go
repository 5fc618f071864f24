package provider_test

import (
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/paistrike/terraform-provider-paistrike/internal/testparts"
)

const somebodys = "a secret of somebody's own"

func TestForeignSecretIsRefused(t *testing.T) {
	s := newStage(t)
	s.writeByHand(standardPath, somebodys)
	s.play(
		act{
			config: standard,
			fails:  `Error: Vault path is not managed by paistrike ... PS208: secret/ci/paistrike holds a secret at version 1 that paistrike did not write. Nothing was created or written. Choose another path, or set vault.adopt = true to write the token on top of it`,
		},
	)
	s.wantCalls(s.apiCalls(), "POST", 0)
	s.wantCalls(s.vaultCalls(), "PUT", 0)
	if s.secret(standardPath) != somebodys {
		t.Error("somebody's secret was touched")
	}
}

func TestForeignSecretIsAdopted(t *testing.T) {
	s := newStage(t)
	s.writeByHand(standardPath, somebodys)
	s.play(
		act{
			config: edit(standard, `path = "ci/paistrike"`, `path = "ci/paistrike", adopt = true`),
			plan:   creates(), state: state(secretVersion(2), previous(0)),
			after: func() { s.wantWorks("the secret", s.secret(standardPath), true) },
		},
		act{config: standard, plan: keeps()},
	)
}

// zapier is another integration that was given the same path by mistake.
const zapier = `
resource "paistrike_api_token" "zapier" {
  name       = "Zapier Integration"
  expires_in = "90d"
  vault      = { mount = "secret", path = "ci/paistrike" }
}
`

func TestTwoResourcesOnOnePath(t *testing.T) {
	s := newStage(t)
	s.play(
		act{config: standard},
		act{
			config: standard + zapier,
			fails:  `Error: Vault path holds the token of another integration ... PS209: secret/ci/paistrike holds token ... at version 1, and its name does not begin with "Zapier Integration".`,
		},
		act{config: standard, plan: nothing(), state: state(secretVersion(1)), after: func() { s.wantCalls(s.apiCalls(), "POST", 1) }},
	)
}

// Planned together, neither sees the other. The second to be applied does, and what
// it may have minted by then is revoked.
func TestTwoResourcesOnOnePathAtOnce(t *testing.T) {
	s := newStage(t)
	person := s.terminal(standard + zapier)
	s.wantSays(person.fails("apply", "-auto-approve"), "Error: Vault path holds the token of another integration ... PS209: secret/ci/paistrike holds token ... at version 1")
	s.wantLive(1)
	if e := s.entry(standardPath); e.Version != 1 || e.serves() != s.live()[0].ID {
		t.Errorf("version %d serves %s, and %v works", e.Version, e.serves(), names(s.live()))
	}
}

// A resource that was copied with its name and its path is, to Vault, the same token:
// the two share it, and one rotation serves both.
func TestCopiedResourceSharesTheToken(t *testing.T) {
	s := newStage(t)
	both := standard + edit(standard, `"ci"`, `"copy"`)
	s.play(
		act{config: standard},
		act{config: both, unsound: true, after: func() { s.wantLive(2) }}, // the first is in its overlap
		act{config: both, plan: nothing()},
		act{before: s.later(31 * day), config: both, plan: rotates("period"), after: func() { s.wantCalls(s.apiCalls(), "POST", 3) }},
	)
}

// What is taken over on purpose is taken over once: the former owner is told, and
// does not fight for it. The old token keeps its overlap.
func TestTakenOver(t *testing.T) {
	s := newStage(t)
	var first string
	taken := edit(zapier, `path = "ci/paistrike"`, `path = "ci/paistrike", adopt = true`)
	s.play(
		act{config: standard, after: func() { first = s.secret(standardPath) }},
		act{
			config: standard + taken,
			fails:  `PS209: secret/ci/paistrike holds token ... and its name does not begin with "CI/CD Pipeline"`,
		},
		act{
			config: taken, unsound: true, // the first token is in the record, and no more in a resource of its own
			state: state(statecheck.ExpectKnownValue("paistrike_api_token.zapier", tfjsonpath.New("previous_tokens"), knownvalue.ListSizeExact(1))),
			after: func() {
				s.wantWorks("the secret of the new owner", s.secret(standardPath), true)
				s.wantWorks("the first token in its overlap", first, true)
				s.wantLive(2)
			},
		},
		act{before: s.later(25 * time.Hour), config: taken, after: func() { s.wantLive(1) }},
	)
}

// The former owner may move away.
func TestMoveAwayWhenTakenOver(t *testing.T) {
	s := newStage(t)
	taken := edit(zapier, `path = "ci/paistrike"`, `path = "ci/paistrike", adopt = true`)
	moved := edit(standard, "ci/paistrike", "build/paistrike")
	s.play(
		act{config: standard},
		act{config: standard + taken, fails: `PS209: secret/ci/paistrike holds token`},
		act{
			config: moved + taken, plan: rotates("secret_moved"), state: state(secretVersion(1), previous(1)),
			after: func() {
				if s.custom(standardPath)["paistrike_expires_in"] != "90d" {
					t.Error("the new owner's schedule was taken away")
				}
			},
		},
		act{
			before: s.later(25 * time.Hour), config: moved + taken, state: state(previous(0)),
			after: func() { s.wantLive(2); s.wantWorks("the new owner's secret", s.secret(standardPath), true) },
		},
	)
}

func TestVersionOneMountIsRefused(t *testing.T) {
	s := newStage(t, testparts.WithMount("secret"), testparts.WithKV1("old"))
	s.play(
		act{
			config: edit(standard, `mount = "secret"`, `mount = "old"`),
			fails:  "Error: Vault mount is not KV version 2 ... PS303: old/ is no KV version 2 secrets engine, and check-and-set, on which safe rotation rests, needs version 2. Nothing was created.",
		},
	)
	s.wantCalls(s.apiCalls(), "POST", 0)
}
