package provider_test

import (
	"net/http"
	"testing"
	"time"
)

// forge writes custom metadata as someone with permission for nothing else could.
func (s *stage) forge(custom map[string]any) {
	s.Helper()
	s.must(http.MethodPatch, "secret/metadata/"+standardPath, map[string]any{"custom_metadata": custom})
}

// Forged custom metadata neither revokes nor mints a token. The next apply corrects it,
// and neither a destroy nor a scheduler relies on it.
func TestForgedMetadata(t *testing.T) {
	onOneCLI(t)
	for name, forged := range map[string]func(victim string) map[string]any{
		"a victim in the overlap": func(victim string) map[string]any {
			return map[string]any{"paistrike_retiring": victim + "@2026-01-01T00:00:00Z"}
		},
		"a victim that is served": func(victim string) map[string]any { return map[string]any{"paistrike_token_id": victim} },
		"a token that never ends": func(string) map[string]any {
			return map[string]any{"paistrike_expires_in": "never", "paistrike_overlap": "1s"}
		},
		"a tombstone":      func(string) map[string]any { return map[string]any{"paistrike_state": "tombstone"} },
		"another revision": func(string) map[string]any { return map[string]any{"paistrike_revision": "7"} },
		"no mark of ours":  func(string) map[string]any { return map[string]any{"managed_by": nil} },
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			victimID, victim := s.paistrike.Mint("Someone's", time.Time{})
			person := s.terminal(standard)
			person.apply()
			served := s.entry(standardPath)
			s.forge(forged(victimID))
			s.runScheduler()
			s.forge(forged(victimID))
			person.apply()
			person.apply()
			s.wantSays(person.run("plan"), "No changes.")
			s.wantServed(standardPath, "30d")
			if s.minted() != 1 || s.entry(standardPath).serves() != served.serves() {
				t.Errorf("%d tokens were minted, and %s is served", s.minted(), s.entry(standardPath).serves())
			}
			s.forge(forged(victimID))
			person.run("destroy", "-auto-approve")
			s.wantWorks("the victim", victim, true)
			s.wantLive(0)
		})
	}
}
