package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
)

var inputs = map[string]any{
	"BatchGetSecretValue": batchGetSecretValueInput{}, "CreateSecret": createSecretInput{}, "DeleteSecret": deleteSecretInput{},
	"DescribeSecret": describeSecretInput{}, "GetSecretValue": getSecretValueInput{}, "ListSecretVersionIds": listSecretVersionIdsInput{},
	"ListSecrets": listSecretsInput{}, "PutSecretValue": putSecretValueInput{}, "RestoreSecret": restoreSecretInput{},
	"TagResource": tagResourceInput{}, "UntagResource": untagResourceInput{}, "UpdateSecret": updateSecretInput{},
	"UpdateSecretVersionStage": updateSecretVersionStageInput{},
}

// The server's limits for requests are the model's, member by member.
func TestLimitsAreTheModels(t *testing.T) {
	t.Parallel()
	m := needModel(t)
	if got, want := slices.Sorted(maps.Keys(operations)), slices.Sorted(maps.Keys(inputs)); !slices.Equal(got, want) {
		t.Errorf("operations %v, inputs here %v", got, want)
	}
	for operation, input := range inputs {
		compareStructure(t, m, operation, m.Shapes[m.Operations[operation].Input.Shape], reflect.TypeOf(input))
	}
}

func compareStructure(t *testing.T, m *model, path string, want *shape, got reflect.Type) {
	t.Helper()
	seen := map[string]bool{}
	for _, field := range reflect.VisibleFields(got) {
		if field.Anonymous {
			continue
		}
		seen[field.Name] = true
		ref, known := want.Members[field.Name]
		if !known {
			t.Errorf("%s.%s is not in the model", path, field.Name)
			continue
		}
		l := parseLimits(field.Tag.Get("aws"))
		if required := slices.Contains(want.Required, field.Name); l.required != required {
			t.Errorf("%s.%s: required %v, want %v", path, field.Name, l.required, required)
		}
		kind := field.Type
		if kind.Kind() == reflect.Pointer {
			kind = kind.Elem()
		}
		compareLimits(t, m, path+"."+field.Name, m.Shapes[ref.Shape], l, kind)
	}
	for name := range want.Members {
		if !seen[name] {
			t.Errorf("%s.%s is in the model alone", path, name)
		}
	}
}

func compareLimits(t *testing.T, m *model, path string, want *shape, l limits, kind reflect.Type) {
	t.Helper()
	got := fmt.Sprint(l.min, l.max, l.pattern, l.enum)
	if modelled := fmt.Sprint(number0(want.Min), number0(want.Max), want.Pattern, want.Enum); got != modelled {
		t.Errorf("%s: limits %s, want %s", path, got, modelled)
	}
	if want.Type != "list" {
		return
	}
	element, inner := kind.Elem(), m.Shapes[want.Member.Shape]
	if inner.Type == "structure" {
		compareStructure(t, m, path, inner, element)
		return
	}
	own, ok := reflect.Zero(element).Interface().(limited)
	if !ok {
		t.Errorf("%s: its elements have no limits", path)
		return
	}
	compareLimits(t, m, path+"[]", inner, parseLimits(own.limits()), element)
}

func number0(limit *float64) int {
	if limit == nil {
		return 0
	}
	return int(*limit)
}

// AWS's own examples work as requests.
func TestPublishedExamples(t *testing.T) {
	t.Parallel()
	needModel(t)
	var published struct {
		Examples map[string][]struct {
			ID    string
			Input json.RawMessage
		}
	}
	if err := readModelFile("examples-1.json", &published); err != nil {
		t.Fatal(err)
	}
	tried := 0
	for operation, examples := range published.Examples {
		if operations[operation] == nil {
			continue
		}
		for _, example := range examples {
			tried++
			t.Run(example.ID, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, iamConfig{})
				w.prepare(operation, string(example.Input))
				body := string(example.Input)
				if operation == "UpdateSecret" && strings.Contains(body, "SecretString") && !strings.Contains(body, "ClientRequestToken") {
					body = strings.Replace(body, "{", `{"ClientRequestToken":"`+*id("9")+`",`, 1) // the SDKs add one
				}
				if status, answer := w.raw(operation, body); status != 200 {
					t.Errorf("%s: %d %v", body, status, answer)
				}
			})
		}
	}
	if tried < 15 {
		t.Errorf("%d examples were tried", tried)
	}
}

// prepare creates what an example requires.
func (w *world) prepare(operation, body string) {
	w.Helper()
	if operation == "CreateSecret" || operation == "ListSecrets" {
		return
	}
	var input struct{ SecretId, VersionStage, RemoveFromVersionId, MoveToVersionId string }
	if err := json.Unmarshal([]byte(body), &input); err != nil {
		w.Fatal(err)
	}
	send := func(operation, format string, args ...any) {
		if status, answer := w.raw(operation, fmt.Sprintf(format, args...)); status != 200 {
			w.Fatalf("%s: %d %v", operation, status, answer)
		}
	}
	send("CreateSecret", `{"Name":%q,"SecretString":"x","ClientRequestToken":%q}`, input.SecretId, *id("1"))
	if from := input.RemoveFromVersionId; from != "" {
		send("PutSecretValue", `{"SecretId":%q,"SecretString":"x","ClientRequestToken":%q,"VersionStages":[%q]}`, input.SecretId, from, input.VersionStage)
	}
	if to := input.MoveToVersionId; to != "" {
		send("PutSecretValue", `{"SecretId":%q,"SecretString":"x","ClientRequestToken":%q,"VersionStages":["OTHER"]}`, input.SecretId, to)
	}
	if operation == "RestoreSecret" {
		send("DeleteSecret", `{"SecretId":%q}`, input.SecretId)
	}
}

// The errors of AWS's front end have AWS's texts.
func TestRefusalsOfTheFrontEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t, iamConfig{})
	for body, want := range map[string]string{
		`{}`: "1 validation error detected: Value at 'secretId' failed to satisfy constraint: Member must not be null",
		`{"SecretId":"a","VersionId":"x","VersionStage":""}`: "2 validation errors detected: Value at 'versionId' failed to satisfy constraint: " +
			"Member must have length greater than or equal to 32; Value at 'versionStage' failed to satisfy constraint: Member must have length greater than or equal to 1",
	} {
		if status, answer := w.raw("GetSecretValue", body); status != 400 || answer["__type"] != validation || answer["message"] != want {
			t.Errorf("%s: %d %v", body, status, answer)
		}
	}
	for body, want := range map[string]string{
		`{"MaxResults":101}`:                            "less than or equal to 100",
		`{"MaxResults":0}`:                              "greater than or equal to 1",
		`{"SortOrder":"up"}`:                            "enum value set",
		`{"Filters":[{"Key":"colour","Values":["x"]}]}`: "'filters.1.member.key'",
		`{"Filters":[{"Key":"name","Values":["a*"]}]}`:  "'filters.1.member.values.1.member' failed to satisfy constraint: Member must satisfy regular expression",
	} {
		status, answer := w.raw("ListSecrets", body)
		if message, _ := answer["message"].(string); status != 400 || !strings.Contains(message, want) {
			t.Errorf("%s: %d %v", body, status, answer)
		}
	}
	for _, operation := range []string{"RotateSecret", "Nothing"} {
		if status, answer := w.raw(operation, `{"SecretId":"a"}`); status != 400 || answer["__type"] != unknownOperation {
			t.Errorf("%s: %d %v", operation, status, answer)
		}
	}
}
