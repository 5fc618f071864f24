package provider_test

import (
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/plancheck"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/fleet"
	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/vault"
)

// runScheduler runs the scheduled workflow once and returns its result for [standard].
func (s *stage) runScheduler() fleet.Entry {
	s.Helper()
	api, err := paistrike.New(paistrike.Config{Endpoint: s.apiURL, Token: secret.New(s.env["PAISTRIKE_API_TOKEN"]), Sleep: noPause})
	if err != nil {
		s.Fatal(err)
	}
	client, err := vault.New(vault.Config{
		Address: s.vaultURL, Login: vault.Login{Method: vault.MethodToken, Token: secret.New(s.vaultRoot)}, Sleep: noPause,
	})
	if err != nil {
		s.Fatal(err)
	}
	store := vault.NewStore(client)
	engine := rotation.New(rotation.PAIStrike{Client: api}, store, rotation.WithSleep(noPause), rotation.WithNow(s.paistrike.Clock().Now))
	entries, err := fleet.Walk(s.Context(), store, entry.Location{Mount: "secret"}, 1)
	if err != nil {
		s.Fatal(err)
	}
	report, err := fleet.Rotate(s.Context(), engine, entries, fleet.Options{})
	if err != nil || report.Failed > 0 {
		s.Fatal(report, err)
	}
	for _, e := range report.Entries.All() {
		if e.Path == standardPath {
			return e
		}
	}
	return fleet.Entry{}
}

// between calls do after the plan was made and before it is applied.
func between(do func()) plancheck.PlanCheck {
	return planCheck(func(plancheck.CheckPlanRequest) error { do(); return nil })
}

// Whichever side runs first rotates. The other side accepts the result: this is not drift.
func TestRotatedByTheScheduler(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	s.play(
		act{config: standard},
		act{
			before: func() {
				s.advance(31 * day)
				if s.runScheduler().Outcome != fleet.Rotated {
					t.Error("the scheduler did not rotate")
				}
			},
			config: standard, plan: nothing(),
			state: state(secretVersion(2), previous(1), text("rotate_at", "2026-03-07T09:00:00Z"), text("status", "active")),
			after: func() { s.wantCalls(s.apiCalls(), "POST", 2) },
		},
		act{before: s.later(25 * time.Hour), config: standard, plan: retires(), state: state(previous(0))},
	)
}

// Month after month either side may rotate, but never both.
func TestEitherSideRotatesAndNeverBoth(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	outside := func(want fleet.Outcome) func() {
		return func() {
			if got := s.runScheduler(); got.Outcome != want {
				t.Errorf("the scheduler: %+v, want %s", got, want)
			}
		}
	}
	s.play(
		act{config: standard, after: outside(fleet.Current)},
		act{
			before: func() { s.advance(31 * day); outside(fleet.Rotated)() }, config: standard, plan: nothing(), state: state(secretVersion(2)),
			after: outside(fleet.Current),
		},
		act{before: s.later(31 * day), config: standard, plan: rotates("period"), state: state(secretVersion(3)), after: outside(fleet.Current)},
		act{
			before: func() { s.advance(25 * time.Hour); outside(fleet.Settled)() }, config: standard, plan: nothing(), state: state(previous(0)),
			after: func() { s.wantCalls(s.apiCalls(), "POST", 3); s.wantLive(1) },
		},
	)
}

// A changed policy in Terraform changes the schedule in Vault without a rotation. The
// scheduler follows it from then on.
func TestSchedulerGoesByAChangedPolicy(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	s.play(
		act{config: standard},
		act{
			config: edit(standard, `period = "30d"`, `period = "20d", on_revoked = "error"`), plan: republishes(), state: state(secretVersion(2)),
			after: func() {
				s.wantCalls(s.apiCalls(), "POST", 1)
				s.advance(21 * day)
				if got := s.runScheduler(); got.Outcome != fleet.Rotated || got.Reason != schedule.ReasonPeriod {
					t.Errorf("the scheduler: %+v", got)
				}
			},
		},
	)
}

