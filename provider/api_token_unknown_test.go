package provider_test

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"
)

// derived is [standard] with values from another resource.
const derived = `
resource "terraform_data" "name" {
  input            = "CI/CD Pipeline"
  triggers_replace = "1"
}

resource "terraform_data" "life" {
  input            = "90d"
  triggers_replace = "1"
}

resource "paistrike_api_token" "ci" {
  name       = terraform_data.name.output
  expires_in = terraform_data.life.output
  rotation   = { period = "30d", overlap = "24h" }
  vault      = { mount = "secret", path = "ci/paistrike" }
}
`

// updates expects an update whose extent is unknown.
func updates() []plancheck.PlanCheck {
	return []plancheck.PlanCheck{
		plancheck.ExpectResourceAction(ci, plancheck.ResourceActionUpdate),
		plancheck.ExpectUnknownValue(ci, tfjsonpath.New("token_id")),
		plancheck.ExpectUnknownValue(ci, tfjsonpath.New("rotation_reason")),
	}
}

func TestUnknownAtPlan(t *testing.T) {
	s := newStage(t)
	again := edit(derived, `"1"`, `"2"`)
	renamed := edit(again, "CI/CD Pipeline", "Build")
	shorter := edit(renamed, "90d", "60d")
	s.play(
		act{config: derived, plan: creates(), state: state(text("name", "CI/CD Pipeline"), secretVersion(1))},
		act{ // unknown in the plan, and unchanged in the end
			config: again, plan: updates(), state: state(secretVersion(1), text("rotation_reason", "created")),
			after: func() { s.wantCalls(s.apiCalls(), "POST", 1) },
		},
		act{config: renamed, plan: updates(), state: state(secretVersion(2), text("rotation_reason", "name_changed"))},
		act{config: shorter, plan: updates(), state: state(secretVersion(3), text("rotation_reason", "expiry_changed"))},
	)
}

// The endpoint of PAIStrike is known only after apply. The plan succeeds without calling
// any server.
func TestUnknownProviderConfiguration(t *testing.T) {
	s := newStage(t)
	endpoint := s.apiURL
	delete(s.env, "PAISTRIKE_ENDPOINT")
	config := `
resource "terraform_data" "server" {
  input            = "` + endpoint + `"
  triggers_replace = "1"
}

provider "paistrike" {
  endpoint = terraform_data.server.output
}
` + standard
	moved := edit(config, `triggers_replace = "1"`, `triggers_replace = "2"`)
	s.play(
		act{config: config, plan: creates(), state: state(secretVersion(1))},
		act{
			before: s.later(31 * day), config: moved,
			plan: []plancheck.PlanCheck{plancheck.ExpectResourceAction(ci, plancheck.ResourceActionNoop)},
			due:  true, // the plan could not see that the token is due
		},
		act{config: moved, plan: rotates("period"), state: state(secretVersion(2))},
	)
}

// An invalid value is reported even if it was unknown in the plan.
func TestUnknownValueThatIsWrong(t *testing.T) {
	s := newStage(t)
	s.play(
		act{config: edit(derived, `"90d"`, `"0d"`), fails: `Error: Invalid expires_in ... "0d" is not a positive duration.`},
		act{config: edit(derived, `"CI/CD Pipeline"`, `" CI"`), fails: `Error: Invalid name ... the name begins or ends with white space.`},
	)
	s.wantCalls(s.apiCalls(), "POST", 0)
}
