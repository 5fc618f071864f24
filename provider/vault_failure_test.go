package provider_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
	"github.com/paistrike/terraform-provider-paistrike/internal/testparts"
)

// publishing matches the write of the secret.
func publishing(f testparts.Fault) testparts.Fault {
	f.Method, f.Path = "PUT", "secret/data/**"
	return f
}

func mirroring(f testparts.Fault) testparts.Fault {
	f.Method, f.Path = "PATCH", "secret/metadata/**"
	return f
}

func (s *stage) inject(f testparts.Fault) func() {
	return func() { testparts.Inject(s.T, s.vaultURL, f) }
}
func (s *stage) mend()   { testparts.ClearFaults(s.T, s.vaultURL) }
func (s *stage) seal()   { s.must(http.MethodPut, "sys/seal", nil) }
func (s *stage) unseal() { s.must(http.MethodPut, "sys/unseal", nil) }

func TestVaultSealed(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	const sealed = "Error: Vault is sealed ... PS301: Nothing was created or changed at secret/ci/paistrike. Unseal Vault, then run again."
	s.play(
		act{before: s.seal, config: standard, fails: sealed},
		act{before: func() { s.unseal(); s.wantCalls(s.apiCalls(), "POST", 0) }, config: standard, plan: creates()},
		act{
			before: s.later(31 * day), config: standard, fails: sealed,
			plan: append(rotates("period"), between(s.seal)),
		},
		act{
			before: func() { s.unseal(); s.wantCalls(s.apiCalls(), "POST", 1) },
			config: standard, plan: rotates("period"), state: state(secretVersion(2), previous(1)),
		},
	)
}

// A plan that writes nothing needs no Vault: it reports what it does not know.
func TestVaultSealedAtRefresh(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	person := s.terminal(standard)
	person.apply()
	s.seal()
	plan := person.run("plan")
	s.wantSays(plan, "No changes.")
	s.wantSays(plan, "Warning: Secret store not read: Vault is sealed ... PS301: The state was not refreshed from the store, and this plan does not show drift there. Nothing was created or changed at secret/ci/paistrike. Unseal Vault, then run again. Cause: reading sys/internal/ui/mounts/secret: Vault answered 503 (sealed)")
	s.unseal()
	s.wantSilent(person.run("plan"), "not consulted")
}

// A missing permission of the Vault token is reported before a token is minted.
func TestVaultTokenLacksARight(t *testing.T) {
	onOneCLI(t)
	rows := []struct{ rules, says string }{
		{
			"secret/data/ci/*:read;secret/metadata/ci/*:read,patch",
			"Error: Vault token lacks a permission ... PS302: The Vault token lacks capabilities on secret/data/ci/paistrike: create, update (it has: read). Nothing was created or changed at secret/ci/paistrike. Add them to its policy.",
		},
		{
			"secret/data/ci/*:create,update,read;secret/metadata/ci/*:read",
			"Error: Vault token lacks a permission ... PS302: The Vault token lacks capabilities on secret/metadata/ci/paistrike: patch (it has: read). Nothing was created or changed at secret/ci/paistrike. Add them to its policy.",
		},
		{
			"secret/data/ci/*:create,update,read",
			"Error: Vault token lacks a permission ... PS302: Nothing was created or changed at secret/ci/paistrike. Add the path in the message to the policy of the Vault token. Vault returns the same error for a path that does not exist. ... secret/metadata/ci/paistrike",
		},
	}
	name := func(i int) string { return fmt.Sprintf("token-of-little-power-%d", i) }
	var tokens []testparts.KVOption
	for i, row := range rows {
		tokens = append(tokens, testparts.WithToken(name(i), row.rules))
	}
	s := newStage(t, tokens...)
	var acts []act
	for i, row := range rows {
		acts = append(acts, act{before: func() { s.env["VAULT_TOKEN"] = name(i) }, config: standard, fails: row.says})
	}
	s.play(append(acts, act{
		before: func() {
			s.env["VAULT_TOKEN"] = s.vaultRoot
			s.wantCalls(s.apiCalls(), "POST", 0)
		},
		config: standard, plan: creates(),
	})...)
}

