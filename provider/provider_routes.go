package provider

import (
	"context"
	"errors"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
)

func optionalText(description string, validators ...validator.String) schema.StringAttribute {
	return schema.StringAttribute{Optional: true, MarkdownDescription: description, Validators: validators}
}

func authAttribute() schema.SingleNestedAttribute {
	return schema.SingleNestedAttribute{
		Optional:            true,
		MarkdownDescription: "How a call carries the token, `Authorization: Bearer` by default.",
		Validators:          []validator.Object{shapeValidator{}},
		Attributes: map[string]schema.Attribute{
			"header": optionalText("Name of the header, `Authorization` by default."),
			"scheme": optionalText("Word before the token. Defaults to `Bearer` in `Authorization` and to nothing in other headers; `-` for nothing."),
		},
	}
}

func routesAttribute() schema.SingleNestedAttribute {
	return schema.SingleNestedAttribute{
		Optional:            true,
		Validators:          []validator.Object{shapeValidator{}},
		MarkdownDescription: "How a PAIStrike server differs from the API that this provider expects. Set only what differs. Paths are used as written, trailing slashes included, and may carry a fixed query.",
		Attributes: map[string]schema.Attribute{
			"collection":          optionalText("Path that lists tokens, `/api-tokens` by default."),
			"create_path":         optionalText("Path that creates a token, the path that lists them by default."),
			"item":                optionalText("Path of one token, with `{id}`, `/api-tokens/{id}` by default."),
			"self":                optionalText("Path of the token that makes the call, `/api-tokens/self` by default, `-` if the server has none."),
			"revoke_method":       optionalText("HTTP method that revokes, `DELETE` by default.", stringvalidator.OneOf("DELETE", "POST")),
			"revoke_path":         optionalText("Path that revokes, with `{id}` or `{name}`, the path of one token by default."),
			"list_only":           schema.BoolAttribute{Optional: true, MarkdownDescription: "Set to `true` if the server cannot show one token by id."},
			"create_body":         optionalText("Body of a request that creates a token: a JSON object with `{name}` in a string and `{expires}` as a whole string. The default is `{\"name\": \"{name}\", \"expires_at\": \"{expires}\"}`. Values are escaped; a field that is `{expires}` is omitted for a token that never expires."),
			"content_type":        optionalText("Format of that body: `json` (default), `json_api` or `form`.", stringvalidator.OneOf(paistrike.ContentJSON, paistrike.ContentJSONAPI, paistrike.ContentForm)),
			"expires_format":      optionalText("Format of the expiry: `rfc3339` (default), `date`, `unix`, `unix_ms`, `ttl_seconds`, or `none` if the server does not accept an expiry."),
			"list":                listRoutesAttribute(),
			"answer":              answerRoutesAttribute(),
			"unauthorized_status": schema.Int64Attribute{Optional: true, Validators: []validator.Int64{int64validator.Between(400, 499)}, MarkdownDescription: "HTTP status with which the server refuses a token that is revoked or expired, `401` by default."},
		},
	}
}

func listRoutesAttribute() schema.SingleNestedAttribute {
	return schema.SingleNestedAttribute{
		Optional:            true,
		MarkdownDescription: "How the list is read. Omitted settings are detected from the responses.",
		Attributes: map[string]schema.Attribute{
			"items":         optionalText("Dotted path of the list in the response."),
			"page":          optionalText("Query parameter that requests another page, by its number or by the value at `next`; `-` if there is only one page."),
			"page_size":     schema.Int64Attribute{Optional: true, Validators: []validator.Int64{int64validator.Between(1, 10_000)}, MarkdownDescription: "Number of tokens per request, `100` by default."},
			"size":          optionalText("Query parameter for `page_size`, `limit` by default, `-` if there is none."),
			"total":         optionalText("Dotted path of the number of tokens in the response; `-` if the response contains something else there."),
			"next":          optionalText("Dotted path of the next page in the response."),
			"drops_revoked": schema.BoolAttribute{Optional: true, MarkdownDescription: "Set to `true` if a revoked token leaves the list. A token that is not in the list then counts as revoked."},
		},
	}
}

