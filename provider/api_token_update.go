package provider

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

// update carries out one planned change.
type update struct {
	situation
	session *session
	engine  *rotation.Engine // of the entry in the plan
	plan    apiTokenModel
	state   apiTokenModel
	from    imports
}

// apply carries out what the plan shows and leaves the new state in u.plan. It does not
// change known planned values.
func (u *update) apply(ctx context.Context, diags *diag.Diagnostics) error {
	c := planChange(u.situation)
	rotate := u.plan.TokenID.IsUnknown()
	if !rotate && !c.any() && !u.imported {
		return nil // only settings that neither PAIStrike nor the store contain
	}
	request := u.want.request(u.state.ID.ValueString(), rotation.Settle, schedule.ReasonNone, u.state.TokenID.ValueString())
	request.MayRepublish = u.plan.SecretVersion.IsUnknown()
	request.TakeOver = u.claim || u.imported
	request.Floor = int(u.state.SecretVersion.ValueInt64())
	request.Imported = u.from.Tokens
	if rotate {
		request.Wish, request.Reason, request.Keep = rotation.Rotate, u.reason(c), u.held()
		request.RevokePrevious = request.Reason == schedule.ReasonIncident
	}
	result, err := u.engine.Run(ctx, request)
	addNotes(diags, result.Notes)
	if err != nil {
		return err
	}
	if u.claim && !rotate && result.TokenID != u.state.TokenID.ValueString() {
		diags.AddWarning("Entry serves a different token than the import saw",
			fmt.Sprintf("The record of %s names token %s, but its metadata named %s. The record is authoritative: this resource now manages the token of the record, and the next plan shows it.", u.want.at, result.TokenID, u.state.TokenID.ValueString()))
	}
	u.from.Claim, u.from.ExpiresAt = false, time.Time{}
	if result.Rotated && !u.imported && u.want.at != u.have.at {
		u.leave(ctx, result, diags)
	}
	if c.retire {
		u.endFormer(ctx, result, diags)
	}
	u.observed = observedAt(result.Clock)
	if result.TokenID == "" {
		u.plan.forget(u.state) // there was nothing to do after all
		return nil
	}
	u.plan.fill(result, u.former)
	return nil
}

// held returns the tokens that consumers of the entry may use: they keep their overlap
// whatever happened to the record. After a move, the tokens of the former entry are not
// included.
func (u *update) held() []string {
	var ids []string
	elsewhere := !u.imported && u.want.at.Entry() != u.have.at.Entry()
	if !elsewhere {
		ids = append(ids, u.state.TokenID.ValueString())
	}
	for _, p := range u.previous {
		id := p.ID.ValueString()
		left := slices.IndexFunc(u.former, func(f formerEntry) bool { return f.holds(id) })
		if (left < 0 && !elsewhere) || (left >= 0 && u.former[left].At.Entry() == u.want.at.Entry()) {
			ids = append(ids, id)
		}
	}
	return ids
}

// reason returns the reason that the plan showed, or the current one if it was unknown in
// the plan.
func (u *update) reason(c change) schedule.Reason {
	if u.plan.RotationReason.IsUnknown() {
		return c.reason
	}
	return schedule.Reason(u.plan.RotationReason.ValueString())
}

// leave remembers the entry, or the data field, that the token has moved away from, and
// removes the entry's schedule so that nothing rotates it anymore. An entry that the token
// returns to is no longer a former one: its token is in the record.
func (u *update) leave(ctx context.Context, result rotation.Result, diags *diag.Diagnostics) {
	left := formerEntry{At: u.have.at, RecoveryWindow: u.have.settings.RecoveryWindow, Token: entry.Retiring{RevokeAfter: result.Clock.Now().Add(u.want.policy.Overlap)}}
	if u.have.at.Entry() != u.want.at.Entry() {
		left.Token.ID, left.Token.Name = u.state.TokenID.ValueString(), u.state.TokenName.ValueString()
		left.Token.ExpiresAt = timeOf(u.state.ExpiresAt)
		left.Before = u.beforeMove(left.Token.RevokeAfter)
		if u.observed.Unhealthy == schedule.ReasonNone {
			u.unschedule(ctx, diags)
		}
	}
	u.former = slices.DeleteFunc(u.former, func(f formerEntry) bool { return f.Token.ID != "" && f.At.Entry() == u.want.at.Entry() })
	u.former = append(u.former, left)
}