// The permissions that a rotation needs are sufficient, without permission to delete or
// destroy.
func TestVaultTokenOfARotator(t *testing.T) {
	onOneCLI(t)
	const rotator = "token-of-a-rotator"
	s := newStage(t, testparts.WithToken(rotator, "secret/data/ci/*:create,update,read;secret/metadata/ci/*:read,patch"))
	s.env["VAULT_TOKEN"] = rotator
	s.play(
		act{config: standard, plan: creates(), state: state(secretVersion(1))},
		act{before: s.later(31 * day), config: standard, plan: rotates("period"), state: state(secretVersion(2))},
		act{before: s.later(25 * time.Hour), config: standard, plan: retires()},
		act{config: empty, fails: `Error: Destroy incomplete ... PS604: All tokens of secret/ci/paistrike are revoked and its current version contains no secret, but the entry could not be closed. Run again, or set on_destroy = "keep".`},
		act{before: func() { s.wantLive(0); s.env["VAULT_TOKEN"] = s.vaultRoot }, config: empty},
	)
}

// The write of the secret fails. The minted token reached no one. It is revoked at once,
// or by the next run that writes if it might still be published.
func TestPublishFails(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	acts := []act{{config: standard, after: s.later(31 * day)}}
	broken := func(live int, fault testparts.Fault) func() {
		return func() {
			s.mend()
			s.wantLive(live)
			if v := s.entry(standardPath).Version; v != 1 {
				t.Errorf("Vault serves version %d", v)
			}
			fault.Count = -1
			s.inject(publishing(fault))()
		}
	}
	acts = append(acts, act{
		before: broken(1, testparts.Fault{Status: 403}), config: standard,
		fails: "Error: Token created but not stored ... PS210: The store refused the write of generation 2 of secret/ci/paistrike, so token tok_... was not published. It was revoked. secret/ci/paistrike still serves token tok_... Grant the Vault token create and update on secret/data/ci/paistrike. Cause: writing secret/data/ci/paistrike: Vault answered 403",
	}, act{
		before: broken(1, testparts.Fault{Status: 500}), config: standard,
		fails: "Error: Token created, but it is unknown whether it was stored ... PS205: The store did not confirm that token tok_... was published as generation 3 of secret/ci/paistrike. The token was left active, because the write may still take effect; a later run adopts or revokes it. secret/ci/paistrike still serves token tok_... Run again when the store responds.",
	}, act{
		before: broken(2, testparts.Fault{Lose: "request"}), config: standard,
		fails: "Error: Token created, but it is unknown whether it was stored ... PS205: The store did not confirm that token tok_... was published as generation 3 of secret/ci/paistrike.",
	}, act{
		before: func() { s.mend(); s.wantLive(3) }, config: standard,
		// The tokens that may be in flight are for the same generation: check-and-set
		// decides.
		plan: rotates("period"), state: state(secretVersion(3), previous(1)), after: func() { s.wantLive(2) },
	})
	s.play(acts...)
}

// For the first token of a path, the create fails without a state, and the next create
// cleans up.
func TestFirstPublishFails(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	s.play(
		act{
			before: s.inject(publishing(testparts.Fault{Status: 500, Count: -1})), config: standard,
			fails: "Error: Token created, but it is unknown whether it was stored ... PS205: The store did not confirm that token tok_... was published as generation 1 of secret/ci/paistrike.",
		},
		act{
			before: func() { s.mend(); s.wantLive(1) }, config: standard, plan: creates(),
			state: state(secretVersion(1), previous(0)), after: func() { s.wantLive(1) },
		},
	)
}

// A write whose response does not match its outcome is resolved by reading back.
func TestRotateInSpiteOfVault(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	rows := map[string]testparts.Fault{
		"a connection cut before the work": {Lose: "request"},
		"a connection cut after the work":  {Lose: "response"},
		"502 before the work":              {Status: 502},
		"502 after the work":               {Status: 502, After: true},
		"400 after the work":               {Status: 400, After: true, Body: `{"errors":["check-and-set parameter did not match the current version"]}`},
		"HTML after the work":              {Status: 200, After: true, Body: "<html>"},
	}
	var minted int
	s.rotateInSpiteOf(slices.Sorted(maps.Keys(rows)),
		func(row string) { minted = s.minted(); s.inject(publishing(rows[row]))() },
		func(row string) {
			if got := s.minted() - minted; got != 1 {
				t.Errorf("%s: %d tokens were minted, want 1", row, got)
			}
		})
}

// onVerify calls do when a new token has been minted and is not yet in Vault.
func (s *stage) onVerify(do func()) func() {
	var done atomic.Bool // set before do, which may verify as well
	return func() {
		s.whenCalled(func(r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/self") && !strings.Contains(r.URL.RawQuery, byConsumer) && !done.Swap(true) {
				do()
			}
		})
	}
}

