// Package cli implements the command line for terminals, cron and any CI. A command's flags
// are the inputs of internal/input, with - instead of _. It owns flags, their environment
// variables, help and completion; internal/job implements the commands.
package cli

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/paistrike/terraform-provider-paistrike/internal/input"
	"github.com/paistrike/terraform-provider-paistrike/internal/runner"
)

// exitUsage is the exit code of an invalid command line.
const exitUsage = 2

// Program is a program with subcommands.
type Program struct {
	Name     string // name of the program: "paistrike-action"
	Version  string
	Commands []Command
	Getenv   func(string) string
	Out, Err io.Writer
}

// Command is one subcommand.
type Command struct {
	Name   string // "exec"
	Line   string // usage line without the program: "exec [flags] -- COMMAND [ARGUMENT...]"
	Short  string // summary for the list of commands
	About  string // description
	Codes  []Code
	Inputs []input.Input
	What   string // required argument after the flags: "command"; "" for none
	JSON   bool   // takes --json
	Yes    string // help of --yes; "" if there is no such flag
	Run    func(call Call) int
	// Raw runs a command that parses its own flags; Flags lists them, and --help prints its
	// help. Such a command sets only Name and Short of the fields above.
	Raw   func(args []string) int
	Flags []string
}

// Code is an exit code and its meaning.
type Code struct{ Code, Meaning string }

// Call is a parsed command line.
type Call struct {
	Values input.Values
	Args   []string // arguments after the flags
	JSON   bool
	Yes    bool // do not ask for confirmation
}

// Main runs a command and returns its exit code. Requested help goes to Out, errors go to
// Err.
func (p Program) Main(args []string) int {
	name, rest := "help", []string(nil)
	if len(args) > 0 {
		name, rest = args[0], args[1:]
	}
	switch name {
	case "help", "--help", "-h":
		if len(args) == 0 {
			p.print(p.Err, p.usage())
			return exitUsage
		}
		return p.help(rest)
	case "version", "--version":
		p.print(p.Out, p.Name+" "+p.Version+"\n")
		return 0
	case "completion":
		return p.completion(rest)
	}
	command, ok := p.command(name)
	if !ok {
		return p.wrong(fmt.Sprintf("unknown command %q%s. See %s help.", name, nearest(name, p.names()), p.Name))
	}
	return p.run(command, rest)
}

func (p Program) run(c Command, args []string) int {
	if c.Raw != nil {
		return c.Raw(args)
	}
	call, err := p.read(c, args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		p.print(p.Out, p.commandHelp(c))
		return 0
	case err != nil:
		return p.wrong(fmt.Sprintf("%v. See %s %s --help.", err, p.Name, c.Name))
	}
	return c.Run(call)
}

func (p Program) command(name string) (Command, bool) {
	for _, c := range p.Commands {
		if c.Name == name {
			return c, true
		}
	}
	return Command{}, false
}

// names returns the names of all commands.
func (p Program) names() []string {
	var names []string
	for _, c := range p.Commands {
		names = append(names, c.Name)
	}
	return append(names, "completion", "help", "version")
}

// wrong reports an invalid command line.
func (p Program) wrong(problem string) int {
	p.print(p.Err, "Error: "+runner.Fail("PSA001", nil, "Nothing was done: %s", problem).Error()+"\n")
	return exitUsage
}

func (p Program) print(to io.Writer, text string) {
	_, _ = io.WriteString(to, text) // a write error cannot be reported
}

// inputs returns the inputs that are available on a command line.
func (c Command) inputs() []input.Input {
	var all []input.Input
	for _, in := range c.Inputs {
		if !in.Launcher && !in.GitHub {
			all = append(all, in)
		}
	}
	return all
}

// nearest returns the most similar name, or "" if none is similar.
func nearest(name string, names []string) string {
	best, least := "", len(name)/3+2
	for _, candidate := range names {
		if d := distance(name, candidate); d < least {
			best, least = candidate, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %s?)", best)
}

// distance returns the Levenshtein distance of two words.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		corner := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := corner
			if a[i] != b[j] {
				cost++
			}
			corner = row[j+1]
			row[j+1] = min(cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}

// flags returns the names of all flags of a command.
func (c Command) flags() []string {
	names := slices.Clone(c.Flags)
	for _, in := range c.inputs() {
		if !in.Secret {
			names = append(names, "--"+in.Flag())
		}
	}
	if c.JSON {
		names = append(names, "--json")
	}
	if c.Yes != "" {
		names = append(names, "--yes")
	}
	return append(names, "--help")
}

// words joins a list for messages.
func words(all []string) string { return strings.Join(all, ", ") }
