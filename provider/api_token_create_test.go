package provider_test

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/paistrike/terraform-provider-paistrike/internal/testparts"
)

func TestCreate(t *testing.T) { overBoth(t, create) }

func create(s *stage) {
	s.play(act{
		config: standard,
		plan: append(creates(),
			plancheck.ExpectKnownValue(ci, tfjsonpath.New("rotation_reason"), knownvalue.StringExact("created")),
			plancheck.ExpectUnknownValue(ci, tfjsonpath.New("token_id")),
		),
		state: state(
			text("status", "active"), text("rotation_reason", "created"), secretVersion(1), previous(0),
			text("created_at", "2026-01-05T09:00:00Z"),
			text("expires_at", "2026-04-05T09:00:00Z"),
			text("rotate_at", "2026-02-04T09:00:00Z"),
		),
		after: func() {
			s.wantLive(1)
			s.wantWorks("the secret in Vault", s.secret(standardPath), true)
		},
	})
}

func TestCreateThatNeverExpires(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	s.play(act{
		config: edit(standard, `"90d"`, `"never"`),
		state: state(
			attribute("expires_at", knownvalue.Null()), text("rotate_at", "2026-02-04T09:00:00Z"),
		),
	})
}

func TestCreateWithoutRotation(t *testing.T) {
	s := newStage(t)
	config := edit(standard, `  rotation   = { period = "30d", overlap = "24h" }`+"\n", "")
	s.play(
		act{config: config, state: state(attribute("rotate_at", knownvalue.Null()))},
		act{before: s.later(89 * day), config: config, planOnly: true, plan: nothing()},
	)
}

func TestCreateAtAnotherKeyOfANestedMount(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	s.play(act{
		config: edit(standard, `path = "ci/paistrike"`, `path = "a/b/c", key = "PAISTRIKE_API_TOKEN"`),
		after: func() {
			s.wantWorks("the secret", s.entry("a/b/c").text("PAISTRIKE_API_TOKEN"), true)
		},
	})
}

// The expiry that PAIStrike grants is authoritative.
func TestCreateWhereExpiryIsADate(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	policy := s.paistrike.Policy()
	policy.DateOnly = true
	s.paistrike.SetPolicy(policy)
	s.play(act{config: standard, state: state(text("expires_at", "2026-04-06T00:00:00Z"))})
}

// The first apply was killed between the publication of the secret and the update of the
// custom metadata, and its state is lost. The next create takes the entry over without
// adopt.
func TestCreateAfterAKill(t *testing.T) {
	s := newStage(t)
	s.play(
		act{before: s.inject(mirroring(testparts.Fault{Status: 500, Count: -1})), config: standard, unsound: true, due: true},
		act{before: s.mend, config: forgotten, unsound: true, after: func() { s.wantLive(1) }},
		act{config: standard, plan: creates(), newID: true, state: state(secretVersion(2), previous(1))},
	)
}
