package provider_test

import (
	"fmt"
	"regexp"

	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"
)

// standard is the resource that most stories start with.
const standard = `
resource "paistrike_api_token" "ci" {
  name       = "CI/CD Pipeline"
  expires_in = "90d"
  rotation   = { period = "30d", overlap = "24h" }
  vault      = { mount = "secret", path = "ci/paistrike" }
}
`

// standardPath is the path of the secret of [standard], on the mount "secret".
const standardPath = "ci/paistrike"

// attribute expects the value of an attribute of [ci] in state.
func attribute(name string, value knownvalue.Check) statecheck.StateCheck {
	return statecheck.ExpectKnownValue(ci, tfjsonpath.New(name), value)
}

func text(name, value string) statecheck.StateCheck {
	return attribute(name, knownvalue.StringExact(value))
}

func secretVersion(version int64) statecheck.StateCheck {
	return attribute("secret_version", knownvalue.Int64Exact(version))
}

// previous expects count tokens in overlap.
func previous(count int) statecheck.StateCheck {
	return attribute("previous_tokens", knownvalue.ListSizeExact(count))
}

// state returns its arguments.
func state(checks ...statecheck.StateCheck) []statecheck.StateCheck { return checks }

// rotates expects an update in place that mints for the given reason.
func rotates(reason string) []plancheck.PlanCheck {
	return []plancheck.PlanCheck{
		plancheck.ExpectResourceAction(ci, plancheck.ResourceActionUpdate),
		plancheck.ExpectKnownValue(ci, tfjsonpath.New("rotation_reason"), knownvalue.StringExact(reason)),
		plancheck.ExpectUnknownValue(ci, tfjsonpath.New("token_id")),
		plancheck.ExpectUnknownValue(ci, tfjsonpath.New("secret_version")),
		plancheck.ExpectUnknownValue(ci, tfjsonpath.New("previous_tokens")),
	}
}

// keeps expects an update that changes neither token nor secret.
func keeps() []plancheck.PlanCheck {
	return []plancheck.PlanCheck{
		plancheck.ExpectResourceAction(ci, plancheck.ResourceActionUpdate),
		unchanged("token_id"), unchanged("secret_version"), unchanged("rotation_reason"),
	}
}

// republishes expects an update that writes a new version with the same token.
func republishes() []plancheck.PlanCheck {
	return []plancheck.PlanCheck{
		plancheck.ExpectResourceAction(ci, plancheck.ResourceActionUpdate),
		unchanged("token_id"), unchanged("rotation_reason"),
		plancheck.ExpectUnknownValue(ci, tfjsonpath.New("secret_version")),
	}
}

// retires expects an update that ends overlaps and mints nothing.
func retires() []plancheck.PlanCheck {
	return append(keeps(), plancheck.ExpectUnknownValue(ci, tfjsonpath.New("previous_tokens")))
}

// creates expects a create.
func creates() []plancheck.PlanCheck {
	return []plancheck.PlanCheck{plancheck.ExpectResourceAction(ci, plancheck.ResourceActionCreate)}
}

// nothing expects a plan without changes.
func nothing() []plancheck.PlanCheck { return []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()} }

// unchanged expects that the plan keeps an attribute of [ci].
func unchanged(name string) plancheck.PlanCheck {
	return planCheck(func(req plancheck.CheckPlanRequest) error {
		for _, r := range req.Plan.ResourceChanges {
			before, _ := r.Change.Before.(map[string]any)
			after, _ := r.Change.After.(map[string]any)
			if r.Address == ci && (before == nil || fmt.Sprint(before[name]) != fmt.Sprint(after[name])) {
				return fmt.Errorf("%s goes from %v to %v", name, before[name], after[name])
			}
		}
		return nil
	})
}

// startsWith expects a text with the prefix.
func startsWith(beginning string) knownvalue.Check {
	return knownvalue.StringRegexp(regexp.MustCompile("^" + regexp.QuoteMeta(beginning)))
}
