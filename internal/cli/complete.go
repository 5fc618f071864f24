package cli

import (
	"fmt"
	"slices"
	"strings"
)

func shells() []string { return []string{"bash", "zsh", "fish", "powershell"} }

// completion prints a shell's completion script for commands and flags.
func (p Program) completion(args []string) int {
	if len(args) != 1 || !slices.Contains(shells(), args[0]) {
		return p.wrong(fmt.Sprintf("%s completion requires the name of a shell: %s.", p.Name, words(shells())))
	}
	script := map[string]func() string{"bash": p.bash, "zsh": p.zsh, "fish": p.fish, "powershell": p.powerShell}[args[0]]
	p.print(p.Out, script())
	return 0
}

// cases formats each command and its flags as a branch of a case statement.
func (p Program) cases(format string) string {
	var b strings.Builder
	for _, c := range p.Commands {
		fmt.Fprintf(&b, format, c.Name, strings.Join(c.flags(), " "))
	}
	fmt.Fprintf(&b, format, "completion", strings.Join(shells(), " "))
	fmt.Fprintf(&b, format, "help", strings.Join(p.names(), " "))
	return b.String()
}

// function returns a function name that is valid in every shell.
func (p Program) function() string { return "_" + strings.ReplaceAll(p.Name, "-", "_") }

func (p Program) bash() string {
	return fmt.Sprintf(`# bash completion of %[1]s: source <(%[1]s completion bash)
%[2]s() {
  local words=
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    words='%[3]s'
  else
    case ${COMP_WORDS[1]} in
%[4]s    esac
  fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}")
}
complete -o default -F %[2]s %[1]s
`, p.Name, p.function(), strings.Join(p.names(), " "), p.cases("      %s) words='%s' ;;\n"))
}

func (p Program) zsh() string {
	return fmt.Sprintf(`#compdef %[1]s
# zsh completion of %[1]s: source <(%[1]s completion zsh)
%[2]s() {
  local -a all
  if (( CURRENT == 2 )); then
    all=(%[3]s)
  else
    case ${words[2]} in
%[4]s    esac
  fi
  compadd -- $all
}
(( $+functions[compdef] )) && compdef %[2]s %[1]s
`, p.Name, p.function(), strings.Join(p.names(), " "), p.cases("      %s) all=(%s) ;;\n"))
}

func (p Program) fish() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# fish completion of %[1]s: %[1]s completion fish | source\ncomplete -c %[1]s -f -n __fish_use_subcommand -a '%[2]s'\n", p.Name, strings.Join(p.names(), " "))
	for _, c := range p.Commands {
		for _, flag := range c.flags() {
			fmt.Fprintf(&b, "complete -c %s -n '__fish_seen_subcommand_from %s' -l %s\n", p.Name, c.Name, strings.TrimPrefix(flag, "--"))
		}
	}
	fmt.Fprintf(&b, "complete -c %s -f -n '__fish_seen_subcommand_from completion' -a '%s'\n", p.Name, strings.Join(shells(), " "))
	return b.String()
}

func (p Program) powerShell() string {
	return fmt.Sprintf(`# PowerShell completion of %[1]s: %[1]s completion powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName '%[1]s' -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $flags = @{
%[3]s  }
  $elements = @($commandAst.CommandElements | ForEach-Object { "$_" })
  $words = if ($elements.Count -lt 2 -or ($elements.Count -eq 2 -and $wordToComplete)) { '%[2]s' } else { $flags[$elements[1]] }
  "$words" -split ' ' | Where-Object { $_ -like "$wordToComplete*" } | ForEach-Object {
    [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
  }
}
`, p.Name, strings.Join(p.names(), " "), p.cases("    '%s' = '%s'\n"))
}
