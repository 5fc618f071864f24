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
)

var update = flag.Bool("update", false, "write the tables of README.md")

// described is an input or output as action.yml has it.
type described struct {
	name, description, fallback string
	required                    bool
}

// actions are the action and its sub-actions: where each is described, and what the
// program takes and sets for it.
func actions() map[string]struct {
	inputs  []input
	sets    string // the file of the function that sets the outputs
	between [2]string
} {
	type where = struct {
		inputs  []input
		sets    string
		between [2]string
	}
	return map[string]where{
		".":      {allInputs(), "program.go", [2]string{") hand(", "\n}\n"}},
		"rotate": {rotateInputs(), "fleet.go", [2]string{"*program) rotate(", "\n}\n"}},
		"audit":  {auditInputs(), "fleet.go", [2]string{"*program) audit(", "\n}\n"}},
	}
}

// actionYML reads one section of an action.yml, of which only the plain form in which
// it is written is understood.
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

// What action.yml promises is what the program does.
func TestActionFilesAgreeWithTheProgram(t *testing.T) {
	t.Parallel()
	for dir, action := range actions() {
		inputs := actionYML(t, dir, "inputs")
		if len(inputs) != len(action.inputs) {
			t.Fatalf("%s: %d inputs in action.yml, %d in the program", dir, len(inputs), len(action.inputs))
		}
		for i, in := range action.inputs {
			if inputs[i].name != in.name || inputs[i].fallback != in.fallback || inputs[i].description == "" {
				t.Errorf("%s: action.yml has %+v, the program %+v", dir, inputs[i], in)
			}
		}
		var names []string
		for _, out := range actionYML(t, dir, "outputs") {
			if out.name != "report" { // of every sub-action, set in one place
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

// Words that several actions share mean the same in each.
func TestActionsShareTheirWords(t *testing.T) {
	t.Parallel()
	of := map[string]described{}
	for _, in := range actionYML(t, ".", "inputs") {
		of[in.name] = in
	}
	differ := []string{"vault_namespace", "vault_auth_namespace", "vault_mount", "vault_path", "summary", "timeout"} // of one entry there, of many here
	for _, dir := range []string{"rotate", "audit"} {
		for _, in := range actionYML(t, dir, "inputs") {
			if here, ok := of[in.name]; ok && here != in && !slices.Contains(differ, in.name) {
				t.Errorf("%s: %+v, and in the action %+v", dir, in, here)
			}
		}
	}
}

// The tables of the READMEs are written from action.yml: go test ./action -update.
func TestReadmeTables(t *testing.T) {
	t.Parallel()
	for dir := range actions() {
		file := filepath.Join(dir, "README.md")
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		text := between(t, string(raw), "inputs", inputTable(actionYML(t, dir, "inputs")))
		text = between(t, text, "outputs", outputTable(actionYML(t, dir, "outputs")))
		switch {
		case text == string(raw):
		case !*update:
			t.Errorf("%s is not up to date: go test ./action -run Readme -update", file)
		default:
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil { //nolint:gosec // a fixed name
				t.Fatal(err)
			}
		}
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

// Every finding is explained, with its severity.
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

// The names that the action gives to the tokens of jobs are known to the audit.
func TestAuditKnowsTheNamesOfJobs(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		nameOf("gha", "acme/app", "1001", "1", "scan", "abcdefghij"),
		nameOf("exec", "", "", "", "", "abcdefghij"),
		nameOf("a label", strings.Repeat("acme/long", 20), "1001", "12", strings.Repeat("job", 20), "0123456789"),
	} {
		if !fleet.IsJobToken(name) {
			t.Errorf("%q is not known", name)
		}
	}
	for _, name := range []string{"CI/CD Pipeline", "gha", "a:b:c", "CI-ps1-k3v7q2m6xtab-7h2k5q-12-w5c2m4pa"} {
		if fleet.IsJobToken(name) {
			t.Errorf("%q passes for a job's", name)
		}
	}
}

// between puts a table between the markers of its name.
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

// Every code that a user can meet is explained, and no other.
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
	if used, explained := codes("errors.go", "launch.js", "program.js", "download.js"), codes("README.md"); !slices.Equal(used, explained) {
		t.Errorf("used %v\nexplained %v", used, explained)
	}
}
