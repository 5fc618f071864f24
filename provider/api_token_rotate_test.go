package provider_test

import (
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
)

func TestRotateByPeriod(t *testing.T) { overBoth(t, rotateByPeriod) }

func rotateByPeriod(s *stage) {
	var first, second string
	s.play(
		act{config: standard, after: func() { first = s.secret(standardPath) }},
		act{before: s.later(30*day - time.Second), config: standard, planOnly: true, plan: nothing()},
		act{
			before: s.later(time.Second), config: standard,
			plan:  rotates("period"),
			state: state(secretVersion(2), previous(1), text("rotate_at", "2026-03-06T09:00:00Z"), text("rotation_reason", "period")),
			after: func() {
				second = s.secret(standardPath)
				s.wantWorks("the new token", second, true)
				s.wantWorks("the old one, which a running job may hold", first, true)
				s.wantLive(2)
			},
		},
		act{
			before: s.later(24 * time.Hour), config: standard,
			plan:  retires(),
			state: state(secretVersion(2), previous(0), text("rotation_reason", "period")),
			after: func() {
				s.wantWorks("the old token after its overlap", first, false)
				s.wantWorks("the new token", second, true)
				s.wantLive(1)
			},
		},
	)
}

// scheduled replaces the token on Sundays from 03:17, within six hours.
const scheduled = `
resource "paistrike_api_token" "ci" {
  name       = "CI/CD Pipeline"
  expires_in = "30d"
  rotation   = { schedule = "17 3 * * 0", window = "6h", overlap = "24h", before_expiry = "7d" }
  vault      = { mount = "secret", path = "ci/paistrike" }
}
`

func TestRotateBySchedule(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	s.play(
		act{config: scheduled, state: state(text("rotate_at", "2026-01-11T03:17:00Z"))},
		act{before: s.at("2026-01-11 03:16:59"), config: scheduled, planOnly: true, plan: nothing()},
		act{
			before: s.at("2026-01-11 09:16:59"), config: scheduled, plan: rotates("schedule"),
			state: state(secretVersion(2), text("rotate_at", "2026-01-18T03:17:00Z")),
		},
	)
}

// If Terraform did not run inside the window, it waits for the next window, as long as
// that comes before the token is close to its expiry.
func TestMissedWindowWaitsForTheNext(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	s.play(
		act{config: scheduled},
		act{before: s.at("2026-01-11 09:17:00"), config: scheduled, planOnly: true, plan: nothing()},
		act{before: s.at("2026-01-18 05:00:00"), config: scheduled, plan: rotates("schedule"), state: state(text("created_at", "2026-01-18T05:00:00Z"))},
	)
}

// If the last window before the token is close to its expiry was missed, it rotates at any
// time.
func TestMissedLastWindow(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	monthly := edit(scheduled, `"17 3 * * 0"`, `"17 3 15 * *"`, `"30d"`, `"40d"`)
	s.play(
		act{config: monthly, state: state(text("rotate_at", "2026-01-15T03:17:00Z"))},
		act{before: s.at("2026-01-15 09:16:00"), config: monthly, planOnly: true, due: true, plan: rotates("schedule")},
		act{before: s.at("2026-01-15 12:00:00"), config: monthly, plan: rotates("schedule"), state: state(secretVersion(2))},
	)
}

func TestRotateBeforeExpiry(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	config := edit(standard, `period = "30d"`, `before_expiry = "10d"`)
	s.play(
		act{config: config, state: state(text("rotate_at", "2026-03-26T09:00:00Z"))},
		act{before: s.at("2026-03-26 08:59:59"), config: config, planOnly: true, plan: nothing()},
		act{before: s.at("2026-03-26 09:00:00"), config: config, plan: rotates("before_expiry"), state: state(secretVersion(2))},
	)
}

func TestRotateExpired(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	s.play(
		act{config: standard},
		act{
			before: s.later(91 * day), config: standard, plan: rotates("expired"),
			state: state(text("status", "active"), previous(0), secretVersion(2)),
		},
	)
}

func TestRotateByTrigger(t *testing.T) {
	s := newStage(t)
	incident := edit(standard, `overlap = "24h"`, `overlap = "24h", triggers = { incident = "2026-01" }`)
	s.play(
		act{config: standard},
		act{config: incident, plan: rotates("triggers_changed"), state: state(secretVersion(2), previous(1))},
		act{config: standard, plan: rotates("triggers_changed"), state: state(secretVersion(3), previous(2))},
	)
}

