package cli

import (
	"fmt"
	"strings"

	"github.com/paistrike/terraform-provider-paistrike/internal/input"
)

// helpWidth is the width of help texts, in columns.
const helpWidth = 80

// help prints the help of the program or of a command.
func (p Program) help(args []string) int {
	if len(args) == 0 {
		p.print(p.Out, p.usage())
		return 0
	}
	command, ok := p.command(args[0])
	if !ok {
		return p.wrong(fmt.Sprintf("no help for %q%s. See %s help.", args[0], nearest(args[0], p.names()), p.Name))
	}
	return p.run(command, []string{"--help"})
}

// usage returns the list of commands.
func (p Program) usage() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Manages PAIStrike API tokens in jobs, schedules and terminals.\n\nUsage: %s COMMAND [flags]\n\nCommands:\n", p.Name)
	for _, c := range p.Commands {
		entry(&b, c.Name, c.Short, 14)
	}
	entry(&b, "completion", "Print a completion script: "+words(shells())+".", 14)
	entry(&b, "help", "Print this text, or the help of a command.", 14)
	entry(&b, "version", "Print the version.", 14)
	fmt.Fprintf(&b, "\n%s COMMAND --help lists the flags of a command.\n", p.Name)
	return b.String()
}

// commandHelp returns the help of a command, generated from the table of inputs.
func (p Program) commandHelp(c Command) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Usage: %s %s\n\n%s\n\nFlags:\n", p.Name, c.Line, strings.Join(wrap(c.About, helpWidth), "\n"))
	for _, in := range c.inputs() {
		if in.Secret {
			continue
		}
		b.WriteString("  --" + in.Flag())
		if !in.Bool || in.Default != "false" {
			b.WriteString(" " + valueOf(in))
		}
		b.WriteString("\n")
		paragraph(&b, c.describe(in))
	}
	if c.JSON {
		b.WriteString("  --json\n")
		paragraph(&b, "Print the report to stdout as JSON instead of a table.")
	}
	if c.Yes != "" {
		b.WriteString("  --yes\n")
		paragraph(&b, c.Yes)
	}
	b.WriteString("\nEach flag has an environment variable: PAISTRIKE_VAULT_PATH sets --vault-path.\nIn GitHub Actions, these variables are not read, because an earlier step could\nset them.\n\nSecrets are read only from environment variables:\n")
	for _, in := range c.inputs() {
		if in.Secret {
			b.WriteString("  " + in.Variable() + "\n")
			paragraph(&b, c.describe(in))
		}
	}
	b.WriteString("\nExit codes:\n")
	for _, code := range c.Codes {
		entry(&b, code.Code, code.Meaning, 7)
	}
	return b.String()
}

func valueOf(in input.Input) string {
	switch {
	case len(in.Values) > 0 && in.Value == "":
		return strings.Join(in.Values, "|")
	case in.Bool:
		return "true|false"
	case in.Value == "":
		return "VALUE"
	}
	return in.Value
}

// describe returns the help of an input, with its default and its variables.
func (c Command) describe(in input.Input) string {
	text := in.Help
	if in.Terminal != "" {
		text = in.Terminal
	}
	for _, other := range c.inputs() {
		name := "`" + other.Name + "`"
		switch {
		case other.Name == in.Name:
		case other.Secret:
			text = strings.ReplaceAll(text, name, other.Variable())
		default:
			text = strings.ReplaceAll(text, name, "--"+other.Flag())
		}
	}
	text = strings.ReplaceAll(text, "`", "")
	if act, ok := strings.CutPrefix(text, "true "); ok { // the flag needs no value
		text = strings.ToUpper(act[:1]) + act[1:]
	}
	switch {
	case in.Always():
		text += " Required."
	case in.Required:
		text += " Required with --store " + in.Store + "."
	case in.Default != "" && in.Name != "vault_auth_method" && !(in.Bool && in.Default == "false"):
		text += " Default: " + in.Default + "."
	}
	if in.Env != "" {
		text += " Also read from " + in.Env + "."
	}
	return text
}

// entry writes a term and its description in two columns.
func entry(b *strings.Builder, word, text string, column int) {
	for i, line := range wrap(text, helpWidth-column) {
		if i > 0 {
			word = ""
		}
		fmt.Fprintf(b, "  %-*s%s\n", column-2, word, line)
	}
}

func paragraph(b *strings.Builder, text string) {
	for _, line := range wrap(text, helpWidth-6) {
		b.WriteString("      " + line + "\n")
	}
}

// wrap breaks text into lines of at most width characters.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len([]rune(line))+1+len([]rune(word)) > width {
			lines, line = append(lines, line), ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}
