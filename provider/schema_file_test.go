package provider_test

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/paistrike/terraform-provider-paistrike/provider"
)

// lines is a schema as comparable lines: the path of each attribute, and everything that
// the documentation shows of it.
type lines map[string]string

// jsonAttribute is an attribute in the output of `terraform providers schema -json`.
type jsonAttribute struct {
	Type        json.RawMessage
	NestedType  *jsonNested `json:"nested_type"`
	Description string
	Required    bool
	Optional    bool
	Computed    bool
	Sensitive   bool
	WriteOnly   bool `json:"write_only"`
	Deprecated  bool
}

type jsonNested struct {
	Attributes map[string]jsonAttribute
	Nesting    string `json:"nesting_mode"`
}

type jsonBlock struct {
	Attributes  map[string]jsonAttribute
	Description string
}

type jsonSchema struct{ Block jsonBlock }

func (l lines) fromJSON(path string, attributes map[string]jsonAttribute) {
	for name, a := range attributes {
		kind := string(a.Type)
		if a.NestedType != nil {
			kind = a.NestedType.Nesting
			l.fromJSON(path+"."+name, a.NestedType.Attributes)
		}
		l[path+"."+name] = line(kind, a.Description, a.Required, a.Optional, a.Computed, a.Sensitive, a.WriteOnly, a.Deprecated)
	}
}

func (l lines) fromProvider(t *testing.T, path string, attributes []*tfprotov6.SchemaAttribute) {
	t.Helper()
	for _, a := range attributes {
		kind := ""
		if a.NestedType != nil {
			kind = map[tfprotov6.SchemaObjectNestingMode]string{
				tfprotov6.SchemaObjectNestingModeSingle: "single", tfprotov6.SchemaObjectNestingModeList: "list",
				tfprotov6.SchemaObjectNestingModeSet: "set", tfprotov6.SchemaObjectNestingModeMap: "map",
			}[a.NestedType.Nesting]
			l.fromProvider(t, path+"."+a.Name, a.NestedType.Attributes)
		} else {
			raw, err := json.Marshal(a.Type)
			if err != nil {
				t.Fatal(err)
			}
			kind = string(raw)
		}
		l[path+"."+a.Name] = line(kind, a.Description, a.Required, a.Optional, a.Computed, a.Sensitive, a.WriteOnly, a.Deprecated)
	}
}

func line(kind, description string, flags ...bool) string {
	var compact any
	if json.Unmarshal([]byte(kind), &compact) == nil {
		kind = fmt.Sprint(compact)
	}
	return fmt.Sprint(kind, " ", flags, " ", description)
}

// Without Terraform 1.14, the documentation is generated from
// testdata/provider-schema.json, so that file must match the provider. `make generate`
// writes it.
func TestSchemaFileIsTheProviders(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../testdata/provider-schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Schemas map[string]struct {
			Provider   jsonSchema
			Resources  map[string]jsonSchema `json:"resource_schemas"`
			Data       map[string]jsonSchema `json:"data_source_schemas"`
			Ephemerals map[string]jsonSchema `json:"ephemeral_resource_schemas"`
			Lists      map[string]jsonSchema `json:"list_resource_schemas"`
			Actions    map[string]jsonSchema `json:"action_schemas"`
		} `json:"provider_schemas"`
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	kept, ours := lines{}, lines{}
	all := file.Schemas["paistrike"]
	kept.addJSON("provider", map[string]jsonSchema{"paistrike": all.Provider})
	for kind, schemas := range map[string]map[string]jsonSchema{
		"resource": all.Resources, "data": all.Data, "ephemeral": all.Ephemerals, "list": all.Lists, "action": all.Actions,
	} {
		kept.addJSON(kind, schemas)
	}

	server := providerserver.NewProtocol6(provider.New("test")())()
	got, err := server.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	ours.add(t, "provider", map[string]*tfprotov6.Schema{"paistrike": got.Provider})
	ours.add(t, "resource", got.ResourceSchemas)
	ours.add(t, "data", got.DataSourceSchemas)
	ours.add(t, "ephemeral", got.EphemeralResourceSchemas)
	ours.add(t, "list", got.ListResourceSchemas)
	actions := map[string]*tfprotov6.Schema{}
	for name, action := range got.ActionSchemas {
		actions[name] = action.Schema
	}
	ours.add(t, "action", actions)

	if len(ours) < 100 {
		t.Fatalf("only %d attributes were found", len(ours))
	}
	if diff := cmp.Diff(ours, kept); diff != "" {
		t.Errorf("make generate, with Terraform 1.14 or newer, writes it anew (-provider +file):\n%s", diff)
	}
}

func (l lines) addJSON(kind string, schemas map[string]jsonSchema) {
	for name, schema := range schemas {
		l[kind+" "+name] = schema.Block.Description
		l.fromJSON(kind+" "+name, schema.Block.Attributes)
	}
}

func (l lines) add(t *testing.T, kind string, schemas map[string]*tfprotov6.Schema) {
	t.Helper()
	for name, schema := range schemas {
		l[kind+" "+name] = schema.Block.Description
		l.fromProvider(t, kind+" "+name, schema.Block.Attributes)
	}
}
