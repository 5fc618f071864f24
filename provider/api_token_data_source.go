package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
)

var _ datasource.DataSourceWithConfigure = (*apiTokenDataSource)(nil)

// apiTokenDataSource reads one token of the account, by ID or by name.
type apiTokenDataSource struct{ session *session }

func newAPITokenDataSource() datasource.DataSource { return &apiTokenDataSource{} }

func (d *apiTokenDataSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_api_token"
}

func (d *apiTokenDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	attributes := tokenRowAttributes()
	attributes["id"] = schema.StringAttribute{
		Optional: true, Computed: true,
		Validators:          []validator.String{stringvalidator.LengthAtLeast(1), stringvalidator.ExactlyOneOf(path.MatchRoot("name"))},
		MarkdownDescription: "PAIStrike's id. Set exactly one of `id` and `name`.",
	}
	attributes["name"] = schema.StringAttribute{
		Optional: true, Computed: true, Validators: []validator.String{stringvalidator.LengthAtLeast(1)},
		MarkdownDescription: "The complete name in PAIStrike. Names are not necessarily unique: if several tokens have the name, the error lists them.",
	}
	resp.Schema = schema.Schema{
		MarkdownDescription: "One API token of the account, including tokens created manually: when it was last used, when it expires, and whether it works. " +
			"It does not contain the secret, which PAIStrike shows only when the token is created. It does not need Vault.",
		Attributes: attributes,
	}
}

func (d *apiTokenDataSource) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	d.session = sessionOf(req.ProviderData, &resp.Diagnostics)
}

func (d *apiTokenDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var model tokenRow
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	if resp.Diagnostics.HasError() {
		return
	}
	find := d.session.byID
	wanted := model.ID
	if model.ID.IsNull() {
		find, wanted = d.session.byName, model.Name
	}
	if row, ok := find(ctx, wanted, &resp.Diagnostics); ok {
		resp.Diagnostics.Append(resp.State.Set(ctx, row)...)
	}
}

func (s *session) byID(ctx context.Context, id types.String, diags *diag.Diagnostics) (tokenRow, bool) {
	client := s.client(diags)
	if diags.HasError() {
		return tokenRow{}, false
	}
	token, err := client.Get(ctx, id.ValueString())
	switch {
	case paistrike.IsNotFound(err):
		diags.AddAttributeError(path.Root("id"), "Token not found", "PAIStrike has no token with the id "+id.ValueString()+".")
		return tokenRow{}, false
	case err != nil:
		diags.AddError("Token not read", err.Error())
		return tokenRow{}, false
	}
	now, _ := client.ServerTime()
	return rowOf(token, now), true
}

func (s *session) byName(ctx context.Context, name types.String, diags *diag.Diagnostics) (tokenRow, bool) {
	all := s.list(ctx, tokenFilter{}, diags)
	if diags.HasError() {
		return tokenRow{}, false
	}
	var named []paistrike.Token
	for _, token := range all.tokens {
		if token.Name == name.ValueString() {
			named = append(named, token)
		}
	}
	switch len(named) {
	case 0:
		diags.AddAttributeError(path.Root("name"), "Token not found", fmt.Sprintf("None of the %d tokens of the account has the name %q.", len(all.tokens), name.ValueString()))
	case 1:
		return rowOf(named[0], all.now), true
	default:
		diags.AddAttributeError(path.Root("name"), "Several tokens have this name", fmt.Sprintf("%d tokens have the name %q. Choose one by its id:\n%s", len(named), name.ValueString(), describe(named, all.now)))
	}
	return tokenRow{}, false
}
