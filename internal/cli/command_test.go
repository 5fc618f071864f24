package cli

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/paistrike/terraform-provider-paistrike/internal/input"
)

func execCommand() Command {
	return Command{Name: "exec", Line: "exec [flags] -- COMMAND", Inputs: input.Exec(), What: "command"}
}

func rotateCommand() Command {
	return Command{Name: "rotate", Line: "rotate [flags]", Short: "Rotate.", Inputs: input.Rotate(), JSON: true, Yes: "Do not ask.", Codes: []Code{{"3", "found"}}}
}

func auditCommand() Command {
	return Command{Name: "audit", Line: "audit [flags]", Inputs: input.Audit(), JSON: true}
}

// on returns a program with the given environment.
func on(env map[string]string) (p Program, out, said *bytes.Buffer) {
	out, said = &bytes.Buffer{}, &bytes.Buffer{}
	return Program{
		Name: "paistrike-action", Version: "1.2.3", Commands: []Command{execCommand(), rotateCommand(), auditCommand()},
		Getenv: func(name string) string { return env[name] }, Out: out, Err: said,
	}, out, said
}

func TestFlagsAreInputs(t *testing.T) {
	t.Parallel()
	for _, command := range []Command{execCommand(), rotateCommand(), auditCommand()} {
		var rest []string
		if command.What != "" {
			rest = []string{"--", "true"}
		}
		for _, in := range command.inputs() {
			p, _, _ := on(nil)
			value := "some-value"
			args := append([]string{"--" + strings.ReplaceAll(in.Name, "_", "-"), value}, rest...)
			if in.Bool && in.Default == "false" {
				value, args = "true", append([]string{"--" + in.Flag()}, rest...)
			}
			got, err := p.read(command, args)
			if in.Secret {
				if err == nil || !strings.Contains(err.Error(), in.Variable()) {
					t.Errorf("%s is a secret and a flag: %v", in.Name, err)
				}
				p, _, _ = on(map[string]string{in.Variable(): value})
				got, err = p.read(command, rest)
			}
			if err != nil || got.Values[in.Name] != value {
				t.Errorf("%s %s: %q, %v", command.Name, in.Name, got.Values[in.Name], err)
			}
		}
	}
}

// Help shows each input's name, description, default and variables from the table, within 80
// columns.
func TestHelpIsTheTable(t *testing.T) {
	t.Parallel()
	p, out, _ := on(nil)
	for _, command := range p.Commands {
		out.Reset()
		if code := p.Main([]string{command.Name, "--help"}); code != 0 {
			t.Fatalf("%s: %d", command.Name, code)
		}
		help := out.String()
		flat := strings.Join(strings.Fields(help), " ")
		for _, in := range command.Inputs {
			name := "--" + in.Flag()
			if in.Secret {
				name = in.Variable()
			}
			shown := strings.Contains(flat, " "+name+" ")
			if hidden := in.Launcher || in.GitHub; hidden == shown {
				t.Errorf("%s: %s shown: %v", command.Name, name, shown)
			} else if shown && !strings.Contains(flat, command.describe(in)) {
				t.Errorf("%s: %s has no description", command.Name, name)
			}
			if in.Env != "" && !strings.Contains(flat, "Also read from "+in.Env+".") {
				t.Errorf("%s: %s hides %s", command.Name, name, in.Env)
			}
		}
		for line := range strings.Lines(help) {
			if len([]rune(line)) > helpWidth+1 {
				t.Errorf("%s: a line of %d columns: %s", command.Name, len(line), line)
			}
		}
		for _, in := range command.inputs() {
			for _, word := range []string{"GitHub's", "step", "job's", "workflow"} {
				if text := command.describe(in); strings.Contains(text, word) {
					t.Errorf("%s %s: help speaks of %q: %s", command.Name, in.Name, word, text)
				}
			}
		}
	}
}

func TestDescriptions(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"dry_run":       "Reports what a run would do without changing anything.",
		"broker_mount":  "Mount path of the KV v2 secrets engine that contains the management token. Defaults to --vault-mount.",
		"concurrency":   "Number of entries to process at the same time, 1 to 32. Default: 4.",
		"vault_address": "Address of Vault, without /v1 or /ui. Required with --store vault. Also read from VAULT_ADDR.",
		"fail_on":       "error or overdue: with overdue, the command ends with exit code 3 if tokens are still overdue after the run. Default: error.",
	} {
		c := rotateCommand()
		at := slices.IndexFunc(c.Inputs, func(in input.Input) bool { return in.Name == name })
		if got := c.describe(c.Inputs[at]); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestCommandLines(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		args string
		code int
		want string // whole stdout if the code is 0, otherwise whole stderr
	}{
		{"version", 0, "paistrike-action 1.2.3\n"},
		{"rotat", 2, "Error: PSA001: Nothing was done: unknown command \"rotat\" (did you mean rotate?). See paistrike-action help.\n"},
		{"zzzzzz", 2, "Error: PSA001: Nothing was done: unknown command \"zzzzzz\". See paistrike-action help.\n"},
		{"rotate --vault-prefx ci", 2, "Error: PSA001: Nothing was done: unknown flag --vault-prefx (did you mean --vault-prefix?). See paistrike-action rotate --help.\n"},
		{"rotate --endpoint -x --dry-runn", 2, "Error: PSA001: Nothing was done: unknown flag --dry-runn (did you mean --dry-run?). See paistrike-action rotate --help.\n"},
		{"rotate --vault-token x", 2, "Error: PSA001: Nothing was done: --vault-token is a secret and cannot be a flag, because every user of a machine can read command lines; set the variable PAISTRIKE_VAULT_TOKEN. See paistrike-action rotate --help.\n"},
		{"rotate true", 2, "Error: PSA001: Nothing was done: \"true\" is not a flag. See paistrike-action rotate --help.\n"},
		{"exec", 2, "Error: PSA001: Nothing was done: no command is given. See paistrike-action exec --help.\n"},
		{"rotate --endpoint", 2, "Error: PSA001: Nothing was done: flag needs an argument: --endpoint. See paistrike-action rotate --help.\n"},
		{"help rotatee", 2, "Error: PSA001: Nothing was done: no help for \"rotatee\" (did you mean rotate?). See paistrike-action help.\n"},
		{"completion tcsh", 2, "Error: PSA001: Nothing was done: paistrike-action completion requires the name of a shell: bash, zsh, fish, powershell.\n"},
	} {
		p, out, said := on(nil)
		code := p.Main(strings.Fields(test.args))
		got, other := said, out
		if test.code == 0 {
			got, other = out, said
		}
		if code != test.code || got.String() != test.want || other.Len() > 0 {
			t.Errorf("%s: %d\n%s%s", test.args, code, got, other)
		}
	}
	p, out, said := on(nil)
	if code := p.Main(nil); code != 2 || out.Len() > 0 || !strings.Contains(said.String(), "  rotate      Rotate.") {
		t.Errorf("%d %s", code, said)
	}
}

