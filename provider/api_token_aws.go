package provider

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/aws"
)

type tokenAWSModel struct {
	Name           types.String `tfsdk:"name"`
	Region         types.String `tfsdk:"region"`
	Format         types.String `tfsdk:"format"`
	Key            types.String `tfsdk:"key"`
	KMSKeyID       types.String `tfsdk:"kms_key_id"`
	Tags           types.Map    `tfsdk:"tags"`
	Adopt          types.Bool   `tfsdk:"adopt"`
	OnDestroy      types.String `tfsdk:"on_destroy"`
	RecoveryWindow types.String `tfsdk:"recovery_window"`
}

func tokenAWSAttribute() schema.SingleNestedAttribute {
	return schema.SingleNestedAttribute{
		Optional:            true,
		MarkdownDescription: "The secret of AWS Secrets Manager that receives the token. Set exactly one of `vault` and `aws_secrets_manager`. If its location changes, or the token moves from or to Vault, a new token is published at the new location first; the old entry and its token stay for the overlap.",
		Attributes: map[string]schema.Attribute{
			"name": schema.StringAttribute{
				Required: true, Validators: []validator.String{awsNameValidator{}},
				MarkdownDescription: "Name of the secret, such as `ci/paistrike`: 1 to 512 letters, numbers and `/_+=.@-`. Each token needs its own secret. The secret is created if it does not exist.",
			},
			"region": schema.StringAttribute{
				Optional: true, Computed: true, Validators: []validator.String{awsRegionValidator{}},
				MarkdownDescription: "Region of the secret, such as `eu-central-1`. Defaults to the provider's region.",
			},
			"key": schema.StringAttribute{
				Optional: true, Computed: true, Default: stringdefault.StaticString(entry.DefaultKey), Validators: []validator.String{keyValidator{}},
				MarkdownDescription: "Field of the secret's JSON that contains the token, `token` by default.",
			},
			"format": schema.StringAttribute{
				Optional: true, Computed: true, Default: stringdefault.StaticString(jsonFormat), Validators: []validator.String{stringvalidator.OneOf(jsonFormat, plainFormat)},
				MarkdownDescription: "Format of the secret's value: `json` (default), an object with the token in the field `key`, or `plain`, the bare token, for consumers that cannot select a field. " +
					"With `plain`, the record is kept in a separate version with the label `PAISTRIKE_RECORD`. A change rotates the token.",
			},
			"kms_key_id": schema.StringAttribute{
				Optional: true, Validators: []validator.String{stringvalidator.LengthBetween(1, 2048)},
				MarkdownDescription: "KMS key that encrypts the secret: an ID, an ARN or an alias. Defaults to the AWS managed key `aws/secretsmanager`. It takes effect when the secret is created. To change the key of an existing secret, use AWS.",
			},
			"tags": schema.MapAttribute{
				Optional: true, ElementType: types.StringType, Validators: []validator.Map{mapvalidator.SizeAtMost(maxTags), awsTagsValidator{}},
				MarkdownDescription: "Tags for the secret, at most 10. They are added to the tags that hold the token's metadata. A tag that you remove from the configuration is removed from the secret, unless someone has changed its value since.",
			},
			"adopt": schema.BoolAttribute{Optional: true, MarkdownDescription: "Whether the token may overwrite an existing secret. The previous version stays readable as `AWSPREVIOUS`."},
			"on_destroy": schema.StringAttribute{
				Optional: true, Computed: true, Validators: []validator.String{stringvalidator.OneOf("delete", "keep", "purge")},
				MarkdownDescription: "What happens to the secret on destroy, after its tokens are revoked: `delete` it (default, can be undone in AWS for the `recovery_window`), `keep` it without a token, or `purge` it permanently and immediately.",
			},
			"recovery_window": schema.StringAttribute{
				Optional: true, Computed: true, Validators: []validator.String{awsWindowValidator{}}, PlanModifiers: []planmodifier.String{sameDuration{}},
				MarkdownDescription: "How long a deleted secret can be restored, `7d` to `30d` in whole days, `30d` by default. Its name stays reserved until then; an apply that needs the name restores the secret.",
			},
		},
	}
}

func (d *desired) readAWS(ctx context.Context, object types.Object) diag.Diagnostics {
	if object.IsNull() {
		return nil
	}
	a := fromObject[tokenAWSModel](object)
	d.at = entry.Location{Region: a.Region.ValueString(), Path: a.Name.ValueString(), Key: a.Key.ValueString()}
	d.readEnds(a.Adopt, a.OnDestroy)
	d.settings = storeSettings{Format: storeFormat(a.Format.ValueString()), KMSKeyID: a.KMSKeyID.ValueString(), RecoveryWindow: int(duration(a.RecoveryWindow) / oneDay)}
	if a.Tags.IsNull() {
		return nil
	}
	return a.Tags.ElementsAs(ctx, &d.settings.Tags, false)
}

// awsOf returns the aws_secrets_manager block of an entry.
func awsOf(at entry.Location, key string, format storeFormat) *tokenAWSModel {
	return &tokenAWSModel{
		Name: types.StringValue(at.Path), Format: types.StringValue(string(format)), Region: types.StringValue(at.Region), Key: types.StringValue(cmp.Or(key, entry.DefaultKey)),
		Tags: types.MapNull(types.StringType),
	}
}

