package provider

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-validators/objectvalidator"
	"github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-framework/action/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

var _ action.ActionWithConfigure = (*rotateAPITokenAction)(nil)

// rotateAPITokenAction replaces the token of one entry according to the schedule in its
// record. It does not change the state: the next plan sees and accepts the new token.
type rotateAPITokenAction struct{ session *session }

type rotateAPITokenModel struct {
	Vault          *rotateVaultModel `tfsdk:"vault"`
	AWS            *rotateAWSModel   `tfsdk:"aws_secrets_manager"`
	RevokePrevious types.Bool        `tfsdk:"revoke_previous"`
}

type rotateAWSModel struct {
	Name   types.String `tfsdk:"name"`
	Region types.String `tfsdk:"region"`
}

// at returns the location of the named entry.
func (m rotateAPITokenModel) at() entry.Location {
	switch {
	case m.Vault != nil:
		return entry.Location{Namespace: m.Vault.Namespace.ValueString(), Mount: m.Vault.Mount.ValueString(), Path: m.Vault.Path.ValueString()}
	case m.AWS != nil:
		return entry.Location{Region: m.AWS.Region.ValueString(), Path: m.AWS.Name.ValueString()}
	}
	return entry.Location{}
}

type rotateVaultModel struct {
	Mount     types.String `tfsdk:"mount"`
	Path      types.String `tfsdk:"path"`
	Namespace types.String `tfsdk:"namespace"`
}

func newRotateAPITokenAction() action.Action { return &rotateAPITokenAction{} }

func (a *rotateAPITokenAction) Metadata(_ context.Context, req action.MetadataRequest, resp *action.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_rotate_api_token"
}

func (a *rotateAPITokenAction) Schema(_ context.Context, _ action.SchemaRequest, resp *action.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Immediately replaces the token of one store entry, whether or not it is due. The new token is in the store before anything is revoked. " +
			"The entry's schedule determines its lifetime and the overlap of the old token; with `revoke_previous`, the old token is revoked in the same run. Terraform's state does not change: the next plan reads the new token and shows no change. Actions require Terraform 1.14 or newer; OpenTofu does not support them.",
		Attributes: map[string]schema.Attribute{
			"vault": schema.SingleNestedAttribute{
				Optional: true, MarkdownDescription: "The entry of Vault, as in the resource. Set exactly one of `vault` and `aws_secrets_manager`.",
				Validators: []validator.Object{objectvalidator.ExactlyOneOf(path.MatchRoot("vault"), path.MatchRoot("aws_secrets_manager"))},
				Attributes: map[string]schema.Attribute{
					"mount":     schema.StringAttribute{Required: true, Validators: []validator.String{pathValidator{}}, MarkdownDescription: "Mount of the secrets engine, such as `secret`."},
					"path":      schema.StringAttribute{Required: true, Validators: []validator.String{pathValidator{}}, MarkdownDescription: "Path below the mount, such as `ci/paistrike`."},
					"namespace": schema.StringAttribute{Optional: true, Validators: []validator.String{pathValidator{}}, MarkdownDescription: "Vault namespace, if it is not the provider's."},
				},
			},
			"aws_secrets_manager": schema.SingleNestedAttribute{
				Optional: true, MarkdownDescription: "The secret of AWS Secrets Manager, as in the resource.",
				Attributes: map[string]schema.Attribute{
					"name":   schema.StringAttribute{Required: true, Validators: []validator.String{awsNameValidator{}}, MarkdownDescription: "Name of the secret, such as `ci/paistrike`."},
					"region": schema.StringAttribute{Optional: true, Validators: []validator.String{awsRegionValidator{}}, MarkdownDescription: "Region of the secret, if it is not the provider's."},
				},
			},
			"revoke_previous": schema.BoolAttribute{
				Optional: true, MarkdownDescription: "Whether to revoke the replaced tokens as soon as the new one is in the store, without overlap. Use it for a leaked token. `false` by default.",
			},
		},
	}
}

func (a *rotateAPITokenAction) Configure(_ context.Context, req action.ConfigureRequest, resp *action.ConfigureResponse) {
	a.session = sessionOf(req.ProviderData, &resp.Diagnostics)
}

// Invoke rotates as a forced run of the scheduler does: schedule, owner and data field are
// those of the record.
func (a *rotateAPITokenAction) Invoke(ctx context.Context, req action.InvokeRequest, resp *action.InvokeResponse) {
	const failed = "Token not rotated"
	var model rotateAPITokenModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	a.session.mayChange(failed, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	at := model.at()
	if model.AWS != nil && at.Region == "" {
		at.Region = a.session.region(ctx, &resp.Diagnostics)
	}
	engine := a.session.engine(at, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	seen, err := engine.Look(ctx, at)
	switch {
	case err != nil:
		addFailure(&resp.Diagnostics, failed, err)
		return
	case seen.Obstacle() != nil:
		addFailure(&resp.Diagnostics, failed, seen.Obstacle())
		return
	case seen.Foreign(), seen.Unhealthy() == schedule.ReasonGone:
		resp.Diagnostics.AddError(failed, fmt.Sprintf("%s serves no token that paistrike published. Nothing was created or revoked.", at))
		return
	}
	result, err := engine.Run(ctx, rotation.Request{
		At: at, Seen: &seen, Stored: true, Wish: rotation.Rotate, Reason: schedule.ReasonForced, RevokePrevious: model.RevokePrevious.ValueBool(),
	})
	addNotes(&resp.Diagnostics, result.Notes)
	if err != nil {
		addFailure(&resp.Diagnostics, failed, err)
	}
	if result.Rotated {
		resp.SendProgress(action.InvokeProgressEvent{Message: rotatedText(at, result)})
	}
}

// rotatedText states the result for an entry and its previous tokens.
func rotatedText(at entry.Location, result rotation.Result) string {
	text := fmt.Sprintf("%s serves token %s (%s), generation %d.", at, result.TokenID, result.TokenName, result.Gen)
	for _, old := range result.Retiring {
		text += fmt.Sprintf(" Token %s works until %s.", old.ID, old.RevokeAfter.UTC().Format(time.RFC3339))
	}
	if len(result.Retired) > 0 {
		text += " Revoked: " + strings.Join(result.Retired, ", ") + "."
	}
	return text
}
