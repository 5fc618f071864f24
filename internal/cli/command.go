// Package cli is the command line: for a terminal, for cron, and for any CI. A command's flags
// are the inputs of internal/input, with - for _. It owns flags, the environment that they
// fall back to, help and completion; what a command does is internal/job's.
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

// exitUsage says that a command line is wrong.
const exitUsage = 2

// Program is a program with commands.
type Program struct {
	Name     string // as it was called: "paistrike-action"
	Version  string
	Commands []Command
	Getenv   func(string) string
	Out, Err io.Writer
}

// Command is one command.
type Command struct {
	Name   string // "exec"
	Line   string // how it is called, without the program: "exec [flags] -- COMMAND [ARGUMENT...]"
	Short  string // what it does, in a few words
	About  string // what it does
	Codes  []Code
	Inputs []input.Input
	What   string // what must follow the flags: "command"; "" for nothing
	JSON   bool   // takes --json
	Yes    string // what --yes does, for its help; "" if there is no --yes
	Run    func(call Call) int
	// Raw runs a command whose flags are its own; Flags names them, and --help prints its
	// help. It has nothing of what stands above but its name and Short.
	Raw   func(args []string) int
	Flags []string
}

// Code is an exit code and its meaning.
type Code struct{ Code, Meaning string }

// Call is what a command is called with.
type Call struct {
	Values input.Values
	Args   []string // what follows the flags
	JSON   bool
	Yes    bool // nobody is to be asked
}

// Main runs a command and returns its exit code. Help that was asked for goes to Out, and
// errors to Err.
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
		return p.wrong(fmt.Sprintf("there is no command %q%s. See %s help.", name, nearest(name, p.names()), p.Name))
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

// names are those of all commands.
func (p Program) names() []string {
	var names []string
	for _, c := range p.Commands {
		names = append(names, c.Name)
	}
	return append(names, "completion", "help", "version")
}

// wrong says that a command line is wrong.
func (p Program) wrong(problem string) int {
	p.print(p.Err, "Error: "+runner.Fail("PSA001", nil, "Nothing was done: %s", problem).Error()+"\n")
	return exitUsage
}

func (p Program) print(to io.Writer, text string) {
	_, _ = io.WriteString(to, text) // nobody is left to tell
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

// nearest suggests the name that was meant, "" if none is close.
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

// distance is the number of letters to add, drop or change between two words (Levenshtein).
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

// flags are the names of all flags of a command.
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

// words joins a list for people.
func words(all []string) string { return strings.Join(all, ", ") }