func TestRotateByName(t *testing.T) {
	s := newStage(t)
	s.play(
		act{config: standard, state: state(attribute("token_name", startsWith("CI/CD Pipeline-ps1-")))},
		act{
			config: edit(standard, "CI/CD Pipeline", "Zapier"), plan: rotates("name_changed"),
			state: state(attribute("token_name", startsWith("Zapier-ps1-")), previous(1)),
		},
	)
}

func TestRotateByExpiresIn(t *testing.T) {
	s := newStage(t)
	never := edit(standard, `"90d"`, `"never"`)
	s.play(
		act{config: standard},
		act{config: edit(standard, `"90d"`, `"60d"`), plan: rotates("expiry_changed"), state: state(text("expires_at", "2026-03-06T09:00:00Z"))},
		act{config: never, plan: rotates("expiry_changed"), state: state(attribute("expires_at", knownvalue.Null()))},
	)
}

// With a fixed expiry, no time makes the token due, and after it only a new expiry helps.
func TestRotateByExpiresAt(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	until := func(end string) string { return edit(standard, `expires_in = "90d"`, `expires_at = "`+end+`"`) }
	s.play(
		act{config: edit(until("2026-03-01"), `period = "30d", `, ""), state: state(text("expires_at", "2026-03-01"), attribute("rotate_at", knownvalue.Null()))},
		act{before: s.at("2026-03-02 00:00:00"), config: edit(until("2026-03-01"), `period = "30d", `, ""), planOnly: true, plan: nothing()},
		act{
			config: edit(until("2026-06-01"), `period = "30d", `, ""), plan: rotates("expiry_changed"),
			state: state(text("expires_at", "2026-06-01"), text("status", "active"), previous(0)),
		},
		act{config: standard, plan: rotates("expiry_changed"), state: state(text("expires_at", "2026-05-31T00:00:00Z"))},
	)
}

// Two notations of the same duration, or of the same instant, are equal.
func TestSameByValue(t *testing.T) {
	s := newStage(t)
	hours := edit(standard, `"90d"`, `"2160h"`, `"30d"`, `"720h"`, `"24h"`, `"1d"`)
	s.play(
		act{config: standard},
		act{config: hours, plan: nothing(), state: state(secretVersion(1), text("expires_in", "90d"))},
		act{before: s.later(31 * day), config: hours, plan: rotates("period")},
	)
}

func TestSameInstant(t *testing.T) {
	s := newStage(t)
	until := func(end string) string { return edit(standard, `expires_in = "90d"`, `expires_at = "`+end+`"`) }
	s.play(
		act{config: until("2026-06-01T02:00:00+02:00"), state: state(text("expires_at", "2026-06-01T02:00:00+02:00"))},
		act{config: until("2026-06-01T00:00:00Z"), plan: nothing(), state: state(secretVersion(1))},
		act{config: until("2026-06-01"), plan: nothing(), state: state(secretVersion(1))},
	)
}

// A changed policy is published with the same token, so that schedulers follow it, and
// does not rotate.
func TestPolicyChangeDoesNotRotate(t *testing.T) {
	s := newStage(t)
	changed := edit(standard, `period = "30d", overlap = "24h"`, `period = "40d", overlap = "48h"`)
	s.play(
		act{config: standard},
		act{
			config: changed, plan: republishes(), state: state(secretVersion(2), text("rotate_at", "2026-02-14T09:00:00Z")),
			after: func() {
				custom := s.custom(standardPath)
				if custom["paistrike_rotation_period"] != "40d" || custom["paistrike_overlap"] != "48h" || custom["paistrike_next_rotation"] != "2026-02-14T09:00:00Z" {
					t.Errorf("custom metadata is %v", custom)
				}
				s.wantCalls(s.apiCalls(), "POST", 1)
				s.wantCalls(s.vaultCalls(), "PUT secret/data/", 2)
			},
		},
	)
}

// A changed policy may make the token due at once.
func TestShorterPeriodRotates(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	s.play(
		act{config: standard},
		act{before: s.later(10 * day), config: edit(standard, `"30d"`, `"7d"`), plan: rotates("period")},
	)
}
