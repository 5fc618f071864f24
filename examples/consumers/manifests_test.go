package consumers_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	yaml "github.com/oasdiff/yaml3"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/paistrike/terraform-provider-paistrike/internal/testparts"
)

// manifest is one YAML document.
type manifest map[string]any

// at returns the text at a path such as "spec.provider", or "" if there is none.
func (m manifest) at(path string) string {
	var value any = map[string]any(m)
	for name := range strings.SplitSeq(path, ".") {
		switch inner := value.(type) {
		case map[string]any:
			value = inner[name]
		case []any:
			value = inner[0].(map[string]any)[name] //nolint:forcetypeassert // a test
		}
	}
	if value == nil {
		return ""
	}
	return fmt.Sprint(value)
}

func manifests(t *testing.T, text string) []manifest {
	t.Helper()
	var all []manifest
	for part := range strings.SplitSeq(text, "\n---\n") {
		var m map[string]any
		if err := yaml.Unmarshal([]byte(part), &m); err != nil {
			t.Fatal(err)
		}
		all = append(all, m)
	}
	return all
}

// satisfies validates a manifest against a schema.
func (m manifest) satisfies(t *testing.T, schema *jsonschema.Schema) error {
	t.Helper()
	raw, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(string(raw)))
	if err != nil {
		t.Fatal(err)
	}
	return schema.Validate(document)
}

// definition returns the schema of one version of a custom resource. Properties that a cluster
// would silently drop are errors here.
func definition(t *testing.T, module, file, version string) *jsonschema.Schema {
	t.Helper()
	crd := manifests(t, strings.TrimPrefix(string(testparts.Published(t, module, file)), "---\n"))[0]
	var spec struct {
		Spec struct {
			Versions []struct {
				Name   string
				Served bool
				Schema struct{ OpenAPIV3Schema map[string]any }
			}
		}
	}
	raw, err := json.Marshal(crd)
	if err != nil || json.Unmarshal(raw, &spec) != nil {
		t.Fatal(err)
	}
	for _, v := range spec.Spec.Versions {
		if v.Name == version && v.Served {
			closed(v.Schema.OpenAPIV3Schema)
			schema, err := json.Marshal(v.Schema.OpenAPIV3Schema)
			if err != nil {
				t.Fatal(err)
			}
			return testparts.Schema(t, schema)
		}
	}
	t.Fatalf("%s has no version %s", file, version)
	return nil
}

// closed forbids properties that a schema does not name.
func closed(schema any) {
	switch schema := schema.(type) {
	case map[string]any:
		if _, names := schema["properties"].(map[string]any); names && schema["type"] == "object" && schema["x-kubernetes-preserve-unknown-fields"] != true {
			schema["additionalProperties"] = false
		}
		for _, inner := range schema {
			closed(inner)
		}
	case []any:
		for _, inner := range schema {
			closed(inner)
		}
	}
}

// Each manifest reads the token under the published policy, and no other field.
func TestManifests(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.fields(t, "secret/data/ci/paistrike")["token"]
	const eso, csi = "github.com/external-secrets/external-secrets", "sigs.k8s.io/secrets-store-csi-driver"
	for _, test := range []struct {
		file    string
		schemas func(t *testing.T) map[string]*jsonschema.Schema
		reads   func(t *testing.T, all []manifest) (path, key string)
	}{
		{"external-secrets.yaml", func(t *testing.T) map[string]*jsonschema.Schema {
			t.Helper()
			return map[string]*jsonschema.Schema{
				"SecretStore":    definition(t, eso, "config/crds/bases/external-secrets.io_secretstores.yaml", "v1"),
				"ExternalSecret": definition(t, eso, "config/crds/bases/external-secrets.io_externalsecrets.yaml", "v1"),
			}
		}, func(t *testing.T, all []manifest) (path, key string) {
			t.Helper()
			return all[0].at("spec.provider.vault.path") + "/data/" + all[1].at("spec.data.remoteRef.key"), all[1].at("spec.data.remoteRef.property")
		}},
		{"secrets-store-csi.yaml", func(t *testing.T) map[string]*jsonschema.Schema {
			t.Helper()
			return map[string]*jsonschema.Schema{"SecretProviderClass": definition(t, csi, "config/crd/bases/secrets-store.csi.x-k8s.io_secretproviderclasses.yaml", "v1")}
		}, func(t *testing.T, all []manifest) (path, key string) {
			t.Helper()
			var objects []struct{ ObjectName, SecretPath, SecretKey string }
			decode(t, all[0].at("spec.parameters.objects"), &objects)
			return objects[0].SecretPath, objects[0].SecretKey
		}},
		{"vault-secrets-operator.yaml", func(t *testing.T) map[string]*jsonschema.Schema {
			t.Helper()
			schema := testparts.Schema(t, []byte(read(t, "testdata/vault-secrets-operator.json")))
			return map[string]*jsonschema.Schema{"VaultAuth": schema, "VaultStaticSecret": schema}
		}, func(t *testing.T, all []manifest) (path, key string) {
			t.Helper()
			if all[1].at("spec.destination.transformation.excludeRaw") != "true" || all[1].at("spec.vaultAuthRef") != all[0].at("metadata.name") {
				t.Error("_raw is copied, or the login is not found")
			}
			return all[1].at("spec.mount") + "/data/" + all[1].at("spec.path"), w.included(t, all[1].at("spec.destination.transformation.includes"))
		}},
	} {
		t.Run(test.file, func(t *testing.T) {
			t.Parallel()
			all, schemas := manifests(t, read(t, test.file)), test.schemas(t)
			for _, m := range all {
				schema := schemas[m.at("kind")]
				if schema == nil {
					t.Fatalf("%s is not expected", m.at("kind"))
				}
				if err := m.satisfies(t, schema); err != nil {
					t.Error(err)
				}
				m["spec"].(map[string]any)["unheardOf"] = true //nolint:forcetypeassert // a test
				if m.satisfies(t, schema) == nil {
					t.Errorf("%s takes anything", m.at("kind"))
				}
			}
			if path, key := test.reads(t, all); w.fields(t, path)[key] != token {
				t.Errorf("%s of %s is not the token", key, path)
			}
		})
	}
}

