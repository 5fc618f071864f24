package provider_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
)

// withoutVault removes the configuration of Vault.
func (s *stage) withoutVault() {
	delete(s.env, "VAULT_ADDR")
	delete(s.env, "VAULT_TOKEN")
}

// bulk creates count tokens manually.
func (s *stage) bulk(count int) []string {
	var ids []string
	for i := range count {
		id, _ := s.paistrike.Mint(fmt.Sprintf("bulk %03d", i), monday().Add(90*day))
		ids = append(ids, id)
	}
	return ids
}

// busy makes others create and revoke tokens whenever another page is requested.
func (s *stage) busy() {
	passing := []string{}
	for range 9 {
		id, _ := s.paistrike.Mint("passing", time.Time{})
		passing = append(passing, id)
	}
	s.whenCalled(func(r *http.Request) {
		if r.URL.Query().Get("cursor") == "" {
			return
		}
		s.paistrike.Mint("new", time.Time{})
		if len(passing) > 0 {
			s.paistrike.Revoke(passing[0])
			passing = passing[1:]
		}
	})
}

// All tokens are listed, each once, whatever the number of pages and whatever happens
// between two pages.
func TestAuditListsAllPages(t *testing.T) {
	onOneCLI(t)
	for _, count := range []int{0, 1, 20, 21, 101, 230} {
		t.Run(fmt.Sprint(count), func(t *testing.T) {
			s := newStage(t)
			s.withoutVault()
			ids := s.bulk(count)
			s.busy()
			const all = "data.paistrike_api_tokens.all"
			checks := []statecheck.StateCheck{statecheck.ExpectKnownValue(all, tfjsonpath.New("tokens"), knownvalue.ListSizeExact(count))}
			for i, id := range ids {
				at := tfjsonpath.New("tokens").AtSliceIndex(i)
				checks = append(checks,
					statecheck.ExpectKnownValue(all, at.AtMapKey("id"), knownvalue.StringExact(id)),
					statecheck.ExpectKnownValue(all, at.AtMapKey("name"), knownvalue.StringExact(fmt.Sprintf("bulk %03d", i))))
			}
			s.play(act{config: `data "paistrike_api_tokens" "all" { name_regex = "^bulk" }`, state: checks})
		})
	}
}

// A page that cannot be read is an error: a partial list would look complete.
func TestAuditIsWholeOrNotAtAll(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	s.withoutVault()
	s.bulk(150)
	s.paistrike.AddFaults(sandbox.Fault{Method: "GET", Path: "/api-tokens", Skip: 1, Count: -1, Status: 500})
	s.play(act{config: `data "paistrike_api_tokens" "all" {}`, fails: "Error: Tokens not listed ... 500"})
}

// The columns of PAIStrike's own page, and the derived attributes.
func TestAuditColumns(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	s.withoutVault()
	id, secret := s.paistrike.Mint("Zapier", monday().Add(90*day))
	never, _ := s.paistrike.Mint("Forgotten", time.Time{})
	gone, _ := s.paistrike.Mint("Gone", monday().Add(day))
	s.advance(3 * time.Hour)
	s.call(secret)
	s.paistrike.Revoke(gone)
	const token = "data.paistrike_api_token.it"
	row := func(want map[string]knownvalue.Check) []statecheck.StateCheck {
		var checks []statecheck.StateCheck
		for name, value := range want {
			checks = append(checks, statecheck.ExpectKnownValue(token, tfjsonpath.New(name), value))
		}
		return checks
	}
	exact := knownvalue.StringExact
	s.play(
		act{config: `data "paistrike_api_token" "it" { id = "` + id + `" }`, state: row(map[string]knownvalue.Check{
			"name": exact("Zapier"), "created_at": exact("2026-01-05T09:00:00Z"), "last_used_at": exact("2026-01-05T12:00:00Z"),
			"expires_at": exact("2026-04-05T09:00:00Z"), "expires_in_days": knownvalue.Int64Exact(89), "status": exact("active"), "managed": knownvalue.Bool(false),
		})},
		act{config: `data "paistrike_api_token" "it" { name = "Forgotten" }`, state: row(map[string]knownvalue.Check{
			"id": exact(never), "last_used_at": knownvalue.Null(), "expires_at": knownvalue.Null(), "expires_in_days": knownvalue.Null(), "status": exact("active"),
		})},
		act{config: `data "paistrike_api_token" "it" { name = "Gone" }`, state: row(map[string]knownvalue.Check{"status": exact("revoked")})},
		act{before: s.later(90 * day), config: `data "paistrike_api_token" "it" { id = "` + id + `" }`, state: row(map[string]knownvalue.Check{
			"expires_in_days": knownvalue.Int64Exact(-1), "status": exact("expired"),
		})},
	)
	for _, call := range s.apiCalls() {
		if !strings.HasPrefix(call, "GET ") {
			t.Errorf("an audit did %s", call)
		}
	}
}

// No match and several matches are errors that list the tokens.
func TestOneTokenOrAnError(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	s.withoutVault()
	first, _ := s.paistrike.Mint("Twice", time.Time{})
	second, _ := s.paistrike.Mint("Twice", time.Time{})
	s.paistrike.Revoke(second)
	one := func(argument string) string { return `data "paistrike_api_token" "it" { ` + argument + ` }` }
	s.play(
		act{config: one(`id = "tok_nobodys"`), fails: "Error: Token not found ... PAIStrike has no token with the id tok_nobodys."},
		act{config: one(`name = "Nobody's"`), fails: `Error: Token not found ... None of the 3 tokens of the account has the name "Nobody's".`},
		act{config: one(`name = "Twice"`), fails: `Error: Several tokens have this name ... 2 tokens have the name "Twice". Choose one by its id:`},
		act{config: one(`name = "Twice"`), fails: "Twice (" + first + ") active"},
		act{config: one(`name = "Twice"`), fails: "Twice (" + second + ") revoked"},
		act{config: one(``), fails: "Error: Invalid Attribute Combination"},
		act{config: `data "paistrike_api_tokens" "all" { name_regex = "(" }`, fails: "Error: Invalid name_regex"},
		act{config: `data "paistrike_api_tokens" "all" { unused_for = "0d" }`, fails: "Error: Invalid unused_for"},
		act{config: `data "paistrike_api_tokens" "all" { created_before = "yesterday" }`, fails: "Error: Invalid created_before"},
	)
}

// Terraform's own token is distinguished from manually created ones.
func TestAuditTellsWhatIsManaged(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	s.paistrike.Mint("Zapier", time.Time{})
	const audit = `
data "paistrike_api_tokens" "found" {
  managed    = %t
  depends_on = [paistrike_api_token.ci]
}`
	found := func(names ...string) []statecheck.StateCheck {
		checks := []knownvalue.Check{}
		for _, name := range names {
			checks = append(checks, knownvalue.ObjectPartial(map[string]knownvalue.Check{"name": startsWith(name)}))
		}
		return state(statecheck.ExpectKnownValue("data.paistrike_api_tokens.found", tfjsonpath.New("tokens"), knownvalue.ListExact(checks)))
	}
	s.play(
		act{config: standard + fmt.Sprintf(audit, true), state: found("CI/CD Pipeline-ps1-")},
		act{config: standard + fmt.Sprintf(audit, false), state: found("Terraform", "Zapier")},
	)
}