// Of two concurrent runs, one publishes and the other's token is revoked. Both agree on
// the result.
func TestSchedulerWinsTheRace(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	s.play(
		act{config: standard},
		act{
			before: func() { s.advance(31 * day); s.onVerify(func() { s.runScheduler() })() }, config: standard,
			plan: rotates("period"), state: state(secretVersion(2), previous(1)),
			after: func() {
				if s.minted() != 3 {
					t.Errorf("%d tokens were minted, want 3", s.minted())
				}
				s.wantLive(2)
			},
		},
	)
}

// If someone writes manually during a rotation, the new token is published on top.
func TestSomeoneWritesDuringARotation(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	s.play(
		act{config: standard},
		act{
			before: func() { s.advance(31 * day); s.onVerify(func() { s.writeByHand(standardPath, someonesSecret) })() },
			config: standard, plan: rotates("period"), state: state(secretVersion(3), previous(1)),
			after: func() { s.wantLive(2) },
		},
	)
}

// If someone writes manually during a create, the entry is theirs.
func TestSomeoneWritesDuringACreate(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	s.play(
		act{
			before: s.onVerify(func() { s.writeByHand(standardPath, someonesSecret) }), config: standard,
			fails: "Error: Entry is not managed by paistrike ... PS208: secret/ci/paistrike contains a secret that paistrike did not write",
		},
		act{config: empty, after: func() { s.wantLive(0) }},
	)
	if s.secret(standardPath) != someonesSecret {
		t.Error("someone's secret was touched")
	}
}

// If custom metadata cannot be written, the secret is still correct. The next run writes
// the metadata without a new token.
func TestMirrorFails(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	broken := s.inject(mirroring(testparts.Fault{Status: 500, Count: -1}))
	s.play(
		act{
			before: broken, config: standard, unsound: true, due: true, state: state(secretVersion(1), text("status", "active")),
			after: func() { s.wantWorks("the secret", s.secret(standardPath), true) },
		},
		act{before: s.mend, config: standard, state: state(secretVersion(1), previous(0))},
		act{
			before: func() { s.advance(31 * day); broken() }, config: standard, plan: rotates("period"),
			unsound: true, due: true, state: state(secretVersion(2), previous(1)),
		},
		act{
			before: s.mend, config: standard, state: state(secretVersion(2), previous(1)),
			after: func() { s.wantCalls(s.apiCalls(), "POST", 2) },
		},
	)
}

// A failed destroy keeps the resource. Each attempt gets as far as it can, and the next
// continues from there.
func TestDestroyFails(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	broken := func(live int, breaks func()) func() {
		return func() {
			s.unseal()
			s.mend()
			s.paistrike.ClearFaults()
			s.wantLive(live)
			breaks()
		}
	}
	s.play(
		act{config: standard},
		act{before: broken(1, s.seal), config: empty, fails: "Error: Vault is sealed ... PS301:"},
		act{
			before: broken(1, s.inject(publishing(testparts.Fault{Status: 500, Count: -1}))), config: empty,
			fails: "Error: Destroy not started ... PS602: The store did not confirm generation 2 of secret/ci/paistrike, which closes the entry, so no token was revoked. secret/ci/paistrike still serves token tok_... Run again when the store responds.",
		},
		act{
			before: broken(1, func() { s.paistrike.AddFaults(always(sandbox.Fault{Method: "DELETE", Status: 500})) }), config: empty,
			fails: "Error: Destroy incomplete ... PS601: PAIStrike did not confirm that these tokens are revoked: tok_... secret/ci/paistrike no longer serves a token, and no run can publish a new one there. Run again.",
		},
		act{
			before: broken(1, s.inject(mirroring(testparts.Fault{Status: 500, Count: -1}))), config: empty,
			fails: "Error: Destroy incomplete ... PS604: All tokens of secret/ci/paistrike are revoked and its current version contains no secret, but the entry could not be closed. Run again, or set on_destroy = \"keep\". Cause: ... secret/metadata/ci/paistrike",
		},
		act{
			before: broken(0, s.inject(testparts.Fault{Path: "secret/delete/**", Status: 500, Count: -1})), config: empty,
			fails: "Error: Destroy incomplete ... PS604: All tokens of secret/ci/paistrike are revoked and its current version contains no secret, but the entry could not be closed. Run again, or set on_destroy = \"keep\". Cause: ... secret/delete/ci/paistrike",
		},
		act{
			before: broken(0, func() {}), config: empty,
			after: func() {
				if got := s.versions(standardPath); got["1"] != "deleted" || got["2"] != "deleted" {
					t.Errorf("versions are %v", got)
				}
			},
		},
	)
}
