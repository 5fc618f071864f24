package provider_test

import (
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/paistrike/terraform-provider-paistrike/internal/testparts"
)

const someonesSecret = "a secret of someone's own"

func TestForeignSecretIsRefused(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	s.writeByHand(standardPath, someonesSecret)
	s.play(
		act{
			config: standard,
			fails:  `Error: Entry is not managed by paistrike ... PS208: secret/ci/paistrike contains a secret that paistrike did not write. Nothing was created or written. Choose another place, or set adopt = true to write the token as a new version (older versions stay in the store).`,
		},
	)
	s.wantCalls(s.apiCalls(), "POST", 0)
	s.wantCalls(s.vaultCalls(), "PUT", 0)
	if s.secret(standardPath) != someonesSecret {
		t.Error("someone's secret was touched")
	}
}

func TestForeignSecretIsAdopted(t *testing.T) { overBoth(t, foreignSecretIsAdopted) }

func foreignSecretIsAdopted(s *stage) {
	s.writeByHand(standardPath, someonesSecret)
	s.play(
		act{
			config: edit(standard, `path = "ci/paistrike"`, `path = "ci/paistrike", adopt = true`),
			plan:   creates(), state: state(secretVersion(1), previous(0)),
			after: func() { s.wantWorks("the secret", s.secret(standardPath), true) },
		},
		act{config: standard, plan: keeps()},
	)
}

// zapier is another integration that was configured with the same path by mistake.
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
			fails:  `Error: Entry contains the token of another integration ... PS209: secret/ci/paistrike contains token ... whose name does not begin with "Zapier Integration". Nothing was created or written.`,
		},
		act{config: standard, plan: nothing(), state: state(secretVersion(1)), after: func() { s.wantCalls(s.apiCalls(), "POST", 1) }},
	)
}

// If two resources are created at one entry, the plan fails, whatever their names.
func TestTwoResourcesOnOnePathAtOnce(t *testing.T) {
	for name, other := range map[string]string{"another name": zapier, "a copy": edit(standard, `"ci"`, `"copy"`)} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			person := s.terminal(standard + other)
			s.wantSays(person.fails("plan"), "Error: Token cannot be created ... two resources of this configuration use secret/ci/paistrike, but an entry serves only one token. Nothing was created or changed.")
			person.fails("apply", "-auto-approve")
			s.wantCalls(s.apiCalls(), "POST", 0)
			s.wantCalls(s.vaultCalls(), "P", 0)
		})
	}
}

// A copied resource with the same name and path takes the entry over and warns. Then the
// configuration fails until one of the two is removed. Removing either leaves the other's
// token alone.
func TestCopiedResourceTakesOver(t *testing.T) {
	copied := edit(standard, `"ci"`, `"copy"`)
	for name, c := range map[string]struct {
		stays string
		then  string
	}{
		"the copy stays":  {copied, "Warning: Entry was not changed"},
		"the first stays": {standard, "Warning: Entry is managed by another resource ... PS209"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			person := s.terminal(standard)
			person.apply()
			person.write(standard + copied)
			s.wantSays(person.apply(), "Warning: Entry was taken over from another resource ... PS214: secret/ci/paistrike was last published by another resource")
			s.wantSays(person.fails("plan"), "two resources of this configuration use secret/ci/paistrike")
			s.wantLive(2) // the first is in its overlap
			person.write(c.stays)
			// The first resource lost its entry: its apply fails if it runs before the
			// copy is removed.
			out, err := person.Run(t.Context(), "apply", "-auto-approve", "-no-color")
			s.wantSays(out.Stdout+out.Stderr, c.then)
			if err != nil {
				person.apply()
			}
			person.apply()
			s.wantWorks("the secret", s.secret(standardPath), true)
			s.advance(25 * time.Hour)
			person.apply()
			s.wantSays(person.run("plan"), "No changes.")
			s.wantLive(1)
		})
	}
}

// An intentional takeover happens once: the former owner does not take the entry back. The
// old token keeps its overlap.
func TestTakenOver(t *testing.T) {
	s := newStage(t)
	var first string
	taken := edit(zapier, `path = "ci/paistrike"`, `path = "ci/paistrike", adopt = true`)
	s.play(
		act{config: standard, after: func() { first = s.secret(standardPath) }},
		act{config: standard + taken, fails: `two resources of this configuration use secret/ci/paistrike`},
		act{
			config: taken, unsound: true, // the first token is in the record, and no longer in a resource
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

// The former owner may move to another path.
func TestMoveAwayWhenTakenOver(t *testing.T) {
	s := newStage(t)
	taken := edit(zapier, `path = "ci/paistrike"`, `path = "ci/paistrike", adopt = true`)
	moved := edit(standard, "ci/paistrike", "build/paistrike")
	s.play(
		act{config: standard},
		act{config: standard + taken, fails: `two resources of this configuration use secret/ci/paistrike`},
		act{
			config: moved + taken, plan: rotates("secret_moved"), state: state(secretVersion(2), previous(1)),
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
	onOneCLI(t)
	s := newStage(t, testparts.WithMount("secret"), testparts.WithKV1("old"))
	s.play(
		act{
			config: edit(standard, `mount = "secret"`, `mount = "old"`),
			fails:  "Error: Vault mount is not KV version 2 ... PS303: old/ is KV version 1, which has no check-and-set. Safe rotation requires version 2. Nothing was created or changed at old/ci/paistrike.",
		},
	)
	s.wantCalls(s.apiCalls(), "POST", 0)
}
