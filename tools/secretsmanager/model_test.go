package main

import (
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"
)

// modelFolder is the location of AWS's API model in Debian's package python3-botocore.
const modelFolder = "/usr/lib/python3/dist-packages/botocore/data/secretsmanager/2017-10-17"

// model is AWS's published description of the API.
type model struct {
	Operations map[string]modelOperation
	Shapes     map[string]*shape
}

type modelOperation struct {
	Input, Output *shapeRef
	Errors        []shapeRef
}

type shapeRef struct{ Shape string }

type shape struct {
	Type               string
	Required           []string
	Members            map[string]shapeRef
	Member, Key, Value *shapeRef
	Min, Max           *float64
	Pattern            string
	Enum               []string
}

// readModelFile reads a file of the model, which some versions of the package compress.
func readModelFile(name string, into any) error {
	file, err := os.Open(filepath.Join(modelFolder, name))
	if errors.Is(err, fs.ErrNotExist) {
		if file, err = os.Open(filepath.Join(modelFolder, name+".gz")); err == nil {
			defer func() { _ = file.Close() }()
			unzipped, err := gzip.NewReader(file)
			if err != nil {
				return err
			}
			return json.NewDecoder(unzipped).Decode(into)
		}
	}
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	text, err := io.ReadAll(file)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}

// published returns the model with later additions. It fails if the package is missing.
var published = sync.OnceValues(func() (*model, error) {
	m := &model{}
	if err := readModelFile("service-2.json", m); err != nil {
		return nil, err
	}
	text, err := os.ReadFile("testdata/since.json")
	if err != nil {
		return nil, err
	}
	var since struct {
		Comment    string
		Operations map[string]modelOperation
		Members    map[string]map[string]shapeRef
		Shapes     map[string]*shape
	}
	if err := json.Unmarshal(text, &since); err != nil {
		return nil, err
	}
	for name, s := range since.Shapes {
		m.Shapes[name] = s
	}
	for name, o := range since.Operations {
		m.Operations[name] = o
	}
	for name, added := range since.Members {
		for member, ref := range added {
			m.Shapes[name].Members[member] = ref
		}
	}
	return m, nil
})

// needModel returns the model. If it is missing, the test fails in CI and is skipped
// elsewhere.
func needModel(t *testing.T) *model {
	t.Helper()
	m, err := published()
	if err == nil {
		return m
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("AWS's model of the API is missing, install python3-botocore: %v", err)
	}
	t.Skipf("NOT TESTED: AWS's model of the API is missing, install python3-botocore: %v", err)
	return nil
}

// check returns the violations of the model in a JSON value.
func (m *model) check(name, path string, value any) (wrong []string) {
	s := m.Shapes[name]
	bad := func(format string, args ...any) { wrong = append(wrong, path+": "+fmt.Sprintf(format, args...)) }
	size := -1
	switch value := value.(type) {
	case map[string]any:
		return m.checkObject(s, path, value)
	case []any:
		if s.Type != "list" {
			bad("is a list, want %s", s.Type)
			return wrong
		}
		size = len(value)
		for i, element := range value {
			wrong = append(wrong, m.check(s.Member.Shape, fmt.Sprintf("%s[%d]", path, i), element)...)
		}
	case string:
		if size = utf8.RuneCountInString(value); s.Type == "blob" {
			raw, err := base64.StdEncoding.DecodeString(value)
			if size = len(raw); err != nil {
				bad("is not base64")
			}
		} else if s.Type != "string" {
			bad("is text, want %s", s.Type)
		}
		if s.Enum != nil && !slices.Contains(s.Enum, value) {
			bad("%q is none of %v", value, s.Enum)
		}
		if s.Pattern != "" && !regexp.MustCompile(s.Pattern).MatchString(value) {
			bad("%q does not match %s", value, s.Pattern)
		}
	case bool:
		if s.Type != "boolean" {
			bad("is a truth value, want %s", s.Type)
		}
	case float64:
		if !slices.Contains([]string{"integer", "long", "double", "timestamp"}, s.Type) {
			bad("is a number, want %s", s.Type)
		}
		if s.Type == "integer" || s.Type == "long" {
			size = int(value)
		}
	default:
		bad("is %v, want %s", value, s.Type)
	}
	if size >= 0 && (s.Min != nil && size < int(*s.Min) || s.Max != nil && size > int(*s.Max)) {
		bad("has size %d, want %v to %v", size, show(s.Min), show(s.Max))
	}
	return wrong
}

