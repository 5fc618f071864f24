package provider

import (
	"context"
	"errors"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

// refreshed is the result of a refresh.
type refreshed struct {
	state    apiTokenModel
	observed observed
	restamp  bool
	imported imports // what an import recorded, to be kept
	gone     bool    // neither the token nor the entry exists
}

// refresh looks at the token and its entry. If PAIStrike fails, that is an error. If the
// store fails, the state stays as it is, with a warning, because a plan that writes
// nothing does not need the store.
func refresh(ctx context.Context, engine *rotation.Engine, state apiTokenModel, have desired, before observed, former []formerEntry, from imports, diags *diag.Diagnostics) refreshed {
	if !state.hasPlace() {
		return refreshImported(ctx, engine, state, diags)
	}
	seen, err := engine.Look(ctx, have.at)
	if err != nil {
		refuseOrWarn(diags, err)
		return refreshed{state: state, observed: before}
	}
	owner := state.ID.ValueString()
	if from.Claim {
		owner = seen.Mirror.Owner // until the first apply
	}
	f := refreshed{observed: observedIn(seen, owner, have, from.Tokens)}
	if seen.Revision == "" {
		token, _, err := engine.Token(ctx, state.TokenID.ValueString())
		if err != nil {
			addFailure(diags, "Token not refreshed", err)
			return f
		}
		if token.Status != paistrike.StatusActive {
			diags.AddWarning("Token and entry are gone", "Neither token "+state.TokenID.ValueString()+" nor its entry exists. The next apply creates a new token and entry.")
			f.gone = true
			return f
		}
	}
	f.state = state
	if f.observed.Taken == nil {
		f.state.absorb(seen, have, former)
	}
	if engine.Unasked() { // keep what only PAIStrike knows
		f.state.PreviousTokens, f.state.Status = state.PreviousTokens, state.Status
	}
	if from.Claim {
		f.imported = imports{Claim: true, ExpiresAt: seen.Mirror.ExpiresAt}
		f.state.ExpiresAt = state.ExpiresAt
	}
	f.restamp = restampNeeded(ctx, f.state, before, f.observed, former)
	return f
}

// refuseOrWarn adds an error if PAIStrike failed, which ends the refresh, and a warning if
// the store failed, which does not.
func refuseOrWarn(diags *diag.Diagnostics, err error) {
	var failure *rotation.Error
	if errors.As(err, &failure) && failure.OfStore() {
		diags.AddWarning("Secret store not read: "+failure.Summary,
			fmt.Sprintf("%s: The state was not refreshed from the store, and this plan does not show drift there. %s\n\nCause: %v", failure.Code, failure.Detail, failure.Err))
		return
	}
	addFailure(diags, "Token not refreshed", err)
}

// absorb updates the state from metadata and the token list as far as they describe the
// current version. A rotation by another run is not drift. The token of another owner is
// never taken over.
func (m *apiTokenModel) absorb(seen rotation.Sight, have desired, former []formerEntry) {
	serves := seen.Serves()
	if serves {
		m.TokenID, m.TokenName = types.StringValue(seen.Mirror.TokenID), types.StringValue(seen.Mirror.TokenName)
		m.CreatedAt = timeValue(seen.Mirror.CreatedAt)
		if !m.ExpiresIn.IsNull() {
			m.ExpiresAt = timeValue(seen.Mirror.ExpiresAt)
		}
		m.SecretVersion = types.Int64Value(int64(seen.Mirror.Of))
		m.PreviousTokens = previousTokens(seen.Retiring, former)
	}
	switch current := seen.Current; {
	case current.ID != m.TokenID.ValueString():
	case seen.Account == rotation.AccountDropped:
		m.Status = types.StringValue(string(paistrike.StatusRevoked))
	case current.Status != "":
		m.Status = statusValue(current.Status, timeOf(m.ExpiresAt), seen.Clock)
	}
	facts := schedule.Facts{CreatedAt: timeOf(m.CreatedAt), ExpiresAt: timeOf(m.ExpiresAt), Slot: seen.Mirror.Slot}
	if verdict := schedule.Evaluate(seen.Clock.Rotate(), facts, have.policy); serves {
		m.RotateAt = timeValue(verdict.Next)
	}
}

// observedIn returns what the plan needs to know about an entry.
func observedIn(seen rotation.Sight, owner string, have desired, imported []rotation.Imported) observed {
	o := observedAt(seen.Clock)
	o.Unhealthy, o.Stale = seen.Unhealthy(), seen.Stale()
	o.Held = seen.Ripe(have.policy, imported...) == 0
	o.Strays = seen.Strays()
	if !seen.Serves() {
		return o
	}
	if seen.OwnedByOther(owner) {
		o.Taken = &taken{Owner: seen.Mirror.Owner, Gen: seen.Mirror.Of, TokenID: seen.Mirror.TokenID, TokenName: seen.Mirror.TokenName}
		return o
	}
	o.Repair = have.schedule != seen.Mirror.Schedule
	switch {
	case seen.Account == rotation.AccountUnknown:
		o.Elsewhere = true
	case seen.Current.Status == "" && seen.Account != rotation.AccountDropped:
		o.Unhealthy = schedule.ReasonNotFound
	}
	return o
}

// restampNeeded reports whether the observed time must be written: if a decision depends
// on it, or if it is over an hour old.
func restampNeeded(ctx context.Context, state apiTokenModel, before, now observed, former []formerEntry) bool {
	before = before.or(state)
	if now.olderThan(before) {
		return true
	}
	then, errThen := newSituation(ctx, state, state, before, former, imports{})
	today, errToday := newSituation(ctx, state, state, now, former, imports{})
	if errThen != nil || errToday != nil {
		return true
	}
	a, b := planChange(then), planChange(today)
	a.verdict, b.verdict = schedule.Verdict{}, schedule.Verdict{}
	return a != b
}

// refreshImported fills in what PAIStrike knows about an imported token. The location of
// its secret is known only when the configuration is planned.
func refreshImported(ctx context.Context, engine *rotation.Engine, state apiTokenModel, diags *diag.Diagnostics) refreshed {
	id := state.TokenID.ValueString()
	token, clock, err := engine.Token(ctx, id)
	switch {
	case err != nil:
		addFailure(diags, "Token not imported", err)
	case token.Name == "":
		diags.AddError("Token not imported", "PAIStrike has no token with the id "+id+". To import a token by its name, write name/ before the name.")
	}
	if diags.HasError() {
		return refreshed{}
	}
	state.Name, state.TokenName = types.StringValue(rotation.Label(token.Name)), types.StringValue(token.Name)
	state.CreatedAt, state.ExpiresAt = timeValue(token.CreatedAt), timeValue(token.ExpiresAt)
	state.Status = statusValue(token.Status, token.ExpiresAt, clock)
	state.PreviousTokens = previousTokens(nil, nil)
	return refreshed{
		state: state, restamp: true, observed: observedAt(clock),
		imported: imports{Tokens: []rotation.Imported{{ID: id, Name: token.Name}}},
	}
}