// included returns the only field of the entry that a list of patterns matches.
func (w *world) included(t *testing.T, patterns string) string {
	t.Helper()
	var found []string
	for name := range w.fields(t, "secret/data/ci/paistrike") {
		for pattern := range strings.FieldsSeq(strings.Trim(patterns, "[]")) {
			if regexp.MustCompile(pattern).MatchString(name) {
				found = append(found, name)
			}
		}
	}
	if len(found) != 1 {
		t.Errorf("%s lets through %v", patterns, found)
	}
	return strings.Join(found, "")
}

func decode(t *testing.T, text string, into any) {
	t.Helper()
	var value any
	if err := yaml.Unmarshal([]byte(text), &value); err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(value)
	if err != nil || json.Unmarshal(raw, into) != nil {
		t.Fatal(err)
	}
}

// The recipe for vault-action names one field of one entry, and does not export its Vault token.
func TestVaultAction(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	text := read(t, "vault-action.yml")
	line := regexp.MustCompile(`secrets: \|\n\s+(\S+) (\S+) \| PAISTRIKE_API_TOKEN\n`).FindStringSubmatch(text)
	if line == nil || w.fields(t, line[1])[line[2]] == "" {
		t.Errorf("%v is not the token", line)
	}
	for _, want := range []string{"exportToken: false", "permissions: {}", "id-token: write"} {
		if !strings.Contains(text, want) {
			t.Errorf("there is no %q", want)
		}
	}
}

// A Terraform configuration passes the token on without storing it: from an ephemeral value to a
// write-only argument, with the matching version argument. It does not use the KV version, which
// differs from secret_version.
func TestConfigurations(t *testing.T) {
	t.Parallel()
	versions := map[string]string{"data_wo": "data_wo_revision", "secret_string_wo": "secret_string_wo_version"}
	files, err := filepath.Glob("*.tf")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	argument := regexp.MustCompile(`(?m)^\s+(\w+)\s+= (.*)$`)
	for _, file := range append(files, "../other-secret-stores/main.tf") {
		var names []string
		text := read(t, file)
		for _, found := range argument.FindAllStringSubmatch(text, -1) {
			names = append(names, found[1])
			if strings.Contains(found[2], "ephemeral.") && versions[found[1]] == "" {
				t.Errorf("%s: %s is not a write-only argument", file, found[1])
			}
			if found[1] == "version" && strings.Contains(found[2], "secret_version") {
				t.Errorf("%s asks for a version of the entry by the generation of the secret", file)
			}
		}
		for name, version := range versions {
			if slices.Contains(names, name) && !strings.Contains(text, version+" = paistrike_api_token.scanner.secret_version\n") {
				t.Errorf("%s: %s is not written again after a rotation", file, name)
			}
		}
		if !strings.Contains(text, "mount_id = paistrike_api_token.scanner.secret_version") {
			t.Errorf("%s reads the token before the rotation", file)
		}
	}
}
