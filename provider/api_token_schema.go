package provider

import (
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// previousTokenType is the type of an element of previous_tokens.
var previousTokenType = types.ObjectType{AttrTypes: map[string]attr.Type{
	"id": types.StringType, "name": types.StringType, "expires_at": types.StringType, "revoke_after": types.StringType,
}}

// apiTokenSchema contains no attribute for the secret, and none that forces replacement: a
// replacement would revoke the old token before the new one exists.
func apiTokenSchema() schema.Schema {
	attributes := map[string]schema.Attribute{
		"name": schema.StringAttribute{
			Required: true, Validators: []validator.String{nameValidator{}},
			MarkdownDescription: "Purpose of the token, such as `CI/CD Pipeline`, 1 to 60 characters. In PAIStrike, this name is followed by a suffix that rotation needs. A change rotates the token.",
		},
		"expires_in": schema.StringAttribute{
			Optional:      true,
			Validators:    []validator.String{lifetimeValidator{}},
			PlanModifiers: []planmodifier.String{sameDuration{}},
			MarkdownDescription: "Lifetime of each token, such as `90d` or `2160h`. PAIStrike advises 30 to 90 days. Set `never` for a token that works until someone revokes it. A change rotates the token. " +
				"Set exactly one of `expires_in` and `expires_at`.",
		},
		"expires_at": schema.StringAttribute{
			Optional: true, Computed: true, Validators: []validator.String{instantValidator{}},
			PlanModifiers:       []planmodifier.String{sameInstant{}},
			MarkdownDescription: "When the token expires: a fixed time such as `2027-01-31T00:00:00Z` or `2027-01-31` (00:00 UTC), or the time that results from `expires_in`. Empty for a token that never expires. A change rotates the token.",
		},
		"rotation": rotationAttribute(),
		"vault":    tokenVaultAttribute(),

		"aws_secrets_manager": tokenAWSAttribute(),

		"deletion_protection": deletionProtectionAttribute(),
	}
	for name, text := range map[string]string{
		"id":              "Stable id of this resource. Rotations do not change it.",
		"token_id":        "PAIStrike's id of the current token.",
		"token_name":      "Name of the current token in PAIStrike.",
		"created_at":      "When the current token was created, RFC 3339 in UTC.",
		"status":          "`active`, `expired` or `revoked`, as of the last refresh.",
		"rotate_at":       "When the next rotation is due, RFC 3339 in UTC; empty if none is scheduled.",
		"rotation_reason": "Why the token was last replaced by Terraform, in one word: `created`, `period`, `schedule`, `before_expiry`, `expired`, `revoked`, `not_found`, `secret_missing`, `secret_deleted`, `secret_changed`, `secret_moved`, `name_changed`, `expiry_changed`, `triggers_changed`, `revoke_previous` or `imported`.",
	} {
		attributes[name] = schema.StringAttribute{Computed: true, MarkdownDescription: text}
	}
	attributes["secret_version"] = schema.Int64Attribute{
		Computed:            true,
		MarkdownDescription: "Generation of the secret, a number that increases with every publication, in the same way in every store. Pass it to a `*_wo_version` argument, which then notices a rotation.",
	}
	attributes["previous_tokens"] = schema.ListNestedAttribute{
		Computed: true, MarkdownDescription: "Replaced tokens that still work, until the first run after `revoke_after`.",
		NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
			"id":           schema.StringAttribute{Computed: true, MarkdownDescription: "PAIStrike's id."},
			"name":         schema.StringAttribute{Computed: true, MarkdownDescription: "Name in PAIStrike."},
			"expires_at":   schema.StringAttribute{Computed: true, MarkdownDescription: "When it expires; empty for never."},
			"revoke_after": schema.StringAttribute{Computed: true, MarkdownDescription: "When its overlap is over."},
		}},
	}
	return schema.Schema{
		MarkdownDescription: "One PAIStrike API token for one integration. The secret goes directly to HashiCorp Vault or AWS Secrets Manager. No attribute contains it, so it is in neither state nor plans. " +
			"When the token is due, it is replaced in place: the new token is in the store before the old one is revoked, and both work during the overlap.",
		Attributes: attributes,
	}
}

