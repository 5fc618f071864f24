package provider_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/plancheck"
)

// revoke revokes the token of [standard] on PAIStrike's own page.
func (s *stage) revoke() { s.paistrike.Revoke(s.entry(standardPath).serves()) }

// onRevoked returns [standard] with a value of on_revoked.
func onRevoked(answer string) string {
	return edit(standard, `overlap = "24h"`, `overlap = "24h", on_revoked = "`+answer+`"`)
}

func TestRevokedElsewhere(t *testing.T) { overBoth(t, revokedElsewhere) }

func revokedElsewhere(s *stage) {
	s.play(
		act{config: standard},
		act{
			before: s.revoke, config: standard, plan: rotates("revoked"),
			state: state(text("status", "active"), secretVersion(2), previous(0)),
			after: func() { s.wantWorks("the secret", s.secret(standardPath), true) },
		},
	)
}

func TestRevokedElsewhereIsAnError(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	config := onRevoked("error")
	s.play(
		act{config: config},
		act{
			before: s.revoke, config: config,
			fails: `Error: Token was revoked outside Terraform ... rotation.on_revoked = "error" does not allow replacing it.`,
		},
		act{
			before: func() { s.wantCalls(s.apiCalls(), "POST", 1) }, config: onRevoked("rotate"), plan: rotates("revoked"),
			state: state(text("status", "active"), secretVersion(2)),
		},
	)
}

// on_revoked = "error" does not prevent a rotation that the user requests.
func TestTriggerHealsWhereRevokedIsAnError(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	config := onRevoked("error")
	s.play(
		act{config: config},
		act{before: s.revoke, config: edit(config, `overlap = "24h"`, `overlap = "24h", triggers = { a = "b" }`), plan: rotates("triggers_changed"), state: state(secretVersion(2), previous(0))},
	)
}

func TestRevokedElsewhereIsIgnored(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	config := onRevoked("ignore")
	s.play(
		act{config: config},
		act{before: s.revoke, config: config, plan: nothing(), state: state(text("status", "revoked"), secretVersion(1))},
	)
}

// A token that is neither listed nor found is replaced if PAIStrike lists another token of
// the entry: that proves that the account is the right one.
func TestDeletedElsewhere(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	s.play(
		act{config: standard},
		act{before: s.later(31 * day), config: standard, plan: rotates("period")},
		act{
			before: func() { s.paistrike.Forget(s.entry(standardPath).serves()) }, unsound: true,
			config: standard, plan: rotates("not_found"), state: state(text("status", "active"), secretVersion(3)),
		},
	)
}

// If PAIStrike lists no other token of the entry, the account may be a different one.
// Nothing is minted: the plan warns and its apply fails. A rotation that the user requests
// counts as consent.
func TestUnknownToTheAccount(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	person := s.terminal(standard)
	person.apply()
	served := s.entry(standardPath)
	s.paistrike.Forget(served.serves())
	s.wantSays(person.run("plan"), "Plan: 0 to add, 1 to change, 0 to destroy. ... Warning: Token is not known to this PAIStrike account ... PS112")
	s.wantSays(person.fails("apply", "-auto-approve"), "Error: Token is not known to this PAIStrike account ... PS112: PAIStrike does not know token "+served.serves())
	if s.minted() != 0 || s.entry(standardPath).Version != served.Version {
		t.Error("something was minted or written")
	}
	person.write(edit(standard, `overlap = "24h"`, `overlap = "24h", triggers = { account = "new" }`))
	s.wantSays(person.apply(), "Warning: Token of another account is left behind ... PS113: This PAIStrike account does not know token "+served.serves())
	s.wantWorks("the secret", s.secret(standardPath), true)
	s.wantSays(person.run("plan"), "No changes.")
}

// If someone overwrote the secret, consumers may be broken. They get a new token, and the
// old one, which some still use, keeps its overlap.
func TestOverwrittenByHand(t *testing.T) { overBoth(t, overwrittenByHand) }

func overwrittenByHand(s *stage) {
	var first string
	s.play(
		act{config: standard, after: func() { first = s.secret(standardPath) }},
		act{
			before: func() { s.writeByHand(standardPath, "a secret of someone's own") },
			config: standard, plan: rotates("secret_changed"), state: state(secretVersion(2), previous(1)),
			after: func() { s.wantWorks("the old token", first, true) },
		},
		act{
			before: s.later(25 * time.Hour), config: standard, plan: retires(), state: state(previous(0)),
			after: func() { s.wantWorks("the old token", first, false) },
		},
	)
}

