package provider_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"

	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
)

// reshape replaces the stage's PAIStrike with one that has another API shape, and returns
// the provider block for it.
func (s *stage) reshape(name string) string {
	s.Helper()
	shapes, err := sandbox.Shapes()
	if err != nil {
		s.Fatal(err)
	}
	shape := shapes[name]
	if s.paistrike, err = sandbox.New(sandbox.Options{Start: monday(), Shape: shape, Prefix: shape.Prefix}); err != nil {
		s.Fatal(err)
	}
	_, s.env["PAISTRIKE_API_TOKEN"] = s.paistrike.Mint("Terraform", time.Time{})
	auth := "null"
	if shape.Settings.Auth != nil {
		auth = fmt.Sprintf("jsondecode(%q)", shape.Settings.Auth)
	}
	return fmt.Sprintf("provider \"paistrike\" {\n  api_prefix = %q\n  auth = %s\n  api_routes = jsondecode(%q)\n}\n", shape.Settings.Prefix, auth, shape.Settings.Routes)
}

// The life of a token with APIs like those of real services: created, replaced with an
// overlap, the old one retired, replaced after someone revoked it, and destroyed.
func TestLifeOfATokenInOtherShapes(t *testing.T) {
	onOneCLI(t)
	for _, name := range []string{"cloudflare", "hcp_terraform"} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			config := s.reshape(name) + `resource "paistrike_api_token" "ci" {
  name       = "CI/CD Pipeline"
  expires_in = "90d"
  rotation   = { period = "30d", overlap = "1d" }
  vault      = { mount = "secret", path = "ci/paistrike" }
}`
			empty := resource.ConfigPlanChecks{PostApplyPostRefresh: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()}}
			live := func(n int) func() { return func() { s.wantLive(n) } }
			resource.UnitTest(t, resource.TestCase{ProtoV6ProviderFactories: s.providers(), Steps: []resource.TestStep{
				{Config: config, ConfigPlanChecks: empty, PostApplyFunc: live(1)},
				{Config: config, PreConfig: s.later(30 * 24 * time.Hour), PostApplyFunc: live(2)},
				{Config: config, PreConfig: s.later(25 * time.Hour), PostApplyFunc: live(1)},
				{Config: config, PreConfig: func() { s.paistrike.Revoke(s.live()[0].ID) }, PostApplyFunc: live(1)},
				// If a service cannot identify the caller, the last use does. So the check
				// of the new token must come before the run that destroys it.
				{Config: config, PreConfig: s.later(time.Hour), PostApplyFunc: func() { live(1)(); s.later(time.Hour)() }},
			}})
			s.wantLive(0)
		})
	}
}

// Settings that cannot work are rejected in the plan, with their position.
func TestShapeIsCheckedInThePlan(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	s.withoutVault()
	const look = `data "paistrike_api_tokens" "all" {}`
	for settings, want := range map[string]string{
		`api_routes = { create_body = "{\"name\": \"{name}\", \"by\": \"{owner}\", \"end\": \"{expires}\"}" }`: `Invalid api_routes.create_body ... unknown placeholder {owner} at line 1, column 27`,
		`api_routes = { create_body = "{\"end\": \"{expires}\"}" }`:                                            `Invalid api_routes.create_body ... must contain {name}`,
		`api_routes = { item = "/tokens/{id}/{owner}" }`:                                                       `Invalid api_routes.item ... has an unknown placeholder at column 14; allowed: {id}`,
		`api_routes = { answer = { id = "-" } }`:                                                               `Invalid api_routes.answer.id`,
		`api_routes = { list = { items = "a..b" } }`:                                                           `Invalid api_routes.list.items`,
		`auth = { header = "Host" }`:                                                                           `Invalid auth`,
	} {
		resource.UnitTest(t, resource.TestCase{ProtoV6ProviderFactories: s.providers(), Steps: []resource.TestStep{
			{Config: "provider \"paistrike\" {\n" + settings + "\n}\n" + look, PlanOnly: true, ExpectError: says(want)},
		}})
	}
	s.wantCalls(s.apiCalls(), "", 0)
}
