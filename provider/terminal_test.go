package provider_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"

	"github.com/paistrike/terraform-provider-paistrike/internal/tfcli"
)

// terminal is a user at a shell: a directory, and the CLI with the provider as a separate
// process. It is for what [stage.play] cannot do: saved plans, the text of a plan,
// warnings, logs, and the state file.
type terminal struct {
	*tfcli.Workspace
	stage *stage
}

// terminal opens a terminal with a configuration.
func (s *stage) terminal(config string) *terminal {
	s.Helper()
	bin, dir := s.TempDir(), s.TempDir()
	program, err := os.Executable() // TestMain turns it into a provider
	if err != nil {
		s.Fatal(err)
	}
	if err := os.Symlink(program, filepath.Join(bin, providerBinary)); err != nil {
		s.Fatal(err)
	}
	var env []string
	for name, value := range s.env {
		env = append(env, name+"="+value)
	}
	workspace, err := tfcli.New(cli.path, bin, dir, env...)
	if err != nil {
		s.Fatal(err)
	}
	t := &terminal{Workspace: workspace, stage: s}
	t.write(config)
	return t
}

// write writes the configuration with the source of the provider.
func (t *terminal) write(config string) {
	t.stage.Helper()
	const source = "terraform {\n  required_providers {\n    paistrike = { source = \"paistrike/paistrike\" }\n  }\n}\n"
	if err := t.Write("main.tf", source+t.stage.inStore(config)); err != nil {
		t.stage.Fatal(err)
	}
}

// words translates the arguments of a command to the store of the stage.
func (t *terminal) words(args []string) []string {
	var words []string
	for _, arg := range args {
		words = append(words, t.stage.inStore(arg))
	}
	return append(words, "-no-color")
}

// run runs a command that must succeed, and returns its output.
func (t *terminal) run(args ...string) string {
	t.stage.Helper()
	out, err := t.Run(t.stage.Context(), t.words(args)...)
	if err != nil {
		t.stage.Fatal(err)
	}
	return out.Stdout + out.Stderr
}

// fails runs a command that must fail, and returns its output.
func (t *terminal) fails(args ...string) string {
	t.stage.Helper()
	out, err := t.Run(t.stage.Context(), t.words(args)...)
	if err == nil {
		t.stage.Fatalf("%v went well and should have failed:\n%s", args, out.Stdout)
	}
	return out.Stdout + out.Stderr
}

// apply applies without confirmation.
func (t *terminal) apply(args ...string) string {
	t.stage.Helper()
	return t.run(append([]string{"apply", "-auto-approve"}, args...)...)
}

// state returns the state file and its serial.
func (t *terminal) state() (serial int, raw string) {
	t.stage.Helper()
	text, err := os.ReadFile(filepath.Join(t.Dir, "terraform.tfstate"))
	if err != nil {
		t.stage.Fatal(err)
	}
	var file struct{ Serial int }
	if err := json.Unmarshal(text, &file); err != nil {
		t.stage.Fatal(err)
	}
	return file.Serial, string(text)
}

// attributes returns the attributes of [ci] in state.
func (t *terminal) attributes() map[string]any {
	t.stage.Helper()
	resources, err := t.State(t.stage.Context())
	if err != nil {
		t.stage.Fatal(err)
	}
	return resources[ci]
}

// wantSays fails the test unless the text contains the words, whatever its line breaks.
func (s *stage) wantSays(text, words string) {
	s.Helper()
	if words = s.inStore(words); !says(words).MatchString(text) {
		s.Errorf("this does not say %q:\n%s", words, text)
	}
}

// wantSilent fails the test if the text contains the word.
func (s *stage) wantSilent(text, word string) {
	s.Helper()
	if strings.Contains(text, word) {
		s.Errorf("this says %q:\n%s", word, text)
	}
}
