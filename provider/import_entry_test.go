package provider_test

import (
	"fmt"
	"testing"
)

// entryImport returns an import block.
func entryImport(to, id string) string {
	return fmt.Sprintf("import {\n  to = %s\n  id = %q\n}\n", to, id)
}

// A lost state is recovered: the entry describes the resource, and the first apply makes
// the new resource its owner, with the same token.
func TestImportFromTheEntry(t *testing.T) {
	full := edit(standard, `period = "30d", overlap = "24h"`,
		`schedule = "17 3 * * 1", timezone = "Europe/Berlin", window = "12h", overlap = "36h", jitter = "1h", retire_when_idle = true, on_revoked = "error"`)
	for name, config := range map[string]string{
		"a period":    standard,
		"a schedule":  full,
		"no rotation": edit(standard, `  rotation   = { period = "30d", overlap = "24h" }`+"\n", ""),
		"a fixed end": edit(standard, `expires_in = "90d"`, `expires_at = "2026-03-01T00:00:00Z"`, `period = "30d", `, ""),
		"never":       edit(standard, `expires_in = "90d"`, `expires_in = "never"`),
		"a key":       edit(standard, `path = "ci/paistrike"`, `path = "ci/paistrike", key = "secret"`),
		"triggers":    edit(standard, `overlap = "24h"`, `overlap = "24h", triggers = { incident = "1" }`),
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			first := s.terminal(config)
			first.apply()
			was := first.attributes()
			second := s.terminal(config + entryImport(ci, "vault/secret/ci/paistrike"))
			s.forgetCalls()
			plan := second.run("plan")
			s.wantSays(plan, "Plan: 1 to import, 0 to add, 1 to change, 0 to destroy.")
			s.wantCalls(s.apiCalls(), "POST", 0)
			s.wantCalls(s.vaultCalls(), "PUT", 0)
			s.wantCalls(s.vaultCalls(), "GET secret/data/", 0)
			s.wantSays(second.apply(), "Apply complete! Resources: 1 imported, 0 added, 1 changed, 0 destroyed.")
			s.wantSays(second.run("plan"), "No changes.")
			now := second.attributes()
			for _, same := range []string{"name", "expires_in", "expires_at", "rotation", "vault", "token_id", "token_name", "created_at", "rotate_at", "status"} {
				if fmt.Sprint(now[same]) != fmt.Sprint(was[same]) {
					t.Errorf("%s was %v and is %v", same, was[same], now[same])
				}
			}
			if e := s.entry(standardPath); e.record.Owner != now["id"] || e.record.Gen != 2 || now["id"] == was["id"] || s.minted() != 1 {
				t.Errorf("owner %s in generation %d, want %v in 2; %d were minted", e.record.Owner, e.record.Gen, now["id"], s.minted())
			}

			s.wantSays(first.run("plan"), "Warning: Entry is managed by another resource ... PS209: secret/ci/paistrike is published by another resource")
			s.wantSays(first.fails("apply", "-auto-approve"), "Error: Entry is managed by another resource ... PS209")
			s.wantSays(first.run("destroy", "-auto-approve"), "Warning: Entry was not changed ... PS605")
			s.wantSays(second.apply(), "No changes.")
			s.wantLive(1)
		})
	}
}

// The import command does the same, with an empty block.
func TestImportCommandFromTheEntry(t *testing.T) {
	s := newStage(t)
	s.terminal(standard).apply()
	second := s.terminal(standard)
	second.run("import", ci, "vault/secret/ci/paistrike")
	if got := second.attributes(); got["name"] != "CI/CD Pipeline" || got["expires_in"] != "90d" || got["token_id"] != s.entry(standardPath).serves() {
		s.Errorf("state says %v", got)
	}
	s.wantSays(second.apply(), "0 added, 1 changed, 0 destroyed.")
	s.wantSays(second.apply(), "No changes.")
	if s.minted() != 1 {
		s.Errorf("%d tokens were minted", s.minted())
	}
}

// A resource that was imported and never applied owns nothing, and its destroy revokes
// nothing.
func TestDestroyWhatWasImportedFromTheEntry(t *testing.T) {
	overBoth(t, destroyWhatWasImportedFromTheEntry)
}

func destroyWhatWasImportedFromTheEntry(s *stage) {
	first := s.terminal(standard)
	first.apply()
	second := s.terminal(standard)
	second.run("import", ci, "vault/secret/ci/paistrike")
	s.wantSays(second.run("destroy", "-auto-approve"), "Warning: Entry was not changed")
	s.wantWorks("the secret", s.secret(standardPath), true)
	s.wantSays(first.apply(), "No changes.")
}

