package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

// ModifyPlan decides what an apply will do, and rejects what it could not do. For an
// update it calls no server: Terraform plans a second time after the approval, and both
// plans must be equal.
func (r *apiTokenResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() {
		refuseDestroy(ctx, req.State, &resp.Diagnostics)
		return
	}
	if r.session == nil {
		return
	}
	defer r.session.tellOnce(&resp.Diagnostics)
	var config, plan apiTokenModel
	resp.Diagnostics.Append(get(ctx, req.Config, &config)...)
	resp.Diagnostics.Append(get(ctx, req.Plan, &plan)...)
	if resp.Diagnostics.HasError() {
		return
	}
	plan.withDefaults(ctx, config, &resp.Diagnostics)
	if r.fillRegion(ctx, config, &plan, &resp.Diagnostics); resp.Diagnostics.HasError() {
		return
	}
	if req.State.Raw.IsNull() {
		r.planCreate(ctx, plan, &resp.Diagnostics)
		plan.RotationReason = types.StringValue(string(schedule.ReasonCreated))
		resp.Diagnostics.Append(set(ctx, &resp.Plan, plan)...)
		return
	}
	var state apiTokenModel
	resp.Diagnostics.Append(get(ctx, req.State, &state)...)
	seen, diags := readPrivate[observed](ctx, req.Private, observedKey)
	resp.Diagnostics.Append(diags...)
	former, diags := readPrivate[[]formerEntry](ctx, req.Private, formerKey)
	resp.Diagnostics.Append(diags...)
	from, diags := readPrivate[imports](ctx, req.Private, importedKey)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	plan.keepComputed(state)
	r.planUpdate(ctx, config, &plan, state, seen, former, from, &resp.Diagnostics)
	resp.Diagnostics.Append(set(ctx, &resp.Plan, plan)...)
}

// planCreate rejects a create that the store or the guard rails would reject.
func (r *apiTokenResource) planCreate(ctx context.Context, plan apiTokenModel, diags *diag.Diagnostics) {
	if !plan.known(ctx) {
		return
	}
	want, more := plan.desired(ctx)
	diags.Append(more...)
	checkGuardRails(r.session.policy, want, diags)
	if diags.HasError() || r.session.unknown(want.at) {
		return
	}
	there := r.session.connection(want.at, diags)
	if diags.HasError() {
		return
	}
	if err := r.session.claims.create(want.at); err != nil {
		addFailure(diags, "Token cannot be created", err)
		return
	}
	seen, err := there.engine.Look(ctx, want.at)
	if err == nil {
		err = seen.MayPublish("", want.label, true, want.adopt)
	}
	if err != nil {
		addFailure(diags, "Token cannot be created", err)
		return
	}
	r.session.claims.saw(seen)
	if note, taking := seen.TakesOver(""); taking {
		addNotes(diags, []rotation.Message{note})
	}
	there.restoring(seen, diags)
	checkFixedEnd(r.session.policy, want, seen.Clock.Rotate(), diags)
	warnOfLifetime(r.session.policy, want, seen.Clock.Rotate(), diags)
}

func (r *apiTokenResource) planUpdate(ctx context.Context, config apiTokenModel, plan *apiTokenModel, state apiTokenModel, seen observed, former []formerEntry, from imports, diags *diag.Diagnostics) {
	if !plan.known(ctx) {
		plan.unknownAll(config)
		return
	}
	s, err := newSituation(ctx, *plan, state, seen, former, from)
	if err != nil {
		addFailure(diags, "Token cannot be planned", err)
		return
	}
	checkGuardRails(r.session.policy, s.want, diags)
	if err := r.session.claims.hold(s.want.at, state.ID.ValueString()); err != nil {
		addFailure(diags, "Token cannot be planned", err)
		return
	}
	switch {
	case s.imported:
		r.planImported(ctx, &s, state, diags)
	case s.want.at.Entry() != s.have.at.Entry():
		r.warnOfTarget(ctx, s, *plan, state, diags)
	}
	if !s.want.policy.ExpiresAt.IsZero() && !s.imported && !s.want.policy.ExpiresAt.Equal(s.have.policy.ExpiresAt) {
		checkFixedEnd(r.session.policy, s.want, s.observed.Rotate, diags)
	}
	if diags.HasError() {
		return
	}
	warnOfSettings(s, diags)
	c := planChange(s)
	if c.refuse {
		// This is not an error, because terraform destroy plans first.
		diags.AddAttributeWarning(path.Root("rotation").AtName("on_revoked"), "Token was revoked outside Terraform",
			"PS404: An apply of this plan fails. "+rotation.RevokedElsewhere(state.TokenID.ValueString(), s.have.at))
	}
	warnOfLoss(c, s, diags)
	plan.show(c, config)
	if s.claim && config.ExpiresAt.IsNull() {
		plan.ExpiresAt = types.StringUnknown()
	}
	if s.imported {
		plan.SecretVersion, plan.PreviousTokens = types.Int64Unknown(), types.ListUnknown(previousTokenType)
	}
	warnOfTheEnd(r.session.policy, s, c, state, diags)
	warnOfLifetime(r.session.policy, s.want, s.observed.Rotate, diags)
	warnOfOverdue(s, diags)
	warnOfCleanUp(s, c, diags)
}

