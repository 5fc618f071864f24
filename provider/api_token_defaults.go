package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

// defaultRecoveryWindow is AWS's default.
const defaultRecoveryWindow = "30d"

// withDefaults writes the effective values of the settings that written omits into a plan
// or a state, so that a policy that reads a plan need not know the defaults. A value that
// depends on something unknown is unknown.
func (m *apiTokenModel) withDefaults(ctx context.Context, written apiTokenModel, diags *diag.Diagnostics) {
	m.Rotation = rewrite("rotation", m.Rotation, written.Rotation, diags, func(planned, wrote *rotationModel) {
		window, beforeExpiry, overlap := types.StringUnknown(), types.StringUnknown(), types.StringUnknown()
		if !anyUnknown(ctx, written.ExpiresIn, written.ExpiresAt, wrote.Period, wrote.Schedule, wrote.Timezone, wrote.Window, wrote.BeforeExpiry, wrote.Overlap) {
			var d desired
			d.readRotation(written)
			window, beforeExpiry, overlap = textOrNull(d.schedule.Window), textOrNull(d.schedule.BeforeExpiry), textOrNull(d.schedule.Overlap)
		}
		leftOut(&planned.Window, wrote.Window, window)
		leftOut(&planned.BeforeExpiry, wrote.BeforeExpiry, beforeExpiry)
		leftOut(&planned.Overlap, wrote.Overlap, overlap)
		leftOut(&planned.OnRevoked, wrote.OnRevoked, types.StringValue(string(schedule.OnRevokedRotate)))
	})
	onDestroy := types.StringValue(string(entry.EndDelete))
	m.Vault = rewrite("vault", m.Vault, written.Vault, diags, func(planned, wrote *tokenVaultModel) {
		leftOut(&planned.OnDestroy, wrote.OnDestroy, onDestroy)
	})
	m.AWS = rewrite("aws_secrets_manager", m.AWS, written.AWS, diags, func(planned, wrote *tokenAWSModel) {
		leftOut(&planned.OnDestroy, wrote.OnDestroy, onDestroy)
		leftOut(&planned.RecoveryWindow, wrote.RecoveryWindow, types.StringValue(defaultRecoveryWindow))
	})
}

// leftOut sets an omitted setting to its default.
func leftOut(planned *types.String, wrote, value types.String) {
	if wrote.IsNull() {
		*planned = value
	}
}

// rewrite changes a block unless it is null or unknown.
func rewrite[T any](block string, planned, written types.Object, diags *diag.Diagnostics, change func(planned, wrote *T)) types.Object {
	if planned.IsNull() || planned.IsUnknown() {
		return planned
	}
	p, w := fromObject[T](planned), fromObject[T](written)
	change(&p, &w)
	return objectOf(block, &p, diags)
}