// Inside GitHub, only secrets are read from the environment, because an earlier step may have
// set other variables.
func TestInsideGitHubNoAddressIsReadFromTheEnvironment(t *testing.T) {
	t.Parallel()
	p, _, _ := on(map[string]string{
		"GITHUB_ACTIONS": "true", "VAULT_ADDR": "https://evil.example.com", "VAULT_TOKEN": "planted", "PAISTRIKE_ENDPOINT": "https://evil.example.com",
		"PAISTRIKE_VAULT_AUTH_METHOD": "token",
	})
	got, err := p.read(execCommand(), []string{"true"})
	if err != nil || got.Values["endpoint"]+got.Values["vault_address"]+got.Values["vault_token"] != "" || got.Values["vault_auth_method"] != "jwt" {
		t.Errorf("%v, %v", got, err)
	}
}

// The credentials in the environment determine the default login method.
func TestLoginsByDefault(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ variable, value, want string }{
		{"VAULT_TOKEN", "hvs.x", "token"},
		{"PAISTRIKE_VAULT_JWT", "a.b.c", "jwt"},
		{"PAISTRIKE_VAULT_JWT_FILE", "/run/jwt", "jwt"},
		{"PAISTRIKE_VAULT_AUTH_METHOD", "agent", "agent"},
	} {
		p, _, _ := on(map[string]string{test.variable: test.value})
		if got, err := p.read(execCommand(), []string{"true"}); err != nil || got.Values["vault_auth_method"] != test.want {
			t.Errorf("%s: %v, %v", test.variable, got.Values["vault_auth_method"], err)
		}
	}
}

// Each completion script loads in its shell, and bash completes with it.
func TestCompletion(t *testing.T) {
	t.Parallel()
	for _, shell := range shells() {
		p, out, _ := on(nil)
		if code := p.Main([]string{"completion", shell}); code != 0 || !strings.Contains(out.String(), "only-due") {
			t.Fatalf("%s: %d\n%s", shell, code, out)
		}
		script := out.String()
		if shell == "bash" {
			script += "COMP_WORDS=(paistrike-action rotate --vault-p); COMP_CWORD=2; _paistrike_action; echo \"${COMPREPLY[*]}\"\n"
		}
		path, err := exec.LookPath(shell)
		if err != nil {
			t.Logf("NOT TESTED: %v", err)
			continue
		}
		cmd := exec.CommandContext(t.Context(), path)
		cmd.Stdin = strings.NewReader(script)
		said, err := cmd.CombinedOutput()
		if want := map[string]string{"bash": "--vault-path --vault-prefix\n"}[shell]; err != nil || string(said) != want {
			t.Errorf("%s: %v\n%s", shell, err, said)
		}
	}
}

// Only a user at a terminal or --yes can confirm.
func TestConfirm(t *testing.T) {
	t.Parallel()
	file, err := os.Create(filepath.Join(t.TempDir(), "stdin"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	nothing, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = nothing.Close() })
	var out bytes.Buffer
	if Confirm(false, nothing, &out)("Sure?") || Confirm(false, file, &out)("Sure?") || out.Len() > 0 || !Confirm(true, file, &out)("Sure?") {
		t.Errorf("without a terminal: %s", &out)
	}
	for answer, want := range map[string]bool{"yes\n": true, " yes\r\n": true, "y\n": false, "\n": false, "": false, "yes please\n": false} {
		out.Reset()
		if got := asked("Sure?", strings.NewReader(answer), &out); got != want || out.String() != "Sure?\nEnter \"yes\" to continue: " {
			t.Errorf("%q: %v\n%s", answer, got, &out)
		}
	}
	p, _, _ := on(nil)
	if call, err := p.read(rotateCommand(), []string{"--yes"}); err != nil || !call.Yes {
		t.Errorf("%+v, %v", call, err)
	}
	if _, err := p.read(auditCommand(), []string{"--yes"}); err == nil {
		t.Error("audit takes --yes")
	}
}