// planImported compares an imported token with the configured entry. If the entry serves
// the token, the token is taken over unchanged. Otherwise a rotation is planned.
func (r *apiTokenResource) planImported(ctx context.Context, s *situation, state apiTokenModel, diags *diag.Diagnostics) {
	engine := r.session.engine(s.want.at, diags)
	if diags.HasError() {
		return
	}
	seen, err := engine.Look(ctx, s.want.at)
	if err != nil {
		addFailure(diags, "Imported token cannot be planned", err)
		return
	}
	if seen.Serves() && seen.Mirror.TokenID == state.TokenID.ValueString() {
		if note, taking := seen.TakesOver(state.ID.ValueString()); taking {
			addNotes(diags, []rotation.Message{note})
		}
		return
	}
	if err := seen.MayPublish(state.ID.ValueString(), s.want.label, false, s.want.adopt); err != nil {
		addFailure(diags, "Imported token cannot be planned", err)
		return
	}
	s.observed.Unhealthy = schedule.ReasonImported
}

// warnOfTarget looks at the location that a token moves to, and warns about what its apply
// will find there. It does not change the plan.
func (r *apiTokenResource) warnOfTarget(ctx context.Context, s situation, plan, state apiTokenModel, diags *diag.Diagnostics) {
	const cannot = "Token cannot be moved: "
	if r.session.unknown(s.want.at) {
		return
	}
	var problems diag.Diagnostics
	there := r.session.connection(s.want.at, &problems)
	if problems.HasError() {
		diags.Append(problems...)
		return
	}
	seen, err := there.engine.Look(ctx, s.want.at)
	if err == nil {
		err = seen.MayPublish(state.ID.ValueString(), s.want.label, true, s.want.adopt)
	}
	if err != nil {
		addFailure(&problems, "not allowed", err)
		for _, problem := range problems {
			diags.AddAttributeWarning(plan.storeAttribute(), cannot+problem.Summary(), "An apply of this plan fails. "+problem.Detail())
		}
		return
	}
	if note, taking := seen.TakesOver(state.ID.ValueString()); taking {
		addNotes(diags, []rotation.Message{note})
	}
	there.restoring(seen, diags)
}

// warnOfLoss warns in the plan that its apply will fail. It adds no error, because
// terraform destroy plans first.
func warnOfLoss(c change, s situation, diags *diag.Diagnostics) {
	switch other := s.observed.Taken; {
	case !c.lost:
	case other != nil:
		diags.AddWarning("Entry is managed by another resource",
			fmt.Sprintf("PS209: %s is published by another resource (owner %s): token %s (%s), generation %d. An apply of this resource fails and changes nothing. Destroying it does not change the entry or its tokens. Give each integration its own entry, or remove one of the two resources from its configuration.",
				s.have.at, other.Owner, other.TokenID, other.TokenName, other.Gen))
	default:
		diags.AddWarning("Token is not known to this PAIStrike account",
			fmt.Sprintf("PS112: PAIStrike neither lists nor finds the token that %s serves, or any other token of the entry, so the entry may belong to another account. An apply of this plan fails and changes nothing. Check endpoint and api_token. If the service removes revoked tokens from its list, set api_routes.list.drops_revoked = true. To replace the token anyway, change rotation.triggers.", s.have.at))
	}
}