func show(limit *float64) any {
	if limit == nil {
		return "any"
	}
	return *limit
}

func (m *model) checkObject(s *shape, path string, object map[string]any) (wrong []string) {
	switch s.Type {
	case "map":
		for key, value := range object {
			wrong = append(wrong, m.check(s.Key.Shape, path+" key "+key, key)...)
			wrong = append(wrong, m.check(s.Value.Shape, path+"."+key, value)...)
		}
	case "structure":
		for _, name := range s.Required {
			if _, ok := object[name]; !ok {
				wrong = append(wrong, path+"."+name+": is missing")
			}
		}
		for name, value := range object {
			ref, known := s.Members[name]
			if !known {
				wrong = append(wrong, path+"."+name+": is not in the model")
				continue
			}
			wrong = append(wrong, m.check(ref.Shape, path+"."+name, value)...)
		}
	default:
		wrong = append(wrong, path+": is an object, want "+s.Type)
	}
	return wrong
}

// common lists errors of all AWS services, which the model does not repeat.
var common = []string{
	accessDenied, expiredCredential, incomplete, invalidSignature, missingToken, serialization, serviceDown, throttling,
	unknownOperation, unrecognized, validation,
}

// checkAnswer returns the violations of the model in an answer.
func (m *model) checkAnswer(operation string, status int, kind string, body []byte) []string {
	o := m.Operations[operation]
	if status != 200 {
		var refusal map[string]any
		if err := json.Unmarshal(body, &refusal); err != nil {
			return []string{"the refusal is no JSON"}
		}
		listed := slices.ContainsFunc(o.Errors, func(r shapeRef) bool { return r.Shape == refusal["__type"] })
		switch name, _ := refusal["__type"].(string); {
		case name != kind:
			return []string{fmt.Sprintf("__type is %q and x-amzn-errortype %q", name, kind)}
		case !listed && !slices.Contains(common, name):
			return []string{name + " is not an error of " + operation}
		case listed:
			delete(refusal, "__type")
			return m.check(name, name, refusal)
		}
		return nil
	}
	if o.Output == nil {
		if len(body) > 0 {
			return []string{operation + " has no output, got " + string(body)}
		}
		return nil
	}
	var output any
	if err := json.Unmarshal(body, &output); err != nil {
		return []string{"the answer is no JSON"}
	}
	return m.check(o.Output.Shape, operation, output)
}

// The checker reports violations, so that its negative results mean something.
func TestModelCheckerFindsWhatIsWrong(t *testing.T) {
	t.Parallel()
	m := needModel(t)
	for body, want := range map[string]string{
		`{"SecretId":"a","Colour":"red"}`:                  "Colour: is not in the model",
		`{"VersionStage":"a"}`:                             "SecretId: is missing",
		`{"SecretId":""}`:                                  "has size 0",
		`{"SecretId":1}`:                                   "is a number, want string",
		`{"SecretId":"a","VersionId":"short"}`:             "has size 5",
		`{"SecretId":"a","VersionStage":null}`:             "want string",
		`{"SecretId":["a"]}`:                               "is a list",
		`{"SecretId":"a","VersionStage":"AWSCURRENT"}`:     "",
		`{"SecretId":{"a":"b"}}`:                           "is an object",
		`{"SecretId":"` + strings.Repeat("x", 2049) + `"}`: "has size 2049",
		`{"SecretId":"a","VersionStage":true}`:             "is a truth value",
	} {
		var value any
		if err := json.Unmarshal([]byte(body), &value); err != nil {
			t.Fatal(err)
		}
		got := strings.Join(m.check("GetSecretValueRequest", "", value), "; ")
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
	for body, want := range map[string]string{
		`{"__type":"ResourceExistsException","Message":"m"}`:   "not an error of GetSecretValue",
		`{"__type":"ResourceNotFoundException","message":"m"}`: "message: is not in the model",
		`{"__type":"ResourceNotFoundException","Message":"m"}`: "",
	} {
		var refusal struct {
			Type string `json:"__type"`
		}
		if err := json.Unmarshal([]byte(body), &refusal); err != nil {
			t.Fatal(err)
		}
		got := strings.Join(m.checkAnswer("GetSecretValue", 400, refusal.Type, []byte(body)), "; ")
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
}
