package provider

import (
	"context"
	"errors"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/aws"
)

type awsModel struct {
	Region      types.String            `tfsdk:"region"`
	Profile     types.String            `tfsdk:"profile"`
	Endpoint    types.String            `tfsdk:"endpoint"`
	MaxRetries  types.Int64             `tfsdk:"max_retries"`
	AssumeRole  *assumeRoleModel        `tfsdk:"assume_role"`
	WebIdentity *assumeWebIdentityModel `tfsdk:"assume_role_with_web_identity"`

	Identity         types.String `tfsdk:"identity"`
	FormerIdentities types.List   `tfsdk:"former_identities"`
}

type assumeRoleModel struct {
	RoleARN        types.String `tfsdk:"role_arn"`
	SessionName    types.String `tfsdk:"session_name"`
	ExternalID     types.String `tfsdk:"external_id"`
	Duration       types.String `tfsdk:"duration"`
	Policy         types.String `tfsdk:"policy"`
	PolicyARNs     types.List   `tfsdk:"policy_arns"`
	SourceIdentity types.String `tfsdk:"source_identity"`
	Tags           types.Map    `tfsdk:"tags"`
}

type assumeWebIdentityModel struct {
	RoleARN     types.String `tfsdk:"role_arn"`
	SessionName types.String `tfsdk:"session_name"`
	Duration    types.String `tfsdk:"duration"`
	Policy      types.String `tfsdk:"policy"`
	PolicyARNs  types.List   `tfsdk:"policy_arns"`
	Token       types.String `tfsdk:"web_identity_token"`
	TokenFile   types.String `tfsdk:"web_identity_token_file"`
}

func awsAttribute() schema.SingleNestedAttribute {
	text := func(description string) schema.StringAttribute {
		return schema.StringAttribute{Optional: true, MarkdownDescription: description}
	}
	return schema.SingleNestedAttribute{
		Optional: true,
		MarkdownDescription: "The AWS account whose Secrets Manager receives the secrets. You can omit this block: the provider finds credentials and the region in the same places as other AWS tools: " +
			"the `AWS_*` environment variables, the shared configuration files, and the role of the machine, container or pod.",
		Attributes: map[string]schema.Attribute{
			"region": schema.StringAttribute{
				Optional: true, Validators: []validator.String{awsRegionValidator{}},
				MarkdownDescription: "Region of secrets that do not set one. Environment variables: `AWS_REGION`, else `AWS_DEFAULT_REGION`; else the region of the profile.",
			},
			"profile":     text("Profile of the shared configuration files. Environment variable: `AWS_PROFILE`."),
			"endpoint":    text("URL of Secrets Manager, such as a VPC endpoint or a compatible server. Environment variables: `AWS_ENDPOINT_URL_SECRETS_MANAGER`, else `AWS_ENDPOINT_URL`."),
			"max_retries": schema.Int64Attribute{Optional: true, Validators: []validator.Int64{int64validator.Between(0, 25)}, MarkdownDescription: "How often a failed call is retried, `2` by default. A write is retried only if AWS reports that it had no effect. Environment variable: `AWS_MAX_ATTEMPTS`, which includes the first call."},

			"assume_role":                   assumeRoleAttribute(),
			"assume_role_with_web_identity": assumeWebIdentityAttribute(),

			"identity": text("Name that identifies this account, the same wherever it is used. Defaults to the account's number. Set it for a compatible server that has no accounts. Environment variable: `PAISTRIKE_AWS_IDENTITY`."),
			"former_identities": schema.ListAttribute{
				Optional: true, ElementType: types.StringType, Validators: []validator.List{listvalidator.ValueStringsAre(stringvalidator.LengthAtLeast(1))},
				MarkdownDescription: "Earlier identities of this account. Secrets written under one of them stay managed, and get the current identity with their next publication.",
			},
		},
	}
}

// sessionAttributes returns the attributes that both ways to assume a role share.
func sessionAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"role_arn":     schema.StringAttribute{Required: true, MarkdownDescription: "ARN of the role."},
		"session_name": schema.StringAttribute{Optional: true, MarkdownDescription: "Name of the session, `paistrike` by default. CloudTrail shows it."},
		"duration": schema.StringAttribute{
			Optional: true, Validators: []validator.String{durationValidator{}},
			MarkdownDescription: "Duration of a session, `1h` by default. A session is renewed if the run takes longer.",
		},
		"policy":      schema.StringAttribute{Optional: true, MarkdownDescription: "IAM policy, as JSON, that restricts the session further."},
		"policy_arns": schema.ListAttribute{Optional: true, ElementType: types.StringType, MarkdownDescription: "ARNs of managed policies that restrict the session further."},
	}
}

func assumeRoleAttribute() schema.SingleNestedAttribute {
	attributes := sessionAttributes()
	attributes["external_id"] = schema.StringAttribute{Optional: true, MarkdownDescription: "External ID that the role's trust policy requires."}
	attributes["source_identity"] = schema.StringAttribute{Optional: true, MarkdownDescription: "Source identity of the session."}
	attributes["tags"] = schema.MapAttribute{Optional: true, ElementType: types.StringType, MarkdownDescription: "Tags of the session."}
	return schema.SingleNestedAttribute{Optional: true, MarkdownDescription: "A role to assume with these credentials.", Attributes: attributes}
}