// The secret is removed in several ways while the token works. Consumers that still use
// the token keep it for its overlap.
func TestSecretTakenAway(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	held := map[string]bool{}
	stillWork := func() {
		for secret := range held {
			s.wantWorks("a token from before", secret, true)
		}
		held[s.secret(standardPath)] = true
	}
	s.play(
		act{config: standard, after: stillWork},
		act{
			before: func() { s.must(http.MethodDelete, "secret/data/"+standardPath, nil) }, config: standard,
			plan: rotates("secret_deleted"), state: state(secretVersion(2), previous(1)), after: stillWork,
		},
		act{
			before: func() { s.must(http.MethodPut, "secret/destroy/"+standardPath, map[string]any{"versions": []int{2}}) }, config: standard,
			plan: rotates("secret_deleted"), state: state(secretVersion(3), previous(2)), after: stillWork,
		},
		act{
			before: func() { s.must(http.MethodDelete, "secret/metadata/"+standardPath, nil) }, config: standard,
			plan: rotates("secret_missing"), state: state(secretVersion(4), previous(3)), after: stillWork,
		},
		act{before: s.later(2 * day), config: standard, plan: retires(), state: state(previous(0)), after: func() { s.wantLive(1) }},
	)
}

// If both token and entry are gone, there is nothing left to manage, and the plan reports
// that.
func TestTokenAndEntryAreGone(t *testing.T) { overBoth(t, tokenAndEntryAreGone) }

func tokenAndEntryAreGone(s *stage) {
	s.play(
		act{config: standard},
		act{
			before: func() {
				s.revoke()
				s.purgeByHand(standardPath)
			},
			config: standard, plan: creates(), state: state(secretVersion(2), previous(0)), newID: true,
		},
	)
}

// rollBack writes an older version again, as "vault kv rollback" does.
func (s *stage) rollBack(version string) {
	var old struct{ Data map[string]any }
	s.ask(http.MethodGet, "secret/data/"+standardPath+"?version="+version, nil, &old)
	s.must(http.MethodPut, "secret/data/"+standardPath, map[string]any{"data": old.Data})
}

// If someone goes back to a version with a working token, that token is accepted. The
// token that came after it is remembered until the next rotation.
func TestRolledBackToATokenThatWorks(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	var first string
	s.play(
		act{config: standard, after: func() { first = s.entry(standardPath).serves() }},
		act{config: edit(standard, "90d", "60d"), plan: rotates("expiry_changed")},
		act{
			before: func() { s.rollBack("1") }, config: edit(standard, "90d", "60d"), plan: rotates("secret_changed"), unsound: true,
			due: true, // until the next rotation the store has the schedule of the restored version
			after: func() {
				if e := s.entry(standardPath); e.serves() != first || e.Version != 3 {
					t.Errorf("version %d serves %s, want 3 and %s", e.Version, e.serves(), first)
				}
				s.wantLive(2)
			},
		},
		act{
			before: s.later(31 * day), config: edit(standard, "90d", "60d"), plan: rotates("period"),
			state: state(secretVersion(3), previous(2)), after: func() { s.wantLive(3) },
		},
		act{before: s.later(2 * day), config: edit(standard, "90d", "60d"), plan: retires(), state: state(previous(0))},
	)
}

// If someone goes back to a version with a revoked token, consumers get a new one.
func TestRolledBackToARevokedToken(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	s.play(
		act{config: standard},
		act{before: s.later(31 * day), config: standard, plan: rotates("period")},
		act{before: s.later(2 * day), config: standard, plan: retires()},
		act{
			before: func() { s.rollBack("1") }, config: standard, plan: rotates("secret_changed"),
			state: state(secretVersion(3), previous(1), text("status", "active")),
		},
		act{before: s.later(2 * day), config: standard, plan: retires(), state: state(previous(0))},
	)
}

// After an undelete, nothing needs to be done.
func TestUndeleted(t *testing.T) {
	s := newStage(t)
	s.play(
		act{config: standard},
		act{before: func() { s.must(http.MethodDelete, "secret/data/"+standardPath, nil) }, config: standard, planOnly: true, due: true, plan: rotates("secret_deleted")},
		act{
			before: func() {
				s.must(http.MethodPut, "secret/undelete/"+standardPath, map[string]any{"versions": []int{1}})
			},
			config: standard, plan: nothing(), state: state(secretVersion(1)),
		},
	)
}

// Custom metadata is only a mirror, so it is rebuilt if someone deletes it.
func TestCustomMetadataRebuilt(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	s.play(
		act{config: standard},
		act{
			before: func() {
				s.must(http.MethodPatch, "secret/metadata/"+standardPath, map[string]any{"custom_metadata": map[string]any{"paistrike_mirror_of": nil}})
			},
			config: standard, plan: []plancheck.PlanCheck{plancheck.ExpectResourceAction(ci, plancheck.ResourceActionUpdate)},
			state: state(secretVersion(1), previous(0)),
			after: func() { s.wantCalls(s.apiCalls(), "POST", 1) },
		},
	)
}

// If someone changes the schedule in Vault, the configuration takes precedence.
func TestScheduleChangedByHand(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	s.play(
		act{config: standard},
		act{
			before: func() {
				s.must(http.MethodPatch, "secret/metadata/"+standardPath, map[string]any{"custom_metadata": map[string]any{"paistrike_rotation_period": "365d"}})
			},
			config: standard, plan: republishes(), state: state(secretVersion(1), text("rotate_at", "2026-02-04T09:00:00Z")),
			after: func() {
				if period := s.custom(standardPath)["paistrike_rotation_period"]; period != "30d" {
					t.Errorf("the period in Vault is %q", period)
				}
			},
		},
	)
}
