package provider_test

import (
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/plancheck"

	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/vaultkv"
)

// standardLocation is where [standard] has its secret.
func standardLocation() vaultkv.Location {
	return vaultkv.Location{Mount: "secret", Path: standardPath, Key: "token"}
}

// scheduler is another program that rotates by the schedule in Vault.
func (s *stage) scheduler() *rotation.Engine {
	s.Helper()
	api, err := paistrike.New(paistrike.Config{Endpoint: s.apiURL, Token: paistrike.NewSecret(s.env["PAISTRIKE_API_TOKEN"]), Sleep: noPause})
	if err != nil {
		s.Fatal(err)
	}
	vault, err := vaultkv.New(vaultkv.Config{
		Address: s.vaultURL, Login: vaultkv.Login{Method: vaultkv.MethodToken, Token: paistrike.NewSecret(s.vaultRoot)}, Sleep: noPause,
	})
	if err != nil {
		s.Fatal(err)
	}
	return rotation.New(rotation.PAIStrike{Client: api}, vault, rotation.WithSleep(noPause))
}

// runScheduler lets the scheduler do what is due for [standard].
func (s *stage) runScheduler() rotation.Result {
	s.Helper()
	engine := s.scheduler()
	view, err := engine.Inspect(s.Context(), standardLocation())
	if err != nil {
		s.Fatal(err)
	}
	text := rotation.ScheduleIn(view.Mirror)
	policy, err := text.Policy(view.Mirror.ExpiresAt)
	if err != nil {
		s.Fatal(err)
	}
	result, err := engine.Run(s.Context(), rotation.Request{
		At: vaultkv.Location{Mount: "secret", Path: standardPath}, Policy: policy, Schedule: text, Wish: rotation.IfDue,
	})
	if err != nil {
		s.Fatal(err)
	}
	return result
}

// between does something after the plan was made and before it is applied.
func between(do func()) plancheck.PlanCheck {
	return planCheck(func(plancheck.CheckPlanRequest) error { do(); return nil })
}

// Whichever runs first rotates. The other sees it and agrees: it is no drift.
func TestRotatedByTheScheduler(t *testing.T) {
	s := newStage(t)
	s.play(
		act{config: standard},
		act{
			before: func() {
				s.advance(31 * day)
				if result := s.runScheduler(); !result.Rotated {
					t.Error("the scheduler did not rotate")
				}
			},
			config: standard, plan: nothing(),
			state: state(vaultVersion(2), previous(1), text("rotate_at", "2026-03-07T09:00:00Z"), text("status", "active")),
			after: func() { s.wantCalls(s.apiCalls(), "POST", 2) },
		},
		act{before: s.later(25 * time.Hour), config: standard, plan: retires(), state: state(previous(0))},
	)
}

// The scheduler ended the overlap too.
func TestRetiredByTheScheduler(t *testing.T) {
	s := newStage(t)
	s.play(
		act{config: standard},
		act{before: s.later(31 * day), config: standard, plan: rotates("period"), state: state(previous(1))},
		act{
			before: func() { s.advance(25 * time.Hour); s.runScheduler() }, config: standard,
			plan: nothing(), state: state(previous(0), vaultVersion(2)),
		},
	)
}

// A plan that waited for its approval while the scheduler rotated does not rotate
// once more.
func TestOldPlanDoesNotRotateAgain(t *testing.T) {
	s := newStage(t)
	s.play(
		act{config: standard},
		act{
			before: s.later(31 * day), config: standard,
			plan: append(rotates("period"), between(func() {
				if !s.runScheduler().Rotated {
					t.Error("the scheduler did not rotate")
				}
			})),
			state: state(vaultVersion(2), previous(1)),
			after: func() { s.wantCalls(s.apiCalls(), "POST", 2) },
		},
	)
}

// The same where somebody had revoked the token, and the scheduler healed it first.
func TestOldPlanDoesNotHealAgain(t *testing.T) {
	s := newStage(t)
	s.play(
		act{config: standard},
		act{
			before: s.revoke, config: standard,
			plan:  append(rotates("revoked"), between(func() { s.runScheduler() })),
			state: state(vaultVersion(2), previous(0), text("status", "active")),
			after: func() { s.wantCalls(s.apiCalls(), "POST", 2) },
		},
	)
}

// What the user asked for by a trigger is done, although the scheduler rotated too.
func TestOldPlanStillDoesWhatTheUserAsked(t *testing.T) {
	s := newStage(t)
	config := edit(standard, `overlap = "24h"`, `overlap = "24h", triggers = { incident = "1" }`)
	s.play(
		act{config: standard},
		act{
			before: s.later(31 * day), config: config,
			plan:  append(rotates("triggers_changed"), between(func() { s.runScheduler() })),
			state: state(vaultVersion(3), previous(2)),
		},
	)
}

// An approval may take longer than the rotation's time is away: the plan that was
// approved is what is applied, and the next plan rotates.
func TestClockPassesTheRotationBetweenPlanAndApply(t *testing.T) {
	s := newStage(t)
	changed := edit(standard, `"24h"`, `"48h"`)
	s.play(
		act{config: standard},
		act{
			config: changed, plan: append(keeps(), between(s.later(31*day))), due: true,
			state: state(vaultVersion(1)),
		},
		act{config: changed, plan: rotates("period"), state: state(vaultVersion(2))},
	)
}

func TestClockPassesTheWindowBetweenPlanAndApply(t *testing.T) {
	s := newStage(t)
	s.play(
		act{config: scheduled},
		act{
			before: s.at("2026-01-11 09:16:00"), config: scheduled,
			plan: append(rotates("schedule"), between(s.later(time.Hour))), state: state(vaultVersion(2)),
		},
	)
}

// What is ripe at the apply is retired, although it was not at the plan.
func TestClockPassesTheOverlapBetweenPlanAndApply(t *testing.T) {
	s := newStage(t)
	changed := edit(standard, `"24h"`, `"48h"`)
	s.play(
		act{config: standard},
		act{before: s.later(31 * day), config: standard, plan: rotates("period")},
		act{config: changed, plan: append(keeps(), between(s.later(25*time.Hour))), state: state(previous(0)), after: func() { s.wantLive(1) }},
	)
}

func TestClockPassesTheEndBetweenPlanAndApply(t *testing.T) {
	s := newStage(t)
	s.play(act{
		config: edit(standard, `expires_in = "90d"`, `expires_at = "2026-01-05T10:00:00Z"`, `period = "30d", `, ""),
		plan:   []plancheck.PlanCheck{between(s.later(2 * time.Hour))},
		fails:  "Error: Expiry is in the past ... expires_at is 2026-01-05T10:00:00Z, and PAIStrike's clock says 2026-01-05T11:00:00Z. Nothing was created.",
	})
	s.wantCalls(s.apiCalls(), "POST", 0)
}
