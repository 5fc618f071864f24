package provider_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/echoprovider"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"

	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
)

// shortLived opens a token, uses it in a second configuration of the provider, and shows
// its value with the echo provider.
const shortLived = `
ephemeral "paistrike_api_token" "run" {
  name = "Nightly audit"
}
provider "paistrike" {
  alias     = "run"
  api_token = ephemeral.paistrike_api_token.run.token
}
data "paistrike_api_tokens" "used" {
  provider   = paistrike.run
  name_regex = "^Nightly audit-run-"
}
provider "echo" {
  data = ephemeral.paistrike_api_token.run
}
resource "echo" "opened" {}
`

// playEphemeral runs steps with the echo provider in addition to ours.
func (s *stage) playEphemeral(steps ...resource.TestStep) {
	s.Helper()
	providers := s.providers()
	providers["echo"] = echoprovider.NewProviderServer()
	resource.UnitTest(s.T, resource.TestCase{ProtoV6ProviderFactories: providers, Steps: steps})
	s.wantLive(0)
}

// An ephemeral token works during the run, differs in each run, and is then revoked. It is
// in state only because echo stores it there.
func TestEphemeralToken(t *testing.T) {
	needs(t, "1.10.0", "1.11.0")
	s := newStage(t)
	s.withoutVault()
	byRun := map[string]bool{}
	s.whenCalled(func(r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if bearer := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "); bearer != s.env["PAISTRIKE_API_TOKEN"] {
			byRun[bearer] = true
		}
	})
	s.playEphemeral(resource.TestStep{
		Config: shortLived,
		ConfigStateChecks: []statecheck.StateCheck{stateCheck(func(req statecheck.CheckStateRequest) error {
			for _, r := range req.State.Values.RootModule.Resources {
				if r.Type == "echo" {
					opened, _ := r.AttributeValues["data"].(map[string]any)
					secret := fmt.Sprint(opened["token"])
					if len(byRun) == 0 || !regexp.MustCompile(`^Nightly audit-run-[a-z2-7]{16}$`).MatchString(fmt.Sprint(opened["token_name"])) || opened["expires_at"] != "2026-01-05T10:00:00Z" {
						return fmt.Errorf("echo says %v, and %d tokens were used", opened, len(byRun))
					}
					s.whenCalled(nil)
					byRun[secret] = true
					for each := range byRun {
						if status := s.call(each); status != http.StatusUnauthorized {
							return fmt.Errorf("a token gets %d after its run", status)
						}
					}
					return nil
				}
			}
			return fmt.Errorf("echo says nothing")
		})},
	})
	if s.minted() < 2 {
		t.Errorf("%d tokens were minted; each plan and each apply has one of its own", s.minted())
	}
	s.wantCalls(s.apiCalls(), "DELETE /api-tokens/", s.minted())
}

// However often someone plans, no token is left.
func TestPlansLeaveNoToken(t *testing.T) {
	needs(t, "1.10.0", "1.11.0")
	s := newStage(t)
	person := s.terminal(`ephemeral "paistrike_api_token" "run" {
  name       = "Plan"
  expires_in = "24h"
}`)
	for range 5 {
		person.run("plan")
		s.wantLive(0)
	}
	if s.minted() != 5 {
		t.Errorf("%d tokens were minted by 5 plans", s.minted())
	}
	s.wantCalls(s.vaultCalls(), "", 0)
}

// A failed run leaves no token either. A token that is already gone at the end does not
// fail the run.
func TestEphemeralTokenOfARunThatFails(t *testing.T) {
	needs(t, "1.10.0", "1.11.0")
	s := newStage(t)
	s.paistrike.AddFaults(sandbox.Fault{Method: "DELETE", Path: "/api-tokens/*", After: true, Status: 404})
	s.playEphemeral(resource.TestStep{
		Config:      edit(shortLived, `name_regex = "^Nightly audit-run-"`, `name_regex = "("`),
		ExpectError: says("Error: Invalid name_regex"),
	}, resource.TestStep{
		Config:      shortLived + `data "paistrike_api_token" "none" { id = "tok_nobodys" }`,
		ExpectError: says("Error: Token not found"),
	})
}

// If a token cannot be revoked at the end, a warning reports it, and the token expires on
// its own.
func TestEphemeralTokenThatStays(t *testing.T) {
	needs(t, "1.10.0", "1.11.0")
	s := newStage(t)
	person := s.terminal(`ephemeral "paistrike_api_token" "run" { name = "Plan" }`)
	s.paistrike.AddFaults(sandbox.Fault{Method: "DELETE", Count: -1, Status: 500})
	plan := person.run("plan")
	s.wantSays(plan, "Warning: Ephemeral token not revoked")
	s.wantSays(plan, "It is not known whether the token still works. Revoke token "+s.live()[0].ID+" in PAIStrike, or let it expire.")
	s.wantSilent(plan, "pstk_")
	s.advance(time.Hour)
	s.wantLive(0)
}

// A lost response leaves no token behind: the token is found by its name and revoked.
func TestEphemeralTokenWhoseAnswerIsLost(t *testing.T) {
	needs(t, "1.10.0", "1.11.0")
	onOneCLI(t)
	s := newStage(t)
	person := s.terminal(`ephemeral "paistrike_api_token" "run" { name = "Plan" }`)
	s.paistrike.AddFaults(sandbox.Fault{Method: "POST", Lose: sandbox.LoseResponse})
	s.wantSays(person.fails("plan"), "Error: Ephemeral token not created ... cannot be used and was revoked")
	s.wantLive(0)
	s.paistrike.AddFaults(sandbox.Fault{Method: "POST", Lose: sandbox.LoseRequest})
	s.wantSays(person.fails("plan"), "Error: Ephemeral token not created ... may exist, or appear later")
}

func TestEphemeralTokenIsShort(t *testing.T) {
	needs(t, "1.10.0", "1.11.0")
	onOneCLI(t)
	s := newStage(t)
	const rule = `provider "paistrike" { token_policy = { max_expires_in = "30m" } }` + "\n"
	s.playEphemeral(
		resource.TestStep{
			Config:      "ephemeral \"paistrike_api_token\" \"run\" {\n  name       = \"Plan\"\n  expires_in = \"1d1h\"\n}",
			ExpectError: says(`Error: Invalid expires_in ... 1d1h is longer than 24h`),
		},
		resource.TestStep{
			Config:      rule + `ephemeral "paistrike_api_token" "run" { name = "Plan" }`,
			ExpectError: says("Error: Token lives too long ... It would live for 1h, but the provider's token_policy allows at most 30m."),
		},
	)
	s.wantCalls(s.apiCalls(), "POST", 0)
}
