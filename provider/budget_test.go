package provider_test

import (
	"fmt"
	"strings"
	"testing"
)

// manyTokens returns a configuration with count tokens.
func manyTokens(count int) string {
	var config strings.Builder
	for i := range count {
		fmt.Fprintf(&config, `
resource "paistrike_api_token" "t%d" {
  name       = "Integration %d"
  expires_in = "90d"
  rotation   = { period = "30d", overlap = "24h" }
  vault      = { mount = "secret", path = "many/%d" }
}
`, i, i, i)
	}
	return config.String()
}

// Each command requests what all tokens share once: the list in pages of 100, the mount
// and its settings, both clocks, and the Vault token. For each token, a plan reads Vault's
// metadata once and never the secret, and a create needs six calls.
func TestCallsOfManyTokens(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	const count = 20
	person := s.terminal(manyTokens(count))
	s.forgetCalls()
	person.run("plan", "-out=plan")
	s.wantCalls(s.apiCalls(), "", 1)
	s.wantCalls(s.vaultCalls(), "GET secret/metadata/", count)
	s.wantCalls(s.vaultCalls(), "", count+3)

	s.forgetCalls()
	person.run("apply", "plan")
	api, vault := s.apiCalls(), s.vaultCalls()
	s.wantCalls(api, "GET /api-tokens", 1+count) // the list, and each new token once
	s.wantCalls(api, "POST /api-tokens", count)
	s.wantCalls(api, "", 1+2*count)
	s.wantCalls(vault, "GET secret/metadata/many/", count)
	s.wantCalls(vault, "POST sys/capabilities-self", count)
	s.wantCalls(vault, "PUT secret/data/many/", count)
	s.wantCalls(vault, "PATCH secret/metadata/many/", count)
	s.wantCalls(vault, "", 4*count+4) // mount, its settings, clock, Vault token
	if each := len(api) + len(vault) - 5; each > 7*count {
		t.Errorf("%d calls for %d tokens", each, count)
	}

	s.forgetCalls()
	s.wantSays(person.run("plan"), "No changes.")
	s.wantCalls(s.apiCalls(), "GET /api-tokens", 1)
	s.wantCalls(s.apiCalls(), "", 1)
	s.wantCalls(s.vaultCalls(), "GET secret/metadata/many/", count)
	s.wantCalls(s.vaultCalls(), "GET secret/data/", 0)
	s.wantCalls(s.vaultCalls(), "", count+3)
}

// A refresh writes nothing, whatever it finds, and neither does a plan.
func TestPlanWritesNothing(t *testing.T) {
	s := newStage(t)
	for name, happens := range map[string]func(){
		"due":         s.later(31 * day),
		"revoked":     s.revoke,
		"overwritten": func() { s.writeByHand(standardPath, someonesSecret) },
	} {
		person := s.terminal(standard)
		person.apply()
		happens()
		s.forgetCalls()
		person.run("plan")
		for _, call := range append(s.apiCalls(), s.vaultCalls()...) {
			if !strings.HasPrefix(call, "GET ") {
				t.Errorf("%s: the plan made the call %q", name, call)
			}
		}
		s.wantCalls(s.vaultCalls(), "GET secret/data/", 0)
		person.run("destroy", "-auto-approve")
		s.must("DELETE", "secret/metadata/"+standardPath, nil)
	}
}