func answerRoutesAttribute() schema.SingleNestedAttribute {
	fact := func(what string) schema.StringAttribute {
		return optionalText(what + ", as a dotted path; `-` if the server does not return it.")
	}
	return schema.SingleNestedAttribute{
		Optional:            true,
		MarkdownDescription: "Paths of a token's properties in the object that describes it. Omitted properties are looked up under common names.",
		Attributes: map[string]schema.Attribute{
			"id":           optionalText("The id, as a dotted path."),
			"name":         optionalText("The name, as a dotted path."),
			"secret":       optionalText("The secret in the response to a create request, as a dotted path."),
			"created_at":   fact("The time of creation"),
			"expires_at":   fact("The expiry"),
			"last_used_at": fact("The time of the last use"),
			"status":       fact("Whether the token is active or revoked"),
		},
	}
}

// routesOf reads api_routes. null means the zero Routes.
func routesOf(ctx context.Context, object types.Object) (paistrike.Routes, diag.Diagnostics) {
	var r routesModel
	var l listRoutesModel
	var a answerRoutesModel
	var diags diag.Diagnostics
	if object.IsNull() {
		return paistrike.Routes{}, nil
	}
	diags.Append(object.As(ctx, &r, basetypes.ObjectAsOptions{})...)
	if !r.List.IsNull() {
		diags.Append(r.List.As(ctx, &l, basetypes.ObjectAsOptions{})...)
	}
	if !r.Answer.IsNull() {
		diags.Append(r.Answer.As(ctx, &a, basetypes.ObjectAsOptions{})...)
	}
	return paistrike.Routes{
		Collection: r.Collection.ValueString(), CreatePath: r.CreatePath.ValueString(), Item: r.Item.ValueString(), Self: r.Self.ValueString(),
		RevokeMethod: r.RevokeMethod.ValueString(), RevokePath: r.RevokePath.ValueString(), ListOnly: r.ListOnly.ValueBool(),
		CreateBody: r.CreateBody.ValueString(), ContentType: r.ContentType.ValueString(), ExpiresFormat: r.ExpiresFormat.ValueString(),
		List: paistrike.ListRoutes{
			Items: l.Items.ValueString(), Page: l.Page.ValueString(), PageSize: int(l.PageSize.ValueInt64()), Size: l.Size.ValueString(),
			Total: l.Total.ValueString(), Next: l.Next.ValueString(), DropsRevoked: l.DropsRevoked.ValueBool(),
		},
		Answer: paistrike.AnswerRoutes{
			ID: a.ID.ValueString(), Name: a.Name.ValueString(), Secret: a.Secret.ValueString(), CreatedAt: a.CreatedAt.ValueString(),
			ExpiresAt: a.ExpiresAt.ValueString(), LastUsedAt: a.LastUsedAt.ValueString(), Status: a.Status.ValueString(),
		},
		UnauthorizedStatus: int(r.UnauthorizedStatus.ValueInt64()),
	}, diags
}

// authOf reads auth. null means the zero Auth.
func authOf(ctx context.Context, object types.Object) (paistrike.Auth, diag.Diagnostics) {
	var m authModel
	if object.IsNull() {
		return paistrike.Auth{}, nil
	}
	diags := object.As(ctx, &m, basetypes.ObjectAsOptions{})
	return paistrike.Auth{Header: m.Header.ValueString(), Scheme: m.Scheme.ValueString()}, diags
}

// shapeValidator checks auth and api_routes as a whole in the plan, so that a template
// that cannot work is rejected before anything is created.
type shapeValidator struct{ described }

func (shapeValidator) ValidateObject(ctx context.Context, req validator.ObjectRequest, resp *validator.ObjectResponse) {
	if value, err := req.ConfigValue.ToTerraformValue(ctx); err != nil || !value.IsFullyKnown() || req.ConfigValue.IsNull() {
		return
	}
	var err error
	if req.Path.Equal(path.Root("auth")) {
		var auth paistrike.Auth
		var diags diag.Diagnostics
		auth, diags = authOf(ctx, req.ConfigValue)
		resp.Diagnostics.Append(diags...)
		err = auth.Validate()
	} else {
		routes, diags := routesOf(ctx, req.ConfigValue)
		resp.Diagnostics.Append(diags...)
		err = routes.Validate()
	}
	wrong, ok := errors.AsType[*paistrike.SettingError](err)
	if !ok {
		return
	}
	at := req.Path
	for step := range strings.SplitSeq(wrong.Setting, ".") {
		if step != "api_routes" && step != "auth" {
			at = at.AtName(step)
		}
	}
	resp.Diagnostics.AddAttributeError(at, "Invalid "+wrong.Setting, "It "+wrong.Problem+".")
}
