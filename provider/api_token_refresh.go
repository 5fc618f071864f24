package provider

import (
	"context"
	"errors"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

// refreshed is what a refresh found.
type refreshed struct {
	state    apiTokenModel
	observed observed
	restamp  bool
	gone     bool // neither token nor Vault entry is left
}

// refresh looks at the token and its entry. PAIStrike's refusal is an error; where
// Vault cannot be asked the state stays as it is, with a warning, because a plan
// that writes nothing needs no Vault.
func refresh(ctx context.Context, engine *rotation.Engine, state apiTokenModel, before observed, former []formerEntry, diags *diag.Diagnostics) refreshed {
	if state.Vault.IsNull() {
		return refreshImported(ctx, engine, state, diags)
	}
	have, err := first(state.desired(ctx))
	if err != nil {
		addFailure(diags, "Token not refreshed", err)
		return refreshed{}
	}
	view, err := engine.Inspect(ctx, have.at)
	if err != nil {
		refuseOrWarn(diags, err)
		return refreshed{state: state, observed: before}
	}
	f := refreshed{observed: observedIn(view, have)}
	if view.Unhealthy == schedule.ReasonGone && view.Version == 0 {
		token, _, err := engine.Token(ctx, state.TokenID.ValueString())
		if err != nil {
			addFailure(diags, "Token not refreshed", err)
			return f
		}
		if token.Status == paistrike.StatusRevoked {
			diags.AddWarning("Token and Vault entry are gone", "Neither token "+state.TokenID.ValueString()+" nor its Vault entry exists any more. The next apply creates both anew.")
			f.gone = true
			return f
		}
	}
	f.state = state
	if f.observed.Taken == nil {
		f.state.absorb(view, have, former)
	}
	f.restamp = restampNeeded(ctx, f.state, before, f.observed, former)
	return f
}

// refuseOrWarn tells a refusal of PAIStrike, which ends the refresh, from a Vault
// that cannot be asked, which does not.
func refuseOrWarn(diags *diag.Diagnostics, err error) {
	var failure *rotation.Error
	if errors.As(err, &failure) && failure.Vault() {
		diags.AddWarning("Vault not consulted: "+failure.Summary,
			failure.Code+": The state keeps what it says, and drift in Vault is not noticed by this plan.\n\nCause: "+failure.Error())
		return
	}
	addFailure(diags, "Token not refreshed", err)
}

// absorb takes over what custom metadata and the token list say, as far as they
// describe the current version. What was planned by another run is not drift.
func (m *apiTokenModel) absorb(view rotation.View, have desired, former []formerEntry) {
	mirrored := view.Unhealthy == schedule.ReasonNone && !view.Stale && view.Mirror.TokenID != ""
	if mirrored {
		m.TokenID, m.TokenName = types.StringValue(view.Mirror.TokenID), types.StringValue(view.Mirror.TokenName)
		m.CreatedAt = timeValue(view.Mirror.CreatedAt)
		if !m.ExpiresIn.IsNull() {
			m.ExpiresAt = timeValue(view.Mirror.ExpiresAt)
		}
		m.VaultVersion = types.Int64Value(int64(view.Version))
	}
	if view.Token.ID == m.TokenID.ValueString() && view.Token.ID != "" {
		m.Status = statusValue(view.Token.Status, timeOf(m.ExpiresAt), view.Clock)
	}
	if view.Mirror.State == entry.StateActive && !view.Foreign && !view.Stale {
		m.PreviousTokens = previousTokens(view.Retiring, former)
	}
	facts := schedule.Facts{CreatedAt: timeOf(m.CreatedAt), ExpiresAt: timeOf(m.ExpiresAt), Slot: view.Slot}
	if verdict := schedule.Evaluate(view.Clock.Rotate(), facts, have.policy); mirrored {
		m.RotateAt = timeValue(verdict.Next)
	}
}

// observedIn is what the plan may know of a view.
func observedIn(view rotation.View, have desired) observed {
	o := observed{V: 1, Rotate: view.Clock.Rotate(), Revoke: view.Clock.Revoke(), Unhealthy: view.Unhealthy, Stale: view.Stale}
	if view.Clock.Trusted() {
		o.Strays = view.Strays
		o.Held = view.Ripe(have.policy) == 0
	}
	o.Mend = view.Unhealthy == schedule.ReasonNone && !view.Stale && have.schedule != rotation.ScheduleIn(view.Mirror)
	if !view.Stale && !view.Foreign && view.MayPublish(have.at, have.label, false) != nil {
		o.Unhealthy, o.Mend = schedule.ReasonChanged, false
		o.Taken = &taken{Version: view.Version, TokenID: view.Mirror.TokenID, TokenName: view.Mirror.TokenName}
	}
	return o
}

// observedAfter is what is known after a run.
func observedAfter(result rotation.Result) observed {
	return observed{V: 1, Rotate: result.Clock.Rotate(), Revoke: result.Clock.Revoke()}
}

// restampNeeded reports whether the observed time must be written: when a decision
// changes by it, or when it is over an hour old.
func restampNeeded(ctx context.Context, state apiTokenModel, before, now observed, former []formerEntry) bool {
	if age := now.Rotate.Sub(before.Rotate).Abs(); age > restampAfter || now.Revoke.Sub(before.Revoke).Abs() > restampAfter {
		return true
	}
	then, errThen := newSituation(ctx, state, state, before, former)
	today, errToday := newSituation(ctx, state, state, now, former)
	if errThen != nil || errToday != nil {
		return true
	}
	a, b := planChange(then), planChange(today)
	a.verdict, b.verdict = schedule.Verdict{}, schedule.Verdict{}
	return a != b
}

// refreshImported fills in what PAIStrike knows of an imported token. Where its
// secret lies is known only when the configuration is planned.
func refreshImported(ctx context.Context, engine *rotation.Engine, state apiTokenModel, diags *diag.Diagnostics) refreshed {
	id := state.TokenID.ValueString()
	token, clock, err := engine.Token(ctx, id)
	switch {
	case err != nil:
		addFailure(diags, "Token not imported", err)
	case token.Name == "":
		diags.AddError("Token not imported", "PAIStrike has no token with the id "+id+". To import by name, write name/ before it.")
	}
	if diags.HasError() {
		return refreshed{}
	}
	label := token.Name
	if name, ok := rotation.ParseName(token.Name); ok {
		label = name.Label
	}
	state.Name, state.TokenName = types.StringValue(label), types.StringValue(token.Name)
	state.CreatedAt, state.ExpiresAt = timeValue(token.CreatedAt), timeValue(token.ExpiresAt)
	state.Status = statusValue(token.Status, token.ExpiresAt, clock)
	state.PreviousTokens = previousTokens(nil, nil)
	return refreshed{state: state, restamp: true, observed: observed{V: 1, Rotate: clock.Rotate(), Revoke: clock.Revoke()}}
}
