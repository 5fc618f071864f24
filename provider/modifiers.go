package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

// sameDuration keeps the prior text of a duration with the same value: "90d" and "2160h"
// are equal.
type sameDuration struct{ described }

func (sameDuration) PlanModifyString(_ context.Context, req planmodifier.StringRequest, resp *planmodifier.StringResponse) {
	keepIfEqual(req, resp, func(a, b string) bool {
		x, errX := schedule.ParseDuration(a)
		y, errY := schedule.ParseDuration(b)
		return errX == nil && errY == nil && x == y
	})
}

// sameInstant keeps the prior text of a time that is the same instant.
type sameInstant struct{ described }

func (sameInstant) PlanModifyString(_ context.Context, req planmodifier.StringRequest, resp *planmodifier.StringResponse) {
	if req.ConfigValue.IsNull() {
		return
	}
	keepIfEqual(req, resp, func(a, b string) bool {
		x, errX := parseInstant(a)
		y, errY := parseInstant(b)
		return errX == nil && errY == nil && x.Equal(y)
	})
}

func keepIfEqual(req planmodifier.StringRequest, resp *planmodifier.StringResponse, equal func(a, b string) bool) {
	known := func(s types.String) bool { return !s.IsNull() && !s.IsUnknown() }
	if known(req.StateValue) && known(req.PlanValue) && equal(req.StateValue.ValueString(), req.PlanValue.ValueString()) {
		resp.PlanValue = req.StateValue
	}
}
