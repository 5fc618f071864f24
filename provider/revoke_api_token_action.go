package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-framework/action/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
)

var _ action.ActionWithConfigure = (*revokeAPITokenAction)(nil)

// revokeAPITokenAction revokes a token, whoever created it. It does not change the state:
// the next plan sees that a managed token is revoked, and replaces it in place.
type revokeAPITokenAction struct{ session *session }

type revokeAPITokenModel struct {
	TokenID types.String `tfsdk:"token_id"`
	Reason  types.String `tfsdk:"reason"`
}

func newRevokeAPITokenAction() action.Action { return &revokeAPITokenAction{} }

func (a *revokeAPITokenAction) Metadata(_ context.Context, req action.MetadataRequest, resp *action.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_revoke_api_token"
}

func (a *revokeAPITokenAction) Schema(_ context.Context, _ action.SchemaRequest, resp *action.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Revokes one API token immediately, for example after a leak. The token may have been created manually. PAIStrike refuses it from then on. " +
			"If Terraform manages the token, the next plan replaces it in place, with `rotation_reason = \"revoked\"`: apply it immediately. To replace a token without a gap for its consumers, change `rotation.triggers` instead. The action does not need Vault. Actions require Terraform 1.14 or newer; OpenTofu does not support them.",
		Attributes: map[string]schema.Attribute{
			"token_id": schema.StringAttribute{Required: true, Validators: []validator.String{stringvalidator.LengthAtLeast(1)}, MarkdownDescription: "PAIStrike's id of the token. The provider's own token is refused."},
			"reason":   schema.StringAttribute{Required: true, Validators: []validator.String{stringvalidator.LengthAtLeast(1)}, MarkdownDescription: "Reason for the revocation. It is shown while the action runs and appears in the log, so do not include a secret."},
		},
	}
}

func (a *revokeAPITokenAction) Configure(_ context.Context, req action.ConfigureRequest, resp *action.ConfigureResponse) {
	a.session = sessionOf(req.ProviderData, &resp.Diagnostics)
}

// Invoke looks the token up first, so that a misspelled ID is not mistaken for a token
// that no longer exists.
func (a *revokeAPITokenAction) Invoke(ctx context.Context, req action.InvokeRequest, resp *action.InvokeResponse) {
	var model revokeAPITokenModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	client := a.session.client(&resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	id := model.TokenID.ValueString()
	token, err := client.Get(ctx, id)
	switch {
	case paistrike.IsNotFound(err):
		resp.Diagnostics.AddAttributeError(path.Root("token_id"), "Token not revoked", "PAIStrike has no token with the id "+id+". Nothing was revoked.")
		return
	case err != nil:
		resp.Diagnostics.AddError("Token not revoked", err.Error())
		return
	}
	if a.session.refuseOwn(ctx, "Token not revoked", &resp.Diagnostics, id); resp.Diagnostics.HasError() {
		return
	}
	say := func(format string, args ...any) {
		resp.SendProgress(action.InvokeProgressEvent{Message: fmt.Sprintf(format, args...)})
	}
	if token.Status == paistrike.StatusRevoked {
		say("Token %s (%s) was already revoked", id, token.Name)
		return
	}
	say("Revoking token %s (%s): %s", id, token.Name, model.Reason.ValueString())
	if err := client.End(ctx, id, paistrike.Asked()); err != nil {
		resp.Diagnostics.AddError("Token not revoked", "Token "+id+" may still work.\n\nCause: "+err.Error())
		return
	}
	say("Token %s no longer works", id)
}
