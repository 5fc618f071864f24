package provider

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

const (
	// adviceOnLifetime is the upper limit of PAIStrike's advice: 30 to 90 days.
	adviceOnLifetime = 90 * 24 * time.Hour
	// overdueAfter is how long a replaced token may outlive its overlap without a warning.
	overdueAfter = 24 * time.Hour
)

func deletionProtectionAttribute() schema.BoolAttribute {
	return schema.BoolAttribute{
		Optional: true,
		MarkdownDescription: "Whether Terraform refuses to destroy or re-create this token. " +
			"To destroy the token, first set this attribute to `false` and apply. It protects against Terraform only: anyone with the permissions can still revoke the token in PAIStrike or delete its entry from the store.",
	}
}

// refuseDestroy adds an error if the token must not be destroyed.
func refuseDestroy(ctx context.Context, state tfsdk.State, diags *diag.Diagnostics) {
	var protected types.Bool
	var id types.String
	attribute := path.Root("deletion_protection")
	diags.Append(state.GetAttribute(ctx, attribute, &protected)...)
	diags.Append(state.GetAttribute(ctx, path.Root("token_id"), &id)...)
	if protected.ValueBool() {
		diags.AddAttributeError(attribute, "Token is protected from deletion",
			fmt.Sprintf("deletion_protection is true, so token %s and its entry in the store were not changed. To destroy them, first set deletion_protection = false and apply. To stop managing the token without revoking it, use a removed block with destroy = false.", id.ValueString()))
	}
}

// warnOfLifetime warns of a token that lives longer than PAIStrike advises, unless the
// provider's token_policy permits that.
func warnOfLifetime(p tokenPolicy, d desired, now time.Time, diags *diag.Diagnostics) {
	attribute, life := path.Root("expires_in"), d.policy.Lifetime
	if end := d.policy.ExpiresAt; !end.IsZero() {
		attribute, life = path.Root("expires_at"), end.Sub(now)
	}
	switch {
	case d.policy.Never && !p.set:
		diags.AddAttributeWarning(attribute, "Token never expires",
			"A leaked copy works until someone revokes the token. PAIStrike advises a lifetime of 30 to 90 days; with rotation, consumers get a new token long before the old one expires. To allow this token without a warning, set token_policy = { allow_never = true } in the provider block.")
	case life > adviceOnLifetime && p.maxExpiresIn == 0:
		diags.AddAttributeWarning(attribute, "Token lives longer than 90 days",
			fmt.Sprintf("The token lives for %s, but PAIStrike advises 30 to 90 days. To allow this lifetime without a warning, set token_policy = { max_expires_in = \"...\" } in the provider block.", schedule.FormatDuration(life.Truncate(time.Hour))))
	}
}

// warnOfOverdue warns of replaced tokens that should have been revoked long ago: no run
// took place, or the revocation was held back.
func warnOfOverdue(s situation, diags *diag.Diagnostics) {
	for _, p := range s.previous {
		after := timeOf(p.RevokeAfter)
		if after.IsZero() || s.observed.Revoke.Before(after.Add(overdueAfter)) {
			continue
		}
		then := "The next apply revokes it. Run Terraform, or a scheduled rotation, at least once a day."
		if s.observed.Held {
			then = "It is not revoked yet, because it is still in use or the servers' clocks disagree."
		}
		diags.AddAttributeWarning(path.Root("previous_tokens"), "Replaced token still works after its overlap",
			fmt.Sprintf("The overlap of token %s ended at %s, but the token still works. %s", p.ID.ValueString(), p.RevokeAfter.ValueString(), then))
	}
}

// previousIDs returns the IDs of the tokens in overlap.
func (m apiTokenModel) previousIDs(ctx context.Context) []string {
	var ids []string
	for _, p := range m.previous(ctx) {
		ids = append(ids, p.ID.ValueString())
	}
	return ids
}
