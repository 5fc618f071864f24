package runner

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/paistrike/terraform-provider-paistrike/internal/runner/runnertest"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
)

// files returns an environment with the runner's command files in a temporary directory.
func files(t testing.TB) func(string) string {
	t.Helper()
	dir := t.TempDir()
	env := map[string]string{}
	for _, name := range []string{"GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_STATE", "GITHUB_STEP_SUMMARY"} {
		env[name] = filepath.Join(dir, name)
		if err := os.WriteFile(env[name], nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return func(name string) string { return env[name] }
}

// The runner reads exactly the value that was set, or nothing.
func FuzzNoValueSetsAnother(f *testing.F) {
	f.Add("TOKEN", "plain")
	f.Add("TOKEN", "x\n_GitHubActionsFileCommandDelimeter_\nPATH=/evil")
	f.Add("TOKEN", "x\r\npaistrike_0000\r\nEVIL=1")
	f.Add("A<<B", "x")
	f.Add("A=B", "x")
	f.Add("A", "paistrike_FIXED")
	f.Add("", "\x00")
	getenv := files(f)
	f.Fuzz(func(t *testing.T, name, value string) {
		if err := os.Truncate(getenv("GITHUB_ENV"), 0); err != nil {
			t.Fatal(err)
		}
		g := New(&bytes.Buffer{}, getenv, func() string { return "0000" })
		refused := g.Export(name, value) != nil
		raw, err := os.ReadFile(getenv("GITHUB_ENV"))
		if err != nil {
			t.Fatal(err)
		}
		for system, read := range map[string]func(string) ([]runnertest.Pair, error){"": runnertest.FileCommands, " on Windows": runnertest.FileCommandsOnWindows} {
			want := runnertest.Pair{Name: name, Value: value}
			if system != "" { // on Linux, a carriage return before the last line break is part of the value
				want.Value = strings.TrimSuffix(value, "\r")
			}
			pairs, err := read(string(raw))
			switch {
			case value == "paistrike_0000": // only unpredictable delimiters prevent this
			case err != nil:
				t.Errorf("the runner%s cannot read %q: %v", system, raw, err)
			case refused && len(raw) > 0:
				t.Errorf("refused, and yet written: %q", raw)
			case !refused && (len(pairs) != 1 || pairs[0] != want):
				t.Errorf("%q=%q became %q%s", name, value, pairs, system)
			}
		}
	})
}

// No text from a server can become a command, in the log or in an annotation.
func FuzzNoTextIsACommand(f *testing.F) {
	f.Add("plain")
	f.Add("::set-env name=PATH::/evil")
	f.Add("x\r::add-mask::e")
	f.Add(" \t::stop-commands::x")
	f.Add("x ##[set-output name=a]b")
	f.Add("\u00a0::error::x")
	f.Add("##\r[a]::b::c")
	getenv := files(f)
	f.Fuzz(func(t *testing.T, text string) {
		var out bytes.Buffer
		g := New(&out, getenv, func() string { return "0000" })
		g.Say(text)
		for _, line := range runnertest.Lines(out.String()) {
			if c, ok := runnertest.CommandOf(line); ok {
				t.Errorf("%q is the command %+v", line, c)
			}
		}
		out.Reset()
		g.Warn("PSA403", text)
		if all := runnertest.Lines(out.String()); len(all) != 1 || !strings.HasPrefix(all[0], "::warning title=PAIStrike PSA403::") {
			t.Errorf("a warning became %q", all)
		}
	})
}

func TestDelimitersDiffer(t *testing.T) {
	t.Parallel()
	getenv, n := files(t), 0
	g := New(&bytes.Buffer{}, getenv, func() string { n++; return strings.Repeat("x", n) })
	for range 2 {
		if err := g.Output("a", "b"); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := os.ReadFile(getenv("GITHUB_OUTPUT"))
	if err != nil || string(raw) != "a<<paistrike_x\nb\npaistrike_x\na<<paistrike_xx\nb\npaistrike_xx\n" {
		t.Errorf("%q %v", raw, err)
	}
}

// A known secret never appears in the output, even in spellings that the runner would not
// mask.
func TestKnownSecretsAreCutOut(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	getenv := files(t)
	g := New(&out, getenv, func() string { return "0000" })
	if err := g.Mask(secret.New("first+line\nsecond\"line\n")); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); got != "::add-mask::first+line\n::add-mask::second\"line\n" {
		t.Errorf("masks: %q", got)
	}
	out.Reset()
	g.Say("a first+line b")
	g.Debug("a %s b", `{"x":"second\"line"}`)
	g.Warn("", "?q=first%2Bline")
	g.Failed(errors.New("first+line"))
	if err := g.Summarize("first+line"); err != nil {
		t.Fatal(err)
	}
	summary, _ := os.ReadFile(getenv("GITHUB_STEP_SUMMARY"))
	if got := out.String() + string(summary); strings.Contains(got, "line") || strings.Count(got, "[redacted]") != 5 {
		t.Error(got)
	}
}

// A command file that cannot be written causes an error with a code, not a panic.
func TestRunnerFilesThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, path := range map[string]string{"not set": "", "not there": filepath.Join(dir, "none"), "a folder": dir} {
		g := New(&bytes.Buffer{}, func(string) string { return path }, func() string { return "0000" })
		f, ok := errors.AsType[*Failure](g.SaveState("a", "b"))
		if !ok || f.Code != "PSA801" {
			t.Errorf("%s: %v", name, f)
		}
	}
}
