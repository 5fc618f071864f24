package provider

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

// validate checks combinations of attributes, as far as they are known.
func (m apiTokenModel) validate(ctx context.Context, diags *diag.Diagnostics) {
	m.validateStore(diags)
	if anyUnknown(ctx, m.ExpiresIn, m.ExpiresAt) {
		return
	}
	switch {
	case m.ExpiresIn.IsNull() && m.ExpiresAt.IsNull():
		diags.AddAttributeError(path.Root("expires_in"), "Invalid expires_in", "neither expires_in nor expires_at is set. Set expires_in to a lifetime such as \"90d\" or to \"never\", or set expires_at to a fixed time.")
	case !m.ExpiresIn.IsNull() && !m.ExpiresAt.IsNull():
		diags.AddAttributeError(path.Root("expires_in"), "Invalid expires_in", "expires_in and expires_at are both set. Set only one of them.")
	}
	if diags.HasError() || m.Rotation.IsNull() || anyUnknown(ctx, m.Rotation) {
		return
	}
	r := fromObject[rotationModel](m.Rotation)
	rotationPath := path.Root("rotation")
	if !r.Window.IsNull() && r.Schedule.IsNull() {
		diags.AddAttributeError(rotationPath.AtName("window"), "Invalid rotation.window", "a window requires a schedule, but rotation.schedule is not set.")
	}
	if !r.BeforeExpiry.IsNull() && (m.ExpiresIn.IsNull() || m.ExpiresIn.ValueString() == schedule.Never) {
		diags.AddAttributeError(rotationPath.AtName("before_expiry"), "Invalid rotation.before_expiry", "it requires a lifetime in expires_in. With a fixed expiry, or with none, a new token would not expire later than the old one.")
	}
	if diags.HasError() || !m.readable(r) {
		return
	}
	d, more := m.desired(ctx)
	diags.Append(more...)
	if err := d.policy.Validate(); err != nil {
		addPolicyError(diags, err)
	}
}

// readable reports whether every duration, time, schedule and enumerated value is valid.
// The validators report those that are not.
func (m apiTokenModel) readable(r rotationModel) bool {
	end, err := parseInstant(m.ExpiresAt.ValueString())
	if err != nil && !m.ExpiresAt.IsNull() {
		return false
	}
	_, _, err = r.schedule(m.ExpiresIn.ValueString()).Complete(end)
	return err == nil
}

// checkGuardRails applies the provider's token_policy.
func checkGuardRails(p tokenPolicy, d desired, diags *diag.Diagnostics) {
	if !p.set {
		return
	}
	if d.policy.Never && !p.allowNever {
		diags.AddAttributeError(path.Root("expires_in"), "Token without expiry is not allowed",
			"The provider's token_policy does not allow expires_in = \"never\". Give the token a lifetime, or set token_policy.allow_never = true.")
	}
	if p.maxExpiresIn > 0 && d.policy.Lifetime > p.maxExpiresIn {
		diags.AddAttributeError(path.Root("expires_in"), "Token lives too long",
			fmt.Sprintf("expires_in is %s, but the provider's token_policy allows at most %s.", schedule.FormatDuration(d.policy.Lifetime), schedule.FormatDuration(p.maxExpiresIn)))
	}
}

// checkFixedEnd rejects an expires_at that has passed, or that is later than the
// provider's token_policy permits.
func checkFixedEnd(p tokenPolicy, d desired, now time.Time, diags *diag.Diagnostics) {
	end := d.policy.ExpiresAt
	switch {
	case end.IsZero():
	case !now.Before(end):
		diags.AddAttributeError(path.Root("expires_at"), "Expiry is in the past",
			fmt.Sprintf("expires_at is %s, but PAIStrike's clock is at %s. Nothing was created.", end.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339)))
	case p.maxExpiresIn > 0 && end.Sub(now) > p.maxExpiresIn:
		diags.AddAttributeError(path.Root("expires_at"), "Token lives too long",
			fmt.Sprintf("expires_at is %s, but the provider's token_policy allows at most %s. Nothing was created.", end.UTC().Format(time.RFC3339), schedule.FormatDuration(p.maxExpiresIn)))
	}
}

// warnOfTheEnd warns of a token that has expired, or will expire before anything replaces
// it.
func warnOfTheEnd(p tokenPolicy, s situation, c change, state apiTokenModel, diags *diag.Diagnostics) {
	end := s.facts.ExpiresAt
	replaced := c.verdict.Next // zero if no time makes it due
	if c.rotate || end.IsZero() || (!replaced.IsZero() && replaced.Before(end)) {
		return
	}
	at, attribute := end.UTC().Format(time.RFC3339), path.Root("expires_at")
	if !s.want.policy.ExpiresAt.IsZero() && !s.observed.Rotate.Before(end) {
		diags.AddAttributeWarning(attribute, "Token has expired",
			fmt.Sprintf("Token %s expired at %s, as expires_at specifies, and no longer works. Set a new expires_at, or use expires_in.", state.TokenID.ValueString(), at))
		return
	}
	if p.warnBefore > 0 && !s.observed.Rotate.Add(p.warnBefore).Before(end) {
		diags.AddAttributeWarning(attribute, "Token expires soon",
			fmt.Sprintf("Token %s expires at %s, and no rotation replaces it before that. Set rotation or a new expires_at.", state.TokenID.ValueString(), at))
	}
}
