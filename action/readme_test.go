package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/paistrike/terraform-provider-paistrike/internal/fleet"
	"github.com/paistrike/terraform-provider-paistrike/internal/input"
)

var update = flag.Bool("update", false, "write the tables of README.md")

// described is an input or output in action.yml.
type described struct {
	name, description, fallback string
	required                    bool
}

// actions returns, for the action and each sub-action, its folder, its inputs, and where the
// program sets its outputs.
func actions() map[string]struct {
	inputs  []input.Input
	sets    string // file of the function that sets the outputs
	between [2]string
} {
	type where = struct {
		inputs  []input.Input
		sets    string
		between [2]string
	}
	return map[string]where{
		".":      {input.Token(), "../internal/job/session.go", [2]string{") hand(", "\n}\n"}},
		"rotate": {input.Rotate(), "../internal/job/folder.go", [2]string{"*session) rotate(", "\n}\n"}},
		"audit":  {input.Audit(), "../internal/job/folder.go", [2]string{"*session) audit(", "\n}\n"}},
	}
}

// actionYML parses one section of an action.yml. It supports only the simple form in which
// these files are written.
func actionYML(t *testing.T, dir, section string) []described {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, "action.yml"))
	if err != nil {
		t.Fatal(err)
	}
	_, text, found := strings.Cut(string(raw), "\n"+section+":\n")
	if !found {
		t.Fatalf("action.yml has no %s", section)
	}
	var all []described
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		value = strings.Trim(strings.TrimSpace(value), `"`)
		switch {
		case strings.TrimSpace(line) == "":
		case !strings.HasPrefix(line, "  "):
			return all
		case !strings.HasPrefix(line, "    "):
			all = append(all, described{name: name})
		case name == "description":
			all[len(all)-1].description = value
		case name == "default":
			all[len(all)-1].fallback = value
		case name == "required":
			all[len(all)-1].required = value == "true"
		default:
			t.Fatalf("action.yml: %q is not understood", line)
		}
	}
	return all
}

// action.yml declares the inputs and outputs of the program.
func TestActionFilesAgreeWithTheProgram(t *testing.T) {
	t.Parallel()
	for dir, action := range actions() {
		writeOrCompare(t, filepath.Join(dir, "action.yml"), func(text string) string {
			head, rest, _ := strings.Cut(text, "\ninputs:\n")
			_, tail, found := strings.Cut(rest, "\noutputs:\n")
			if !found {
				t.Fatalf("%s: action.yml has no inputs and outputs", dir)
			}
			return head + "\ninputs:\n" + inputsYML(action.inputs) + "\noutputs:\n" + tail
		})
		var names []string
		for _, out := range actionYML(t, dir, "outputs") {
			if out.name != "report" { // common to all sub-actions and set in one place
				names = append(names, out.name)
			}
		}
		source, err := os.ReadFile(action.sets)
		if err != nil {
			t.Fatal(err)
		}
		_, text, _ := strings.Cut(string(source), action.between[0])
		text, _, _ = strings.Cut(text, action.between[1])
		var set []string
		for _, match := range regexp.MustCompile(`\n\t{2,3}\{"([a-z_]+)", `).FindAllStringSubmatch(text, -1) {
			set = append(set, match[1])
		}
		if !slices.Equal(names, set) {
			t.Errorf("%s: outputs: action.yml has %v, the program %v", dir, names, set)
		}
	}
}

// inputsYML formats the inputs for action.yml.
func inputsYML(inputs []input.Input) string {
	var b strings.Builder
	for _, in := range inputs {
		if in.Outside {
			continue
		}
		fmt.Fprintf(&b, "  %s:\n    description: %q\n", in.Name, in.Described())
		switch fallback := in.Default; {
		case in.Always():
			b.WriteString("    required: true\n")
		case in.Bool:
			fmt.Fprintf(&b, "    default: %q\n", fallback)
		case fallback != "" && strings.Trim(fallback, "0123456789") == "":
			fmt.Fprintf(&b, "    default: %q\n", fallback)
		case fallback != "":
			fmt.Fprintf(&b, "    default: %s\n", fallback)
		}
	}
	return b.String()
}