func rotationAttribute() schema.SingleNestedAttribute {
	duration := func(description string) schema.StringAttribute {
		return schema.StringAttribute{
			Optional: true, MarkdownDescription: description,
			Validators: []validator.String{durationValidator{}}, PlanModifiers: []planmodifier.String{sameDuration{}},
		}
	}
	withDefault := func(attribute schema.StringAttribute) schema.StringAttribute {
		attribute.Computed = true // set by withDefaults
		return attribute
	}
	return schema.SingleNestedAttribute{
		Optional:            true,
		MarkdownDescription: "When the token is replaced. Without this block, a token never becomes due, but an expired or revoked token is still replaced. The store also contains the schedule, so a scheduled workflow can rotate the token.",
		Attributes: map[string]schema.Attribute{
			"period": duration("Rotate when the token is this old, such as `30d`."),
			"schedule": schema.StringAttribute{
				Optional: true, Validators: []validator.String{cronValidator{}, stringvalidator.ConflictsWith(path.MatchRelative().AtParent().AtName("period"))},
				MarkdownDescription: "Rotate by a 5-field cron expression instead, such as `17 3 * * 1`, in UTC unless `timezone` is set.",
			},
			"timezone": schema.StringAttribute{
				Optional: true, Validators: []validator.String{timezoneValidator{}, stringvalidator.AlsoRequires(path.MatchRelative().AtParent().AtName("schedule"))},
				MarkdownDescription: "IANA time zone in which `schedule` is read, such as `Europe/Berlin`; UTC by default. If a clock change skips a local time, the schedule fires at the change. If a clock change repeats a local time, the schedule fires once.",
			},
			"window":        withDefault(duration("How long after `schedule` fires a rotation may start: at least `1h`, `24h` by default. A missed window waits for the next one, unless the token would come too close to its expiry.")),
			"before_expiry": withDefault(duration("Rotate this long before the token expires, whatever the schedule. Defaults to a third of the lifetime or twice the overlap, whichever is longer.")),
			"overlap":       withDefault(duration("How long the old token works after the new one is in the store. Defaults to `24h` or to a third of the lifetime, the period, or the schedule's longest pause, whichever is shortest. Choose a time longer than your consumers take to fetch a new secret.")),
			"jitter":        duration("Spreads rotations that are due at the same time, for example over `6h`. Each entry waits for its own fixed part of this time. None by default."),
			"retire_when_idle": schema.BoolAttribute{
				Optional:            true,
				MarkdownDescription: "Whether a replaced token that is still in use when its overlap ends keeps working, with a warning, until no one uses it, but no longer than a second overlap. Defaults to `false`: the token is revoked, with a warning.",
			},
			"triggers": schema.MapAttribute{
				Optional: true, ElementType: types.StringType,
				MarkdownDescription: "Any change to this map rotates the token in the next apply.",
			},
			"revoke_previous": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "For an incident. Any new value replaces the token. As soon as the new token is in the store, the same apply revokes the old ones, without overlap.",
			},
			"on_revoked": schema.StringAttribute{
				Optional: true, Computed: true, Validators: []validator.String{stringvalidator.OneOf("rotate", "error", "ignore")},
				MarkdownDescription: "What to do when someone revokes the token elsewhere: `rotate` (default), `error` or `ignore`.",
			},
		},
	}
}

func tokenVaultAttribute() schema.SingleNestedAttribute {
	return schema.SingleNestedAttribute{
		Optional:            true,
		MarkdownDescription: "The KV version 2 entry of Vault that receives the secret. Set exactly one of `vault` and `aws_secrets_manager`. If its location changes, a new token is published at the new location first; the old entry and its token stay for the overlap.",
		Attributes: map[string]schema.Attribute{
			"mount":     schema.StringAttribute{Required: true, Validators: []validator.String{pathValidator{}}, MarkdownDescription: "Mount of the secrets engine, such as `secret`."},
			"path":      schema.StringAttribute{Required: true, Validators: []validator.String{pathValidator{}}, MarkdownDescription: "Path below the mount, such as `ci/paistrike`. Each token needs its own path."},
			"namespace": schema.StringAttribute{Optional: true, Validators: []validator.String{pathValidator{}}, MarkdownDescription: "Vault namespace, if it is not the provider's."},
			"key": schema.StringAttribute{
				Optional: true, Computed: true, Default: stringdefault.StaticString("token"), Validators: []validator.String{keyValidator{}},
				MarkdownDescription: "Data field that contains the secret, `token` by default.",
			},
			"adopt": schema.BoolAttribute{Optional: true, MarkdownDescription: "Whether the token may overwrite an existing secret. The older versions stay in Vault."},
			"on_destroy": schema.StringAttribute{
				Optional: true, Computed: true, Validators: []validator.String{stringvalidator.OneOf("delete", "keep", "purge")},
				MarkdownDescription: "What happens to the entry on destroy, after its tokens are revoked: `delete` its versions (default, can be undone in Vault), `keep` the older versions, or `purge` the whole entry.",
			},
		},
	}
}
