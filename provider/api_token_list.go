package provider

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"regexp"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/list"
	"github.com/hashicorp/terraform-plugin-framework/list/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

var _ list.ListResourceWithConfigure = (*apiTokenList)(nil)

// apiTokenList finds tokens for terraform query. It has the same name and configuration as
// the resource.
type apiTokenList struct{ apiTokenResource }

type apiTokenListModel struct {
	tokenFilterModel
	VaultMount  types.String `tfsdk:"vault_mount"`
	VaultFolder types.String `tfsdk:"vault_folder"`
	AWSFolder   types.String `tfsdk:"aws_folder"`
}

// The defaults for the location of secrets in generated configuration.
const (
	defaultMount  = "secret"
	defaultFolder = "paistrike"
)

func newAPITokenList() list.ListResource { return &apiTokenList{} }

func (l *apiTokenList) ListResourceConfigSchema(_ context.Context, _ list.ListResourceSchemaRequest, resp *list.ListResourceSchemaResponse) {
	attributes := listFilter()
	attributes["vault_mount"] = schema.StringAttribute{
		Optional: true, Validators: []validator.String{pathValidator{}},
		MarkdownDescription: "Mount in the generated configuration, `secret` by default. Vault is not contacted.",
	}
	attributes["vault_folder"] = schema.StringAttribute{
		Optional: true, Validators: []validator.String{pathValidator{}},
		MarkdownDescription: "Folder for the secrets in the generated configuration, `paistrike` by default. Each secret has the token's name.",
	}
	attributes["aws_folder"] = schema.StringAttribute{
		Optional: true, Validators: []validator.String{awsNameValidator{}, stringvalidator.ConflictsWith(path.MatchRoot("vault_mount"), path.MatchRoot("vault_folder"))},
		MarkdownDescription: "Prefix for secret names, such as `ci`. If set, the generated configuration puts each secret in AWS Secrets Manager instead of Vault, under this prefix and the token's name. AWS is not contacted.",
	}
	resp.Schema = schema.Schema{
		MarkdownDescription: "Finds the API tokens of the account so that you can manage them. `terraform query -generate-config-out` writes a resource and an import block for each. " +
			"The first apply publishes a new secret to the store for each of them; the existing token keeps working for one overlap. A query does not need a store. Queries require Terraform 1.14 or newer; OpenTofu does not support them.",
		Attributes: attributes,
	}
}

// List streams the matching tokens. Errors are results too: otherwise an empty list would
// look like an account without tokens.
func (l *apiTokenList) List(ctx context.Context, req list.ListRequest, stream *list.ListResultsStream) {
	var model apiTokenListModel
	diags := req.Config.Get(ctx, &model)
	if diags.HasError() {
		stream.Results = list.ListResultsStreamDiagnostics(diags)
		return
	}
	found := l.session.list(ctx, model.filter(), &diags)
	if diags.HasError() {
		stream.Results = list.ListResultsStreamDiagnostics(diags)
		return
	}
	stream.Results = l.results(ctx, req, model, found)
}

func (l *apiTokenList) results(ctx context.Context, req list.ListRequest, model apiTokenListModel, found listed) iter.Seq[list.ListResult] {
	return func(push func(list.ListResult) bool) {
		taken := map[string]bool{}
		for i, token := range found.tokens {
			if req.Limit > 0 && int64(i) >= req.Limit {
				return
			}
			result := req.NewListResult(ctx)
			result.DisplayName = displayName(token, found.now)
			result.Diagnostics.Append(result.Identity.Set(ctx, identityModel{TokenID: types.StringValue(token.ID)})...)
			if req.IncludeResource {
				at := model.place(token, taken)
				result.Diagnostics.Append(describeResource(ctx, result.Resource, token, found.now, at, l.session.policy)...)
			}
			if !push(result) {
				return
			}
		}
	}
}

// place proposes a location for a token, each location once.
func (m apiTokenListModel) place(token paistrike.Token, taken map[string]bool) entry.Location {
	mount := cmp.Or(m.VaultMount.ValueString(), defaultMount)
	folder := cmp.Or(m.VaultFolder.ValueString(), defaultFolder)
	if !m.AWSFolder.IsNull() {
		mount, folder = "", m.AWSFolder.ValueString()
	}
	at := folder + "/" + slug(labelOf(token))
	if taken[at] {
		at += "-" + slug(token.ID)
	}
	taken[at] = true
	return entry.Location{Mount: mount, Path: at}
}

var unsafeInPaths = regexp.MustCompile(`[^a-z0-9]+`)

// slug converts a name for use in a path: "CI/CD Pipeline" becomes "ci-cd-pipeline".
func slug(name string) string {
	if s := strings.Trim(unsafeInPaths.ReplaceAllString(strings.ToLower(name), "-"), "-"); s != "" {
		return s
	}
	return "token"
}

// labelOf returns the label of a token for a configuration: its name without the suffix of
// a rotation, truncated to the limit.
func labelOf(token paistrike.Token) string {
	label := token.Name
	if name, ok := rotation.ParseName(label); ok {
		label = name.Label
	}
	if runes := []rune(label); len(runes) > rotation.MaxLabelLength {
		label = strings.TrimSpace(string(runes[:rotation.MaxLabelLength]))
	}
	return label
}

// lifetimeOf proposes expires_in for the successors of a token: its own lifetime in whole
// days, within the guard rails.
func lifetimeOf(token paistrike.Token, p tokenPolicy) string {
	longest := adviceOnLifetime
	if p.maxExpiresIn > 0 {
		longest = p.maxExpiresIn
	}
	life := token.ExpiresAt.Sub(token.CreatedAt).Truncate(time.Hour)
	switch {
	case token.ExpiresAt.IsZero() && (!p.set || p.allowNever):
		return schedule.Never
	case token.ExpiresAt.IsZero(), token.CreatedAt.IsZero(), life <= 0:
		life = longest
	case p.maxExpiresIn > 0:
		life = min(life, longest)
	}
	if _, err := schedule.ParseDuration(schedule.FormatDuration(life)); err != nil {
		life = longest
	}
	return schedule.FormatDuration(life)
}

// describeResource sets what generated configuration needs to be valid, and what PAIStrike
// knows. It sets exactly one of expires_in and expires_at, as a configuration must.
func describeResource(ctx context.Context, resource *tfsdk.Resource, token paistrike.Token, now time.Time, at entry.Location, p tokenPolicy) diag.Diagnostics {
	var diags diag.Diagnostics
	set := func(p path.Path, value any) { diags.Append(resource.SetAttribute(ctx, p, value)...) }
	label := labelOf(token)
	if err := checkName(label); err != nil {
		diags.AddWarning("Name cannot be used in a configuration", fmt.Sprintf("Token %s is named %q, which is not a valid name in a configuration: %s. The generated configuration uses a similar name.", token.ID, token.Name, err))
		label = slug(label)
	}
	set(path.Root("name"), label)
	set(path.Root("expires_in"), lifetimeOf(token, p))
	if at.Mount != "" {
		set(path.Root("vault").AtName("mount"), at.Mount)
		set(path.Root("vault").AtName("path"), at.Path)
	} else {
		set(path.Root("aws_secrets_manager").AtName("name"), at.Path)
	}
	set(path.Root("token_id"), token.ID)
	set(path.Root("token_name"), token.Name)
	set(path.Root("created_at"), timeValue(token.CreatedAt))
	set(path.Root("status"), statusAt(token, now))
	return diags
}