// writeOrCompare compares a file with its expected content, or writes it with -update.
func writeOrCompare(t *testing.T, file string, want func(string) string) {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text := want(string(raw))
	switch {
	case text == string(raw):
	case !*update:
		t.Errorf("%s is not up to date: go test ./action -run 'Readme|ActionFiles' -update", file)
	default:
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil { //nolint:gosec // a fixed name
			t.Fatal(err)
		}
	}
}

// Inputs that several actions have in common have the same description.
func TestActionsShareTheirWords(t *testing.T) {
	t.Parallel()
	of := map[string]described{}
	for _, in := range actionYML(t, ".", "inputs") {
		of[in.name] = in
	}
	differ := []string{"vault_namespace", "vault_auth_namespace", "vault_mount", "vault_path", "aws_secret_id", "summary", "timeout"} // they concern one entry there and many here
	for _, dir := range []string{"rotate", "audit"} {
		for _, in := range actionYML(t, dir, "inputs") {
			if here, ok := of[in.name]; ok && here != in && !slices.Contains(differ, in.name) {
				t.Errorf("%s: %+v, and in the action %+v", dir, in, here)
			}
		}
	}
}

// The tables of the READMEs are generated from action.yml: go test ./action -update.
func TestReadmeTables(t *testing.T) {
	t.Parallel()
	for dir := range actions() {
		writeOrCompare(t, filepath.Join(dir, "README.md"), func(text string) string {
			text = between(t, text, "inputs", inputTable(actionYML(t, dir, "inputs")))
			return between(t, text, "outputs", outputTable(actionYML(t, dir, "outputs")))
		})
	}
}

func inputTable(inputs []described) string {
	var b strings.Builder
	b.WriteString("| input | default | meaning |\n|---|---|---|\n")
	for _, d := range inputs {
		fallback := "–"
		switch {
		case d.required:
			fallback = "required"
		case d.fallback != "":
			fallback = "`" + d.fallback + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", d.name, fallback, d.description)
	}
	return b.String()
}

func outputTable(outputs []described) string {
	var b strings.Builder
	b.WriteString("| output | meaning |\n|---|---|\n")
	for _, d := range outputs {
		fmt.Fprintf(&b, "| `%s` | %s |\n", d.name, d.description)
	}
	return b.String()
}

// The README explains every finding, with its severity.
func TestAuditReadmeExplainsEveryFinding(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("audit/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, code := range fleet.Codes() {
		if !strings.Contains(string(raw), "| `"+string(code)+"` | ") {
			t.Errorf("%s is not explained", code)
		}
	}
}

// between replaces the text between the markers of a table.
func between(t *testing.T, text, name, table string) string {
	t.Helper()
	end := "<!-- end of " + name + " -->"
	head, rest, found := strings.Cut(text, "<!-- "+name+": written by go test ./action -update -->\n")
	_, tail, ended := strings.Cut(rest, end)
	if !found || !ended {
		t.Fatalf("README.md has no markers for %s", name)
	}
	return head + "<!-- " + name + ": written by go test ./action -update -->\n" + table + end + tail
}

// The README explains every code that a user can see, and no other.
func TestReadmeExplainsEveryCode(t *testing.T) {
	t.Parallel()
	code := regexp.MustCompile(`PSA[0-9]{3}\b`)
	codes := func(files ...string) []string {
		var all []string
		for _, file := range files {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, code.FindAllString(string(raw), -1)...)
		}
		slices.Sort(all)
		return slices.Compact(all)
	}
	sources, err := filepath.Glob("../internal/*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	sources = slices.DeleteFunc(sources, func(file string) bool { return strings.HasSuffix(file, "_test.go") })
	if used, explained := codes(append(sources, "launch.js", "program.js", "download.js")...), codes("README.md"); !slices.Equal(used, explained) {
		t.Errorf("used %v\nexplained %v", used, explained)
	}
}