// The scheduler also ended the overlap.
func TestRetiredByTheScheduler(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	s.play(
		act{config: standard},
		act{before: s.later(31 * day), config: standard, plan: rotates("period"), state: state(previous(1))},
		act{
			before: func() { s.advance(25 * time.Hour); s.runScheduler() }, config: standard,
			plan: nothing(), state: state(previous(0), secretVersion(2)),
		},
	)
}

// If the scheduler rotates while a plan waits for approval, its apply does not rotate
// again.
func TestOldPlanDoesNotRotateAgain(t *testing.T) {
	s := newStage(t)
	s.play(
		act{config: standard},
		act{
			before: s.later(31 * day), config: standard,
			plan: append(rotates("period"), between(func() {
				if s.runScheduler().Outcome != fleet.Rotated {
					t.Error("the scheduler did not rotate")
				}
			})),
			state: state(secretVersion(2), previous(1)),
			after: func() { s.wantCalls(s.apiCalls(), "POST", 2) },
		},
	)
}

// The same applies if someone revoked the token and the scheduler replaced it first.
func TestOldPlanDoesNotHealAgain(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	s.play(
		act{config: standard},
		act{
			before: s.revoke, config: standard,
			plan:  append(rotates("revoked"), between(func() { s.runScheduler() })),
			state: state(secretVersion(2), previous(0), text("status", "active")),
			after: func() { s.wantCalls(s.apiCalls(), "POST", 2) },
		},
	)
}

// A rotation that the user requested by a trigger is carried out although the scheduler
// rotated too.
func TestOldPlanStillDoesWhatTheUserAsked(t *testing.T) {
	s := newStage(t)
	config := edit(standard, `overlap = "24h"`, `overlap = "24h", triggers = { incident = "1" }`)
	s.play(
		act{config: standard},
		act{
			before: s.later(31 * day), config: config,
			plan:  append(rotates("triggers_changed"), between(func() { s.runScheduler() })),
			state: state(secretVersion(3), previous(2)),
		},
	)
}

// If a rotation becomes due during the approval, the approved plan is applied unchanged,
// and the next plan rotates.
func TestClockPassesTheRotationBetweenPlanAndApply(t *testing.T) {
	s := newStage(t)
	changed := edit(standard, `"24h"`, `"48h"`)
	s.play(
		act{config: standard},
		act{
			config: changed, plan: append(republishes(), between(s.later(31*day))), due: true,
			state: state(secretVersion(2)),
		},
		act{config: changed, plan: rotates("period"), state: state(secretVersion(3))},
	)
}

func TestClockPassesTheWindowBetweenPlanAndApply(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	s.play(
		act{config: scheduled},
		act{
			before: s.at("2026-01-11 09:16:00"), config: scheduled,
			plan: append(rotates("schedule"), between(s.later(time.Hour))), state: state(secretVersion(2)),
		},
	)
}

// If an overlap ends between plan and apply, the apply retires the token.
func TestClockPassesTheOverlapBetweenPlanAndApply(t *testing.T) {
	s := newStage(t)
	changed := edit(standard, `"24h"`, `"48h"`)
	s.play(
		act{config: standard},
		act{before: s.later(31 * day), config: standard, plan: rotates("period")},
		act{config: changed, plan: append(republishes(), between(s.later(25*time.Hour))), state: state(previous(0)), after: func() { s.wantLive(1) }},
	)
}

func TestClockPassesTheEndBetweenPlanAndApply(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	s.play(act{
		config: edit(standard, `expires_in = "90d"`, `expires_at = "2026-01-05T10:00:00Z"`, `period = "30d", `, ""),
		plan:   []plancheck.PlanCheck{between(s.later(2 * time.Hour))},
		fails:  "Error: Expiry is in the past ... expires_at is 2026-01-05T10:00:00Z, but PAIStrike's clock is at 2026-01-05T11:00:00Z. Nothing was created.",
	})
	s.wantCalls(s.apiCalls(), "POST", 0)
}
