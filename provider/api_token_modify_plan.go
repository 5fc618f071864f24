package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

// ModifyPlan decides what an apply will do, and refuses what it could not do. For
// an update it asks nobody: Terraform plans a second time after the approval, and
// must come to the same plan.
func (r *apiTokenResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() {
		refuseDestroy(ctx, req.State, &resp.Diagnostics)
		return
	}
	if r.session == nil {
		return
	}
	var config, plan apiTokenModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if req.State.Raw.IsNull() {
		r.planCreate(ctx, plan, &resp.Diagnostics)
		plan.RotationReason = types.StringValue(string(schedule.ReasonCreated))
		resp.Diagnostics.Append(resp.Plan.Set(ctx, plan)...)
		return
	}
	var state apiTokenModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	seen, diags := readPrivate[observed](ctx, req.Private, observedKey)
	resp.Diagnostics.Append(diags...)
	former, diags := readPrivate[[]formerEntry](ctx, req.Private, formerKey)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	plan.keepComputed(state)
	r.planUpdate(ctx, config, &plan, state, seen, former, &resp.Diagnostics)
	resp.Diagnostics.Append(resp.Plan.Set(ctx, plan)...)
}

// planCreate refuses a create that Vault or the guard rails would not have.
func (r *apiTokenResource) planCreate(ctx context.Context, plan apiTokenModel, diags *diag.Diagnostics) {
	if !plan.known(ctx) {
		return
	}
	want, more := plan.desired(ctx)
	diags.Append(more...)
	checkGuardRails(r.session.policy, want, diags)
	if diags.HasError() || r.session.unknown {
		return
	}
	engine := r.engine(diags)
	if diags.HasError() {
		return
	}
	view, err := engine.Inspect(ctx, want.at)
	if err == nil {
		err = view.MayPublish(want.at, want.label, want.adopt)
	}
	if err != nil {
		addFailure(diags, "Token cannot be created", err)
		return
	}
	checkFixedEnd(r.session.policy, want, view.Clock.Rotate(), diags)
	warnOfLifetime(r.session.policy, want, view.Clock.Rotate(), diags)
}

func (r *apiTokenResource) planUpdate(ctx context.Context, config apiTokenModel, plan *apiTokenModel, state apiTokenModel, seen observed, former []formerEntry, diags *diag.Diagnostics) {
	if !plan.known(ctx) {
		plan.unknownAll(config)
		return
	}
	s, err := newSituation(ctx, *plan, state, seen, former)
	if err != nil {
		addFailure(diags, "Token cannot be planned", err)
		return
	}
	checkGuardRails(r.session.policy, s.want, diags)
	if s.imported {
		r.planImported(ctx, &s, state, diags)
	}
	if !s.want.policy.ExpiresAt.IsZero() && !s.imported && !s.want.policy.ExpiresAt.Equal(s.have.policy.ExpiresAt) {
		checkFixedEnd(r.session.policy, s.want, seen.Rotate, diags)
	}
	if other := seen.Taken; other != nil && s.want.at == s.have.at {
		view := rotation.View{Version: other.Version, Mirror: entry.Mirror{TokenID: other.TokenID, TokenName: other.TokenName}}
		if err := view.MayPublish(s.want.at, s.want.label, s.want.adopt); err != nil {
			addFailure(diags, "Token cannot be planned", err)
		}
	}
	if diags.HasError() {
		return
	}
	c := planChange(s)
	if c.refuse {
		diags.AddAttributeError(path.Root("rotation").AtName("on_revoked"), "Token was revoked outside Terraform",
			fmt.Sprintf("PS404: Token %s no longer works, and on_revoked = \"error\" forbids to replace it. Its consumers are without a working token. Set on_revoked = \"rotate\", or change rotation.triggers.", state.TokenID.ValueString()))
		return
	}
	plan.show(c, config)
	if s.imported {
		plan.VaultVersion, plan.PreviousTokens = types.Int64Unknown(), types.ListUnknown(previousTokenType)
	}
	warnOfTheEnd(r.session.policy, s, c, state, diags)
	warnOfLifetime(r.session.policy, s.want, seen.Rotate, diags)
	warnOfOverdue(s, diags)
}

// planImported compares an imported token with the Vault entry of the configuration:
// an entry that names it is taken over as it is, anything else needs a rotation.
func (r *apiTokenResource) planImported(ctx context.Context, s *situation, state apiTokenModel, diags *diag.Diagnostics) {
	engine := r.engine(diags)
	if diags.HasError() {
		return
	}
	view, err := engine.Inspect(ctx, s.want.at)
	if err != nil {
		addFailure(diags, "Imported token cannot be planned", err)
		return
	}
	id := state.TokenID.ValueString()
	if view.Unhealthy == schedule.ReasonNone && !view.Stale && view.Mirror.TokenID == id {
		return
	}
	if err := view.MayPublish(s.want.at, s.want.label, s.want.adopt); err != nil {
		addFailure(diags, "Imported token cannot be planned", err)
		return
	}
	s.observed.Unhealthy = schedule.ReasonImported
}
