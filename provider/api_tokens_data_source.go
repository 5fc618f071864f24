package provider

import (
	"context"
	"maps"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
)

var _ datasource.DataSourceWithConfigure = (*apiTokensDataSource)(nil)

// apiTokensDataSource is the audit: all tokens of the account that match a filter.
type apiTokensDataSource struct{ session *session }

type apiTokensModel struct {
	tokenFilterModel
	Tokens []tokenRow `tfsdk:"tokens"`
}

func newAPITokensDataSource() datasource.DataSource { return &apiTokensDataSource{} }

func (d *apiTokensDataSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_api_tokens"
}

func (d *apiTokensDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	attributes := dataSourceFilter()
	attributes["tokens"] = schema.ListNestedAttribute{
		Computed: true, MarkdownDescription: "The tokens that match every filter, sorted by name, then by age. They do not contain secrets: PAIStrike shows a secret only when it creates the token.",
		NestedObject: schema.NestedAttributeObject{Attributes: tokenRowAttributes()},
	}
	resp.Schema = schema.Schema{
		MarkdownDescription: "All API tokens of the account, including those created manually. Use it for an audit: which tokens were never used, expire soon, or never expire. " +
			"It does not need Vault: omit `vault` from the provider block if nothing else uses it.",
		Attributes: attributes,
	}
}

// tokenRowAttributes returns the columns of PAIStrike's own list, and attributes derived
// from them.
func tokenRowAttributes() map[string]schema.Attribute {
	attributes := map[string]schema.Attribute{
		"expires_in_days": schema.Int64Attribute{Computed: true, MarkdownDescription: "Whole days until it expires by PAIStrike's clock, negative once it has, empty for never."},
		"managed":         schema.BoolAttribute{Computed: true, MarkdownDescription: "Whether this provider or its GitHub Action created the token for an entry of a store."},
	}
	maps.Copy(attributes, map[string]schema.Attribute{
		"id":           schema.StringAttribute{Computed: true, MarkdownDescription: "PAIStrike's id."},
		"name":         schema.StringAttribute{Computed: true, MarkdownDescription: "Name in PAIStrike."},
		"created_at":   schema.StringAttribute{Computed: true, MarkdownDescription: "When it was created, RFC 3339 in UTC."},
		"last_used_at": schema.StringAttribute{Computed: true, MarkdownDescription: "When it was last used, empty for never."},
		"expires_at":   schema.StringAttribute{Computed: true, MarkdownDescription: "When it expires, empty for never."},
		"status":       schema.StringAttribute{Computed: true, MarkdownDescription: "`active`, `expired` or `revoked`."},
	})
	return attributes
}

func (d *apiTokensDataSource) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	d.session = sessionOf(req.ProviderData, &resp.Diagnostics)
}

func (d *apiTokensDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var model apiTokensModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	if resp.Diagnostics.HasError() {
		return
	}
	found := d.session.list(ctx, model.filter(), &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	model.Tokens = []tokenRow{}
	for _, token := range found.tokens {
		model.Tokens = append(model.Tokens, rowOf(token, found.now))
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, model)...)
}