// Terraform generates a valid configuration for what is imported.
func TestGeneratedConfiguration(t *testing.T) {
	for name, config := range map[string]string{
		"a period":    standard,
		"a schedule":  edit(standard, `period = "30d"`, `schedule = "17 3 * * 1", window = "12h"`),
		"no rotation": edit(standard, `  rotation   = { period = "30d", overlap = "24h" }`+"\n", ""),
		"a fixed end": edit(standard, `expires_in = "90d"`, `expires_at = "2026-03-01T00:00:00Z"`, `period = "30d", `, ""),
		"never":       edit(standard, `expires_in = "90d"`, `expires_in = "never"`),
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			s.terminal(config).apply()
			second := s.terminal(entryImport(ci, "vault/secret/ci/paistrike"))
			s.wantSays(second.run("plan", "-generate-config-out=generated.tf"), "Plan: 1 to import, 0 to add, 1 to change, 0 to destroy.")
			s.wantSays(second.apply(), "1 imported, 0 added, 1 changed, 0 destroyed.")
			s.wantSays(second.apply(), "No changes.")
			if s.minted() != 1 {
				t.Errorf("%d tokens were minted", s.minted())
			}
		})
	}
}

// A whole fleet is imported by one import block, and nothing is minted.
func TestImportAFleet(t *testing.T) {
	onOneCLI(t)
	needs(t, "1.7.0", "1.7.0") // for_each in import blocks
	const fleet = `
locals { integrations = toset([for i in range(40) : format("integration-%02d", i)]) }
resource "paistrike_api_token" "fleet" {
  for_each   = local.integrations
  name       = each.key
  expires_in = "90d"
  rotation   = { period = "30d" }
  vault      = { mount = "secret", path = "fleet/${each.key}" }
}
`
	s := newStage(t)
	s.terminal(fleet).apply()
	second := s.terminal(fleet + `
import {
  for_each = local.integrations
  to       = paistrike_api_token.fleet[each.key]
  id       = "vault/secret/fleet/${each.key}"
}
`)
	s.forgetCalls()
	s.wantSays(second.apply(), "Apply complete! Resources: 40 imported, 0 added, 40 changed, 0 destroyed.")
	s.wantCalls(s.apiCalls(), "POST", 0)
	s.wantCalls(s.apiCalls(), "DELETE", 0)
	s.wantCalls(s.vaultCalls(), "PUT secret/data/", 40)
	s.wantCalls(s.vaultCalls(), "GET secret/data/", 40)
	s.wantSays(second.apply(), "No changes.")
	s.wantLive(40)
}

// If an entry cannot be imported, the error states why, and nothing is written.
func TestImportFromAnEntryThatHasNone(t *testing.T) {
	served := func(s *stage) { s.terminal(standard).apply() }
	for name, c := range map[string]struct {
		given func(*stage)
		id    string
		says  string
	}{
		"nothing there":    {func(*stage) {}, "vault/secret/ci/paistrike", "secret/ci/paistrike serves no token that paistrike published"},
		"someone's":        {func(s *stage) { s.writeByHand(standardPath, someonesSecret) }, "vault/secret/ci/paistrike", "secret/ci/paistrike serves no token that paistrike published"},
		"destroyed":        {func(s *stage) { p := s.terminal(standard); p.apply(); p.run("destroy", "-auto-approve") }, "vault/secret/ci/paistrike", "serves no token that paistrike published"},
		"no mount":         {func(*stage) {}, "vault/nowhere/ci/paistrike", "Vault"},
		"the mount itself": {func(*stage) {}, "vault/secret/", "no entry below it is named"},
		"another option":   {func(*stage) {}, "vault/secret/ci/paistrike?version=3", "is not the id of an entry. Write it as vault/MOUNT/PATH"},
		"stale metadata": {func(s *stage) {
			served(s)
			s.must("PATCH", "secret/metadata/"+standardPath, map[string]any{"custom_metadata": map[string]string{"paistrike_revision": "7"}})
		}, "vault/secret/ci/paistrike", "does not describe its current version"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			c.given(s)
			before := s.minted()
			person := s.terminal(standard)
			s.forgetCalls()
			s.wantSays(person.fails("import", ci, c.id), c.says)
			s.wantCalls(s.vaultCalls(), "P", 0)
			if s.minted() != before {
				t.Error("something was minted")
			}
		})
	}
}

// A namespace other than the provider's is in the import ID and in the configuration.
func TestImportFromAnEntryInANamespace(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	inside := edit(standard, `mount = "secret"`, `mount = "secret", namespace = "team"`)
	s.terminal(inside).apply()
	second := s.terminal(inside + entryImport(ci, "vault/secret/ci/paistrike?namespace=team"))
	s.wantSays(second.apply(), "1 imported, 0 added, 1 changed, 0 destroyed.")
	s.wantSays(second.apply(), "No changes.")
}
