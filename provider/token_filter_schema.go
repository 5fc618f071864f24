package provider

import (
	"context"
	"regexp"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	datasource "github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	list "github.com/hashicorp/terraform-plugin-framework/list/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
)

// filterAttribute is one part of a filter, the same in data sources and in queries.
type filterAttribute struct {
	name, text string
	flag       bool
	validators []validator.String
}

func filterAttributes() []filterAttribute {
	return []filterAttribute{
		{name: "name_regex", text: "Regular expression (RE2) that the token's name must match. It may match anywhere unless it is anchored.", validators: []validator.String{regexValidator{}}},
		{name: "status", text: "`active`, `expired` or `revoked`. PAIStrike itself lists an expired token as active; here it is `expired`.", validators: []validator.String{stringvalidator.OneOf("active", "expired", "revoked")}},
		{name: "expires_within", text: "Only tokens that work and expire within this time, such as `14d`.", validators: []validator.String{durationValidator{}}},
		{name: "unused_for", text: "Only tokens that were not used for this long, such as `30d`. A token that was never used counts from its creation.", validators: []validator.String{durationValidator{}}},
		{name: "never_used", flag: true, text: "`true` for tokens that were never used, `false` for tokens that were used."},
		{name: "created_before", text: "Only tokens created before this time, such as `2026-01-31` or `2026-01-31T00:00:00Z`.", validators: []validator.String{instantValidator{}}},
		{name: "managed", flag: true, text: "`true` for tokens that this provider or its GitHub Action created for an entry of a store, `false` for all others. The token's name decides."},
	}
}

func dataSourceFilter() map[string]datasource.Attribute {
	attributes := map[string]datasource.Attribute{}
	for _, a := range filterAttributes() {
		if a.flag {
			attributes[a.name] = datasource.BoolAttribute{Optional: true, MarkdownDescription: a.text}
		} else {
			attributes[a.name] = datasource.StringAttribute{Optional: true, MarkdownDescription: a.text, Validators: a.validators}
		}
	}
	return attributes
}

func listFilter() map[string]list.Attribute {
	attributes := map[string]list.Attribute{}
	for _, a := range filterAttributes() {
		if a.flag {
			attributes[a.name] = list.BoolAttribute{Optional: true, MarkdownDescription: a.text}
		} else {
			attributes[a.name] = list.StringAttribute{Optional: true, MarkdownDescription: a.text, Validators: a.validators}
		}
	}
	return attributes
}

type regexValidator struct{ described }

func (regexValidator) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	check(req, resp, func(text string) error { _, err := regexp.Compile(text); return err })
}
