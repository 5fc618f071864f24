package main

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the tables of README.md")

// described is an input or output as action.yml has it.
type described struct {
	name, description, fallback string
	required                    bool
}

// actionYML reads one section of action.yml, of which only the plain form in which it
// is written is understood.
func actionYML(t *testing.T, section string) []described {
	t.Helper()
	raw, err := os.ReadFile("action.yml")
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
func TestActionFileAgreesWithTheProgram(t *testing.T) {
	t.Parallel()
	inputs := actionYML(t, "inputs")
	program := allInputs()
	if len(inputs) != len(program) {
		t.Fatalf("%d inputs in action.yml, %d in the program", len(inputs), len(program))
	}
	for i, in := range program {
		if inputs[i].name != in.name || inputs[i].fallback != in.fallback || inputs[i].description == "" {
			t.Errorf("action.yml has %+v, the program %+v", inputs[i], in)
		}
	}
	var names []string
	for _, out := range actionYML(t, "outputs") {
		names = append(names, out.name)
	}
	source, err := os.ReadFile("program.go")
	if err != nil {
		t.Fatal(err)
	}
	var set []string
	for _, match := range regexp.MustCompile(`\n\t\t\{"([a-z_]+)", `).FindAllStringSubmatch(string(source), -1) {
		set = append(set, match[1])
	}
	if !slices.Equal(names, set) {
		t.Errorf("outputs: action.yml has %v, the program %v", names, set)
	}
}

// The tables of the README are written from action.yml: go test ./action -update.
func TestReadmeTables(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	var in, out strings.Builder
	in.WriteString("| input | default | meaning |\n|---|---|---|\n")
	for _, d := range actionYML(t, "inputs") {
		fallback := "–"
		switch {
		case d.required:
			fallback = "required"
		case d.fallback != "":
			fallback = "`" + d.fallback + "`"
		}
		fmt.Fprintf(&in, "| `%s` | %s | %s |\n", d.name, fallback, d.description)
	}
	out.WriteString("| output | meaning |\n|---|---|\n")
	for _, d := range actionYML(t, "outputs") {
		fmt.Fprintf(&out, "| `%s` | %s |\n", d.name, d.description)
	}
	text := between(t, string(raw), "inputs", in.String())
	text = between(t, text, "outputs", out.String())
	if text == string(raw) {
		return
	}
	if !*update {
		t.Fatal("README.md is not up to date: go test ./action -run Readme -update")
	}
	if err := os.WriteFile("README.md", []byte(text), 0o600); err != nil { //nolint:gosec // a fixed name
		t.Fatal(err)
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
	if used, explained := codes("errors.go", "launch.js"), codes("README.md"); !slices.Equal(used, explained) {
		t.Errorf("used %v\nexplained %v", used, explained)
	}
}