// unschedule publishes the record of the former entry without its schedule, so that no one
// rotates it or restores the schedule.
func (u *update) unschedule(ctx context.Context, diags *diag.Diagnostics) {
	request := u.have.request(u.state.ID.ValueString(), rotation.Settle, schedule.ReasonNone, "")
	request.Schedule = schedule.Schedule{ExpiresIn: u.have.schedule.ExpiresIn}
	request.Policy.Manual, request.MayRepublish, request.Imported, request.TakeOver = true, true, u.from.Tokens, u.claim
	there, err := u.session.stores.open(u.have)
	if err != nil {
		diags.AddWarning("Schedule of the former entry not removed", err.Error())
		return
	}
	result, err := there.engine.Run(ctx, request)
	addNotes(diags, result.Notes)
	if failure, ok := errors.AsType[*rotation.Error](err); ok && failure.OfOther() {
		return // whoever took the entry over has their own schedule
	}
	if err != nil {
		diags.AddWarning("Schedule of the former entry not removed", err.Error())
	}
}

// beforeMove returns the previous tokens of the entry that the token moves away from.
func (u *update) beforeMove(revokeAfter time.Time) []entry.Retiring {
	var list []entry.Retiring
	for _, p := range u.previous {
		id := p.ID.ValueString()
		if !slices.ContainsFunc(u.former, func(f formerEntry) bool { return f.holds(id) }) {
			list = append(list, entry.Retiring{ID: id, Name: p.Name.ValueString(), ExpiresAt: timeOf(p.ExpiresAt), RevokeAfter: revokeAfter})
		}
	}
	return list
}

// endFormer destroys the former entries whose overlap is over. If that fails, the entry
// stays in the list for the next apply.
func (u *update) endFormer(ctx context.Context, result rotation.Result, diags *diag.Diagnostics) {
	var kept []formerEntry
	for _, f := range u.former {
		switch {
		case result.Clock.Revoke().Before(f.Token.RevokeAfter) || !result.Clock.Trusted():
			kept = append(kept, f)
		case f.At.Entry() == u.want.at.Entry():
			if !result.Published {
				kept = append(kept, f)
			}
		default:
			if err := u.end(ctx, f, diags); err != nil {
				diags.AddWarning("Former entry not removed yet", err.Error())
				kept = append(kept, f)
			}
		}
	}
	u.former = kept
}

// end destroys a former entry, in whichever store it is.
func (u *update) end(ctx context.Context, f formerEntry, diags *diag.Diagnostics) error {
	there, err := u.session.stores.open(f.desired())
	if err != nil {
		return err
	}
	ended, err := there.engine.Destroy(ctx, rotation.DestroyRequest{
		At: f.At, Owner: u.state.ID.ValueString(), TokenIDs: []string{f.Token.ID}, TokenName: f.Token.Name,
		Imported: u.from.Tokens, Ending: u.want.onDestroy, Adopt: u.want.adopt,
	})
	addNotes(diags, ended.Notes)
	return err
}

// forget restores the prior values of attributes that the plan left unknown.
func (m *apiTokenModel) forget(state apiTokenModel) {
	keep := func(field *types.String, prior types.String) {
		if field.IsUnknown() {
			*field = prior
		}
	}
	keep(&m.TokenID, state.TokenID)
	keep(&m.TokenName, state.TokenName)
	keep(&m.CreatedAt, state.CreatedAt)
	keep(&m.ExpiresAt, state.ExpiresAt)
	keep(&m.Status, state.Status)
	keep(&m.RotateAt, state.RotateAt)
	keep(&m.RotationReason, state.RotationReason)
	if m.SecretVersion.IsUnknown() {
		m.SecretVersion = state.SecretVersion
	}
	if m.PreviousTokens.IsUnknown() {
		m.PreviousTokens = state.PreviousTokens
	}
}
