// Package cli is the command line: for a terminal, for cron, and for any CI. A command's flags
// are the inputs of internal/input, with - for _. It owns flags, the environment that they
// fall back to, and help; what a command does is internal/job's.
package cli

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/paistrike/terraform-provider-paistrike/internal/input"
	"github.com/paistrike/terraform-provider-paistrike/internal/job"
	"github.com/paistrike/terraform-provider-paistrike/internal/runner"
)

// Command is one command.
type Command struct {
	Name   string // "exec"
	Line   string // how it is called
	About  string // what it does
	Codes  string // what its exit codes mean
	Inputs []input.Input
	What   string // what must follow the flags; "" for nothing
	JSON   bool   // takes --json
	Run    func(call Call) int
}

// Call is what a command is called with.
type Call struct {
	Values input.Values
	Args   []string // what follows the flags
	JSON   bool
}

// Main runs a command and returns its exit code. Help goes to out.
func (c Command) Main(args []string, getenv func(string) string, out, errOut io.Writer) int {
	call, err := c.read(args, getenv)
	switch {
	case errors.Is(err, flag.ErrHelp):
		_, _ = io.WriteString(out, c.usage()) // nobody is left to tell
		return 0
	case err != nil:
		_, _ = fmt.Fprintln(errOut, "Error: "+err.Error())
		return job.ExitUsage
	}
	return c.Run(call)
}

// badUsage says that a command line is wrong.
func badUsage(command, problem string) error {
	return runner.Fail("PSA001", nil, "Nothing was done: %s. See paistrike-action %s --help.", problem, command)
}

// read reads flags and the environment. A secret comes from the environment alone,
// since everybody on a machine can read command lines. Inside GitHub nothing else
// does: an earlier step could have set it.
func (c Command) read(args []string, getenv func(string) string) (Call, error) {
	set := flag.NewFlagSet(c.Name, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	call := Call{Values: input.Values{}}
	in := call.Values
	inGitHub := getenv("GITHUB_ACTIONS") == "true"
	for _, input := range c.inputs() {
		in[input.Name] = input.Default
		if value := strings.TrimSpace(getenv(input.Variable())); value != "" && (input.Secret || !inGitHub) {
			in[input.Name] = value
		}
		take := func(value string) error { in[input.Name] = strings.TrimSpace(value); return nil }
		switch {
		case input.Secret:
		case input.Bool && input.Default == "false":
			set.BoolFunc(input.Flag(), "", take)
		default:
			set.Func(input.Flag(), "", take)
		}
	}
	if c.JSON {
		set.BoolVar(&call.JSON, "json", false, "")
	}
	in["vault_auth_method"] = strings.TrimSpace(getenv("PAISTRIKE_VAULT_AUTH_METHOD"))
	if inGitHub {
		in["vault_auth_method"] = "jwt"
	} else if in["vault_auth_method"] == "" {
		in["vault_auth_method"] = "token"
	}
	if err := set.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return call, err
		}
		return call, badUsage(c.Name, err.Error())
	}
	if !inGitHub {
		c.fallBack(in, getenv)
	}
	call.Args = set.Args()
	switch {
	case c.What != "" && set.NArg() == 0:
		return call, badUsage(c.Name, "no "+strings.TrimPrefix(c.What, "a ")+" is named")
	case c.What == "" && set.NArg() > 0:
		return call, badUsage(c.Name, fmt.Sprintf("%q is not a flag", set.Arg(0)))
	}
	return call, nil
}

// inputs are those that a command line has.
func (c Command) inputs() []input.Input {
	var all []input.Input
	for _, in := range c.Inputs {
		if !in.Launcher && !in.GitHub {
			all = append(all, in)
		}
	}
	return all
}

// fallBack takes what Vault's own programs take, on a machine of one's own.
func (c Command) fallBack(in input.Values, getenv func(string) string) {
	for _, input := range c.inputs() {
		if input.Env != "" && in[input.Name] == "" && (input.Name != "vault_token" || in["vault_auth_method"] == "token") {
			in[input.Name] = strings.TrimSpace(getenv(input.Env))
		}
	}
}

// usage lists the flags.
func (c Command) usage() string {
	var b strings.Builder
	b.WriteString("usage: paistrike-action " + c.Line + "\n\n" + c.About + "\n\nflags (the inputs of the action, with - for _):\n")
	if c.JSON {
		b.WriteString("  --json (a report on stdout, and no table)\n")
	}
	for _, in := range c.inputs() {
		if in.Secret {
			continue
		}
		b.WriteString("  --" + in.Flag())
		if in.Name == "vault_auth_method" {
			b.WriteString(" (token; jwt inside GitHub)")
		} else if in.Default != "" {
			b.WriteString(" (" + in.Default + ")")
		}
		b.WriteString("\n")
	}
	b.WriteString("\nsecrets come from the environment alone:\n")
	for _, in := range c.inputs() {
		if in.Secret {
			b.WriteString("  " + in.Variable() + "\n")
		}
	}
	b.WriteString("\nexit codes: " + c.Codes + "\n")
	return b.String()
}
