package provider

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// The plan contains the effective values of omitted settings. They are unknown if they
// depend on something unknown.
func TestDefaultsOfAConfiguration(t *testing.T) {
	t.Parallel()
	const null, unknown = "<null>", "<unknown>"
	type shown struct{ Window, BeforeExpiry, Overlap, OnRevoked string }
	lives := func(text string) apiTokenModel { return apiTokenModel{ExpiresIn: types.StringValue(text)} }
	for name, c := range map[string]struct {
		token    apiTokenModel
		rotation rotationModel
		want     shown
	}{
		"a period":            {lives("90d"), rotationModel{Period: types.StringValue("30d")}, shown{null, "30d", "1d", "rotate"}},
		"a short life":        {lives("6h"), rotationModel{Period: types.StringValue("3h")}, shown{null, "2h", "1h", "rotate"}},
		"a schedule":          {lives("90d"), rotationModel{Schedule: types.StringValue("17 3 * * 1")}, shown{"1d", "30d", "1d", "rotate"}},
		"what is written":     {lives("90d"), rotationModel{Overlap: types.StringValue("48h"), OnRevoked: types.StringValue("error")}, shown{null, "30d", "48h", "error"}},
		"no expiry":           {lives("never"), rotationModel{Period: types.StringValue("30d")}, shown{null, null, "1d", "rotate"}},
		"a fixed end":         {apiTokenModel{ExpiresAt: types.StringValue("2027-01-31")}, rotationModel{}, shown{null, null, "1d", "rotate"}},
		"an unknown lifetime": {apiTokenModel{ExpiresIn: types.StringUnknown()}, rotationModel{Overlap: types.StringValue("2h")}, shown{unknown, unknown, "2h", "rotate"}},
		"an unknown period":   {lives("90d"), rotationModel{Period: types.StringUnknown()}, shown{unknown, unknown, unknown, "rotate"}},
		"an unknown trigger":  {lives("90d"), rotationModel{Triggers: types.MapUnknown(types.StringType)}, shown{null, "30d", "1d", "rotate"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var diags diag.Diagnostics
			if c.rotation.Triggers.IsNull() {
				c.rotation.Triggers = types.MapNull(types.StringType)
			}
			c.token.Rotation = objectOf("rotation", &c.rotation, &diags)
			c.token.Vault, c.token.AWS = objectOf[tokenVaultModel]("vault", nil, &diags), objectOf[tokenAWSModel]("aws_secrets_manager", nil, &diags)
			planned := c.token
			planned.withDefaults(t.Context(), c.token, &diags)
			if diags.HasError() {
				t.Fatal(diags)
			}
			r := fromObject[rotationModel](planned.Rotation)
			text := func(s types.String) string {
				if s.IsNull() || s.IsUnknown() {
					return s.String()
				}
				return s.ValueString()
			}
			got := shown{text(r.Window), text(r.BeforeExpiry), text(r.Overlap), text(r.OnRevoked)}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("want (-), got (+):\n%s", diff)
			}
			if !planned.Vault.IsNull() || !planned.AWS.IsNull() {
				t.Error("a block came to be that nobody wrote")
			}
		})
	}
}