// fillRegion adds the provider's region to a plan whose configuration names none, so that
// a change of the provider's region is planned as a move.
func (r *apiTokenResource) fillRegion(ctx context.Context, config apiTokenModel, plan *apiTokenModel, diags *diag.Diagnostics) {
	if config.AWS.IsNull() || config.AWS.IsUnknown() || r.session.stores.aws.unknown {
		return
	}
	planned := fromObject[tokenAWSModel](plan.AWS)
	if written := fromObject[tokenAWSModel](config.AWS); !written.Region.IsNull() || r.session.unknownAPI && !r.session.planOnly {
		return
	}
	planned.Region = types.StringValue(r.session.region(ctx, diags))
	plan.AWS = objectOf("aws_secrets_manager", &planned, diags)
}

const (
	oneDay = 24 * time.Hour
	// maxTags leaves room for the metadata among the 50 tags that a secret may have.
	maxTags = 10
)

type awsNameValidator struct{ described }

func (awsNameValidator) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	check(req, resp, aws.CheckName)
	if name := req.ConfigValue.ValueString(); likeAnARN.MatchString(name) {
		resp.Diagnostics.AddAttributeWarning(req.Path, "Name ends like an ARN",
			fmt.Sprintf("%q ends in a hyphen and six characters, like the suffix that AWS appends to an ARN. AWS advises against such names, because a partial ARN may then match a different secret.", name))
	}
}

// likeAnARN matches the suffix that AWS adds to the ARN of a secret.
var likeAnARN = regexp.MustCompile(`-[A-Za-z0-9]{6}$`)

type awsRegionValidator struct{ described }

func (awsRegionValidator) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	check(req, resp, aws.CheckRegion)
}

type awsWindowValidator struct{ described }

func (awsWindowValidator) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	check(req, resp, func(text string) error {
		window, err := schedule.ParseDuration(text)
		switch {
		case err != nil:
			return err
		case window < 7*oneDay || window > 30*oneDay || window%oneDay != 0:
			return fmt.Errorf("%q is not a recovery window: AWS allows 7d to 30d, in whole days", text)
		}
		return nil
	})
}

type awsTagsValidator struct{ described }

// ValidateMap rejects a tag that AWS does not accept, or that the token's metadata leaves
// no room for.
func (awsTagsValidator) ValidateMap(_ context.Context, req validator.MapRequest, resp *validator.MapResponse) {
	for key, value := range req.ConfigValue.Elements() {
		text, ok := value.(types.String)
		if !ok || text.IsUnknown() {
			continue
		}
		if err := checkAWSTag(key, text.ValueString()); err != nil || text.IsNull() {
			if err == nil {
				err = fmt.Errorf("tag %q is null", key)
			}
			resp.Diagnostics.AddAttributeError(req.Path.AtMapKey(key), "Invalid "+req.Path.String(), err.Error()+".")
		}
	}
}

var foreignToTags = regexp.MustCompile(`[^\p{L}\p{Z}\p{N}_.:/=+\-@]`)

func checkAWSTag(key, value string) error {
	switch {
	case key == "" || utf8.RuneCountInString(key) > 128 || utf8.RuneCountInString(value) > 256:
		return fmt.Errorf("tag %q is too long or empty: AWS allows 1 to 128 characters in a key, and 256 in a value", key)
	case foreignToTags.MatchString(key) || foreignToTags.MatchString(value):
		return fmt.Errorf("tag %q contains a character other than letters, numbers, spaces and _.:/=+-@", key)
	case strings.HasPrefix(strings.ToLower(key), "aws:"):
		return fmt.Errorf("tag %q begins with aws:, which AWS reserves", key)
	case key == "managed_by" || strings.HasPrefix(key, "paistrike_"):
		return fmt.Errorf("tag %q is reserved for the token's metadata", key)
	}
	return nil
}

// validateStore checks that exactly one store is configured, and that a plain secret has
// no key.
func (m apiTokenModel) validateStore(diags *diag.Diagnostics) {
	if !m.AWS.IsNull() && !m.AWS.IsUnknown() {
		a := fromObject[tokenAWSModel](m.AWS)
		if a.Format.ValueString() == plainFormat && !a.Key.IsNull() {
			diags.AddAttributeError(path.Root("aws_secrets_manager").AtName("key"), "Invalid aws_secrets_manager.key", "format is \"plain\", so the value is only the token and has no fields. Remove key.")
		}
	}
	switch {
	case m.Vault.IsUnknown() || m.AWS.IsUnknown():
	case m.Vault.IsNull() && m.AWS.IsNull():
		diags.AddAttributeError(path.Root("vault"), "Invalid vault", "neither vault nor aws_secrets_manager is set. Set one of them: it is the store for the token's secret.")
	case !m.Vault.IsNull() && !m.AWS.IsNull():
		diags.AddAttributeError(path.Root("aws_secrets_manager"), "Invalid aws_secrets_manager", "vault and aws_secrets_manager are both set. Set only one of them: a token has one store.")
	}
}

// warnOfSettings warns that an existing secret keeps some of its settings.
func warnOfSettings(s situation, diags *diag.Diagnostics) {
	if s.imported || s.claim || s.want.at.Entry() != s.have.at.Entry() || s.want.settings.KMSKeyID == s.have.settings.KMSKeyID {
		return
	}
	diags.AddAttributeWarning(path.Root("aws_secrets_manager").AtName("kms_key_id"), "KMS key of the secret will not change",
		fmt.Sprintf("kms_key_id takes effect only when a secret is created, but %s already exists. To encrypt it with another key, run aws secretsmanager update-secret --secret-id %s --kms-key-id KEY. AWS then encrypts the next version with that key.", s.want.at, s.want.at.Path))
}
