package provider_test

import (
	"net/http"
	"testing"
	"time"
)

// The secret moves to another path. Both paths serve a working token during the overlap.
// Then the former entry and its token end.
func TestMoveToAnotherPath(t *testing.T) { overBoth(t, moveToAnotherPath) }

func moveToAnotherPath(s *stage) {
	moved := edit(standard, "ci/paistrike", "build/paistrike")
	var first string
	s.play(
		act{config: standard, after: func() { first = s.secret("ci/paistrike") }},
		act{
			config: moved, plan: rotates("secret_moved"), state: state(secretVersion(2), previous(1)),
			after: func() {
				s.wantWorks("the secret in the new place", s.secret("build/paistrike"), true)
				s.wantWorks("the secret in the former place", s.secret("ci/paistrike"), true)
				if s.secret("ci/paistrike") != first {
					s.Error("the former place was written to")
				}
				if custom := s.custom("ci/paistrike"); custom["paistrike_rotation_period"] != "" || custom["paistrike_next_rotation"] != "" {
					s.Errorf("the former place is still scheduled: %v", custom)
				}
			},
		},
		act{
			before: s.later(25 * time.Hour), config: moved, plan: retires(), state: state(secretVersion(2), previous(0)),
			after: func() {
				s.wantWorks("the first token", first, false)
				if s.secret("ci/paistrike") != "" {
					s.Error("the former place still serves a secret")
				}
				s.wantWorks("the secret in the new place", s.secret("build/paistrike"), true)
			},
		},
	)
}

func TestMoveAndBackDuringTheOverlap(t *testing.T) { overBoth(t, moveAndBackDuringTheOverlap) }

func moveAndBackDuringTheOverlap(s *stage) {
	moved := edit(standard, "ci/paistrike", "build/paistrike")
	s.play(
		act{config: standard},
		act{config: moved, plan: rotates("secret_moved"), state: state(previous(1))},
		act{
			before: s.later(time.Hour), config: standard, plan: rotates("secret_moved"), state: state(secretVersion(3), previous(2)),
			after: func() {
				s.wantWorks("the secret", s.secret("ci/paistrike"), true)
				s.wantWorks("the secret in the other place", s.secret("build/paistrike"), true)
				if s.custom("ci/paistrike")["paistrike_rotation_period"] != "30d" {
					s.Error("the entry is not scheduled again")
				}
			},
		},
		act{
			before: s.later(25 * time.Hour), config: standard, plan: retires(), state: state(secretVersion(3), previous(0)),
			after: func() {
				s.wantLive(1)
				if s.secret("build/paistrike") != "" {
					s.Error("the other place still serves a secret")
				}
			},
		},
	)
}

func TestMoveAndBackAfterTheOverlap(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	moved := edit(standard, "ci/paistrike", "build/paistrike")
	s.play(
		act{config: standard},
		act{config: moved, plan: rotates("secret_moved")},
		act{before: s.later(25 * time.Hour), config: moved, plan: retires()},
		act{config: standard, plan: rotates("secret_moved"), state: state(secretVersion(4), previous(1))},
		act{before: s.later(25 * time.Hour), config: standard, plan: retires(), state: state(previous(0)), after: func() { s.wantLive(1) }},
	)
}

// A token that is in its overlap when the secret moves ends with the former entry.
func TestMoveDuringAnOverlap(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	moved := edit(standard, "ci/paistrike", "build/paistrike")
	s.play(
		act{config: standard},
		act{before: s.later(31 * day), config: standard, plan: rotates("period"), state: state(previous(1))},
		act{before: s.later(time.Hour), config: moved, plan: rotates("secret_moved"), state: state(previous(2))},
		act{before: s.later(25 * time.Hour), config: moved, plan: retires(), state: state(previous(0)), after: func() { s.wantLive(1) }},
	)
}

// A destroy during a move ends both entries.
func TestDestroyWhileMoving(t *testing.T) {
	s := newStage(t)
	s.play(
		act{config: standard},
		act{config: edit(standard, "ci/paistrike", "build/paistrike"), plan: rotates("secret_moved")},
	)
	for _, at := range []string{"ci/paistrike", "build/paistrike"} {
		if s.secret(at) != "" {
			s.Errorf("secret/%s still serves a secret", at)
		}
	}
}

// Consumers of the former key get the new token too, until the overlap is over.
func TestChangedKey(t *testing.T) { overBoth(t, changedKey) }

func changedKey(s *stage) {
	renamed := edit(standard, `path = "ci/paistrike"`, `path = "ci/paistrike", key = "api_token"`)
	s.play(
		act{config: standard},
		act{
			config: renamed, plan: rotates("secret_moved"), state: state(secretVersion(2), previous(1)),
			after: func() {
				s.wantWorks("the new key", s.entry(standardPath).text("api_token"), true)
				s.wantWorks("the former key", s.entry(standardPath).text("token"), true)
			},
		},
		act{
			before: s.later(25 * time.Hour), config: renamed, state: state(secretVersion(3), previous(0)),
			after: func() {
				e := s.entry(standardPath)
				s.wantWorks("the new key", e.text("api_token"), true)
				if e.text("token") != "" {
					s.Error("the former key is still there")
				}
				s.wantCalls(s.apiCalls(), "POST", 2)
			},
		},
	)
}

// If the new location cannot be written, consumers keep what they have.
func TestMoveToAPlaceThatIsTaken(t *testing.T) { overBoth(t, moveToAPlaceThatIsTaken) }

func moveToAPlaceThatIsTaken(s *stage) {
	s.writeByHand("build/paistrike", "a secret of someone's own")
	s.play(
		act{config: standard},
		act{
			config: edit(standard, "ci/paistrike", "build/paistrike"),
			fails:  "Error: Entry is not managed by paistrike ... PS208: secret/build/paistrike contains a secret that paistrike did not write.",
		},
		act{config: standard, plan: nothing(), state: state(secretVersion(1)), after: func() { s.wantLive(1) }},
	)
	if s.secret("build/paistrike") != "a secret of someone's own" {
		s.Error("someone's secret was touched")
	}
}

func TestMoveToAnotherMount(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	s.must(http.MethodPost, "sys/mounts/team", map[string]any{"type": "kv-v2"})
	s.play(
		act{config: standard},
		act{config: edit(standard, `mount = "secret"`, `mount = "team"`), plan: rotates("secret_moved"), unsound: true, after: func() { s.wantLive(2) }},
		act{before: s.later(25 * time.Hour), config: edit(standard, `mount = "secret"`, `mount = "team"`), unsound: true, after: func() { s.wantLive(1) }},
	)
}