func assumeWebIdentityAttribute() schema.SingleNestedAttribute {
	attributes := sessionAttributes()
	either := stringvalidator.ExactlyOneOf(path.MatchRelative().AtParent().AtName("web_identity_token"), path.MatchRelative().AtParent().AtName("web_identity_token_file"))
	attributes["web_identity_token"] = schema.StringAttribute{
		Optional: true, Sensitive: true, Validators: []validator.String{either},
		MarkdownDescription: "OIDC token, such as a workload identity token. May be an ephemeral value. Set either this or `web_identity_token_file`.",
	}
	attributes["web_identity_token_file"] = schema.StringAttribute{Optional: true, MarkdownDescription: "File that contains the OIDC token. It is read again for each session."}
	return schema.SingleNestedAttribute{Optional: true, MarkdownDescription: "A role to assume with an OIDC token, instead of other credentials.", Attributes: attributes}
}

// awsConfig returns the AWS part of the configuration. The SDK finds what neither the
// configuration nor the environment contains.
func (s surroundings) awsConfig(ctx context.Context, object types.Object, version string) (aws.Config, error) {
	var m awsModel
	if !object.IsNull() {
		if diags := object.As(ctx, &m, basetypes.ObjectAsOptions{}); diags.HasError() {
			return aws.Config{}, errors.New("aws: the block cannot be read")
		}
	}
	config := aws.Config{
		Region:      s.text(m.Region, "AWS_REGION", "AWS_DEFAULT_REGION"),
		Profile:     m.Profile.ValueString(),
		Endpoint:    s.text(m.Endpoint, "AWS_ENDPOINT_URL_SECRETS_MANAGER", "AWS_ENDPOINT_URL"),
		STSEndpoint: s.text(types.StringNull(), "AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL"),
		Identity:    s.text(m.Identity, "PAISTRIKE_AWS_IDENTITY"),
		Version:     version,
		Sleep:       s.sleep,
		Now:         s.now,
	}
	if !m.FormerIdentities.IsNull() {
		if diags := m.FormerIdentities.ElementsAs(ctx, &config.FormerIdentities, false); diags.HasError() {
			return config, errors.New("aws.former_identities: a value is null")
		}
	}
	if !m.MaxRetries.IsNull() {
		config.MaxAttempts = int(m.MaxRetries.ValueInt64()) + 1
	}
	// As in the SDK's chain, keys in the environment take precedence over everything but a
	// configured profile.
	if id, key := s.getenv("AWS_ACCESS_KEY_ID"), s.getenv("AWS_SECRET_ACCESS_KEY"); config.Profile == "" && id != "" && key != "" {
		config.Credentials = &aws.Credentials{AccessKeyID: id, SecretAccessKey: secret.New(key), SessionToken: secret.New(s.getenv("AWS_SESSION_TOKEN"))}
	}
	var err error
	if config.AssumeRole, err = m.AssumeRole.role(ctx); err != nil {
		return config, err
	}
	config.AssumeRoleWithWebIdentity, err = m.WebIdentity.role(ctx)
	return config, err
}

func (m *assumeRoleModel) role(ctx context.Context) (*aws.Role, error) {
	if m == nil {
		return nil, nil //nolint:nilnil // no role is configured
	}
	r := &aws.Role{
		ARN: m.RoleARN.ValueString(), SessionName: m.SessionName.ValueString(), ExternalID: m.ExternalID.ValueString(),
		Duration: sessionDuration(m.Duration), Policy: m.Policy.ValueString(), SourceIdentity: m.SourceIdentity.ValueString(),
	}
	diags := m.PolicyARNs.ElementsAs(ctx, &r.PolicyARNs, true)
	if !m.Tags.IsNull() {
		diags.Append(m.Tags.ElementsAs(ctx, &r.Tags, false)...)
	}
	if diags.HasError() {
		return nil, errors.New("aws.assume_role: a value of policy_arns or tags is null")
	}
	return r, nil
}

func (m *assumeWebIdentityModel) role(ctx context.Context) (*aws.WebIdentity, error) {
	if m == nil {
		return nil, nil //nolint:nilnil // no role is configured
	}
	w := &aws.WebIdentity{
		ARN: m.RoleARN.ValueString(), SessionName: m.SessionName.ValueString(), Duration: sessionDuration(m.Duration),
		Policy: m.Policy.ValueString(), Token: secret.New(m.Token.ValueString()), TokenFile: m.TokenFile.ValueString(),
	}
	if diags := m.PolicyARNs.ElementsAs(ctx, &w.PolicyARNs, true); diags.HasError() {
		return nil, errors.New("aws.assume_role_with_web_identity.policy_arns: a value is null")
	}
	return w, nil
}

// sessionDuration returns the duration of a session, or 0 for the SDK's default.
func sessionDuration(text types.String) time.Duration {
	if text.IsNull() {
		return 0
	}
	return duration(text)
}
