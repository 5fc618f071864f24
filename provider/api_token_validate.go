package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
)

// validate checks what attributes say together, as far as it is known.
func (m apiTokenModel) validate(ctx context.Context, diags *diag.Diagnostics) {
	if m.Rotation.IsNull() || anyUnknown(ctx, m.Rotation, m.ExpiresIn, m.ExpiresAt) {
		return
	}
	var r rotationModel
	diags.Append(m.Rotation.As(ctx, &r, basetypes.ObjectAsOptions{})...)
	rotationPath := path.Root("rotation")
	if !r.Window.IsNull() && r.Schedule.IsNull() {
		diags.AddAttributeError(rotationPath.AtName("window"), "Invalid rotation.window", "a window belongs to a schedule, and rotation.schedule is not set.")
	}
	if !r.BeforeExpiry.IsNull() && (m.ExpiresIn.IsNull() || m.ExpiresIn.ValueString() == rotation.Never) {
		diags.AddAttributeError(rotationPath.AtName("before_expiry"), "Invalid rotation.before_expiry", "it needs a lifetime in expires_in: with a fixed end, or none, a new token would expire no later.")
	}
	if diags.HasError() {
		return
	}
	d, more := m.desired(ctx)
	diags.Append(more...)
	if err := d.policy.Validate(); err != nil {
		addPolicyError(diags, err)
	}
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
			fmt.Sprintf("expires_in is %s, and the provider's token_policy allows %s at most.", rotation.FormatDuration(d.policy.Lifetime), rotation.FormatDuration(p.maxExpiresIn)))
	}
}
