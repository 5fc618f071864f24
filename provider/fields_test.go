package provider

import (
	"context"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// Each model has the attributes of its schema with the same types: what is read is written
// back unchanged.
func TestModelsAreReadAndWrittenWhole(t *testing.T) {
	t.Parallel()
	roundTrip[apiTokenModel](t, tokenType())
	roundTrip[rotationModel](t, blockType("rotation"))
	roundTrip[tokenVaultModel](t, blockType("vault"))
	roundTrip[tokenAWSModel](t, blockType("aws_secrets_manager"))
}

func roundTrip[T any](t *testing.T, of map[string]attr.Type) {
	t.Helper()
	object := types.ObjectValueMust(of, unknown(t.Context(), of))
	back, diags := toObject(of, fromObject[T](object))
	if diags.HasError() || !back.Equal(object) {
		t.Errorf("%T became %v (%v)", *new(T), back, diags)
	}
}

// unknown returns an unknown value of each type, which differs from the zero value of a
// field.
func unknown(ctx context.Context, of map[string]attr.Type) map[string]attr.Value {
	values := map[string]attr.Value{}
	for name, kind := range of {
		values[name], _ = kind.ValueFromTerraform(ctx, tftypes.NewValue(kind.TerraformType(ctx), tftypes.UnknownValue))
	}
	return values
}

// A plan reads and writes thousands of models, so that must be cheap.
func TestReadingAModelIsCheap(t *testing.T) {
	object := types.ObjectValueMust(blockType("rotation"), unknown(t.Context(), blockType("rotation")))
	if got := testing.AllocsPerRun(100, func() { fromObject[rotationModel](object) }); got > 40 {
		t.Errorf("reading a model allocates %v times", got)
	}
}
