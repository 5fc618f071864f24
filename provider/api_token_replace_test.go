package provider_test

import (
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
)

// taint marks [ci] for replacement before the step.
func taint(step *resource.TestStep) { step.Taint = []string{ci} }

// A resource that rotates in place need not be replaced. A replacement in Terraform's
// default order causes an outage between destroy and create, but leaves no stray.
func TestReplace(t *testing.T) {
	s := newStage(t)
	var first string
	s.play(
		act{config: standard, after: func() { first = s.secret(standardPath) }},
		act{
			config: standard, step: taint, newID: true,
			plan:  []plancheck.PlanCheck{plancheck.ExpectResourceAction(ci, plancheck.ResourceActionDestroyBeforeCreate)},
			state: state(secretVersion(3), previous(0)),
			after: func() {
				s.wantWorks("the secret", s.secret(standardPath), true)
				s.wantWorks("the former secret", first, false)
			},
		},
	)
}

// With create_before_destroy there is no outage: the new token is in Vault first, and the
// old one keeps its overlap.
func TestReplaceCreateBeforeDestroy(t *testing.T) {
	s := newStage(t)
	config := edit(standard, `"ci/paistrike" }`, `"ci/paistrike" }`+"\n  lifecycle { create_before_destroy = true }")
	var first string
	s.play(
		act{config: config, after: func() { first = s.secret(standardPath) }},
		act{
			config: config, step: taint, newID: true,
			plan:  []plancheck.PlanCheck{plancheck.ExpectResourceAction(ci, plancheck.ResourceActionCreateBeforeDestroy)},
			state: state(secretVersion(2), previous(1)),
			after: func() {
				s.wantWorks("the secret", s.secret(standardPath), true)
				s.wantWorks("the former secret in its overlap", first, true)
			},
		},
		act{before: s.later(25 * time.Hour), config: config, plan: retires(), state: state(previous(0)), after: func() { s.wantWorks("the former secret", first, false) }},
	)
}
