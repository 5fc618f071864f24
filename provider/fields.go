package provider

import (
	"context"
	"reflect"
	"sync"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// The models of a token are read and written here, by the tags of their fields. The
// framework's own conversion compiles a regular expression for each field of each struct
// at every call, which would be a fifth of all allocations of a plan.

// source is a configuration, a plan or a state.
type source interface {
	Get(ctx context.Context, target any) diag.Diagnostics
}

// target is a plan or a state.
type target interface {
	Set(ctx context.Context, value any) diag.Diagnostics
}

// get reads a whole configuration, plan or state.
func get[T any](ctx context.Context, from source, model *T) diag.Diagnostics {
	var object types.Object
	diags := from.Get(ctx, &object)
	if !diags.HasError() {
		*model = fromObject[T](object)
	}
	return diags
}

// set writes a whole plan or state of a token.
func set(ctx context.Context, to target, model apiTokenModel) diag.Diagnostics {
	object, diags := toObject(tokenType(), model)
	if diags.HasError() {
		return diags
	}
	return to.Set(ctx, object)
}

// fromObject returns an object as a struct whose fields have tfsdk tags with the names of
// the attributes, and their types. For a null or unknown object it returns the zero value.
func fromObject[T any](object types.Object) (model T) {
	attributes := object.Attributes()
	if len(attributes) == 0 {
		return model
	}
	fields := reflect.ValueOf(&model).Elem()
	for i, name := range fieldNames(fields.Type()) {
		fields.Field(i).Set(reflect.ValueOf(attributes[name]))
	}
	return model
}

// toObject returns a struct as an object with the given attribute types.
func toObject[T any](of map[string]attr.Type, model T) (types.Object, diag.Diagnostics) {
	fields := reflect.ValueOf(model)
	values := make(map[string]attr.Value, fields.NumField())
	for i, name := range fieldNames(fields.Type()) {
		values[name], _ = fields.Field(i).Interface().(attr.Value)
	}
	return types.ObjectValue(of, values)
}

// tokenType returns the attribute types of a token.
var tokenType = sync.OnceValue(func() map[string]attr.Type {
	of, _ := apiTokenSchema().Type().(attr.TypeWithAttributeTypes)
	return of.AttributeTypes()
})

// blockType returns the attribute types of a nested attribute of a token.
func blockType(block string) map[string]attr.Type {
	of, _ := tokenType()[block].(attr.TypeWithAttributeTypes)
	return of.AttributeTypes()
}

var fieldNamesOf sync.Map // reflect.Type to []string

// fieldNames returns the attribute names of a struct, in the order of its fields.
func fieldNames(of reflect.Type) []string {
	if known, ok := fieldNamesOf.Load(of); ok {
		names, _ := known.([]string)
		return names
	}
	names := make([]string, of.NumField())
	for i := range names {
		names[i] = of.Field(i).Tag.Get("tfsdk")
	}
	fieldNamesOf.Store(of, names)
	return names
}
