package testparts

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Published returns a file of a third-party Go module, such as a published schema. The module
// is pinned in schemas/go.mod and go.sum; Go downloads it once.
func Published(t testing.TB, module, file string) []byte {
	t.Helper()
	dir, err := repository()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", "mod", "download", "-json", module)
	cmd.Dir = filepath.Join(dir, "internal", "testparts", "schemas")
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=")
	said, err := cmd.Output()
	if err != nil {
		missing(t, "the module %s cannot be had: %v %s", module, err, said)
	}
	var fetched struct{ Dir string }
	if err := json.Unmarshal(said, &fetched); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(fetched.Dir, filepath.FromSlash(file)))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Schema compiles a JSON schema and enables its format assertions.
func Schema(t testing.TB, schema []byte) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	if err != nil {
		t.Fatal(err)
	}
	const name = "schema.json"
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource(name, document); err != nil {
		t.Fatal(err)
	}
	compiled, err := compiler.Compile(name)
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}
