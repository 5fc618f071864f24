package consumers_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Each recipe reads only the field with the token, from the secret that the policy names.
func TestConsumersOfAWS(t *testing.T) {
	t.Parallel()
	const name, key = "ci/paistrike", "token"
	const eso, csi = "github.com/external-secrets/external-secrets", "sigs.k8s.io/secrets-store-csi-driver"
	schemas := map[string]func() *jsonschema.Schema{
		"SecretStore": func() *jsonschema.Schema {
			return definition(t, eso, "config/crds/bases/external-secrets.io_secretstores.yaml", "v1")
		},
		"ExternalSecret": func() *jsonschema.Schema {
			return definition(t, eso, "config/crds/bases/external-secrets.io_externalsecrets.yaml", "v1")
		},
		"SecretProviderClass": func() *jsonschema.Schema {
			return definition(t, csi, "config/crd/bases/secrets-store.csi.x-k8s.io_secretproviderclasses.yaml", "v1")
		},
	}
	operator, driver := manifests(t, read(t, "aws/external-secrets.yaml")), manifests(t, read(t, "aws/secrets-store-csi.yaml"))
	for _, m := range append(operator, driver...) {
		if err := m.satisfies(t, schemas[m.at("kind")]()); err != nil {
			t.Error(err)
		}
	}
	if operator[1].at("spec.data.remoteRef.key") != name || operator[1].at("spec.data.remoteRef.property") != key {
		t.Error("External Secrets reads something else")
	}
	var objects []struct {
		ObjectName, ObjectType string
		JmesPath               []struct{ Path string }
	}
	decode(t, driver[0].at("spec.parameters.objects"), &objects)
	if o := objects[0]; o.ObjectName != name || o.ObjectType != "secretsmanager" || o.JmesPath[0].Path != key {
		t.Errorf("the driver reads %+v", o)
	}
	var task struct {
		ContainerDefinitions []struct {
			Secrets []struct{ Name, ValueFrom string }
		}
	}
	if err := json.Unmarshal([]byte(read(t, "aws/ecs-task.json")), &task); err != nil {
		t.Fatal(err)
	}
	// arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-ENDING:FIELD:STAGE:VERSION
	from := strings.Split(task.ContainerDefinitions[0].Secrets[0].ValueFrom, ":")
	if len(from) != 10 || !strings.HasPrefix(from[6], name+"-") || from[7] != key || from[8]+from[9] != "" {
		t.Errorf("the task reads %v", from)
	}
	policy := read(t, "../policies/aws/consumer.json")
	if !strings.Contains(policy, ":secret:"+name+"-??????") {
		t.Error("the policy is for another secret")
	}
	if function := read(t, "aws/lambda.py"); !strings.Contains(function, `"`+name+`"`) || !strings.Contains(function, `["`+key+`"]`) {
		t.Error("the function reads something else")
	}
}
