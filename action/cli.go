package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
)

// commandLine is a command for a terminal, for cron, or for another CI than GitHub's.
// Its flags are inputs of the action, with - for _.
type commandLine struct {
	name   string // "exec"
	line   string // how it is called
	about  string // what it does
	codes  string // what its exit codes mean
	inputs []input
	what   string // what must follow the flags; "" for nothing
	json   *bool  // set by --json, where there is one
}

// variable is the environment variable of an input: PAISTRIKE_VAULT_PATH is vault_path
// is --vault-path.
func variable(input string) string { return "PAISTRIKE_" + strings.ToUpper(input) }

func flagOf(input string) string { return strings.ReplaceAll(input, "_", "-") }

// read reads flags and the environment. A secret comes from the environment alone,
// since everybody on a machine can read command lines. Inside GitHub nothing else
// does: an earlier step could have set it.
func (c commandLine) read(args []string, getenv func(string) string) (in values, rest []string, err error) {
	set := flag.NewFlagSet(c.name, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	in = values{}
	inGitHub := getenv("GITHUB_ACTIONS") == "true"
	for _, input := range c.inputs {
		in[input.name] = input.fallback
		if input.noFlag || input.launcher {
			continue
		}
		if value := strings.TrimSpace(getenv(variable(input.name))); value != "" && (input.secret || !inGitHub) {
			in[input.name] = value
		}
		take := func(value string) error { in[input.name] = strings.TrimSpace(value); return nil }
		switch {
		case input.secret:
		case input.yes && input.fallback == "false":
			set.BoolFunc(flagOf(input.name), "", take)
		default:
			set.Func(flagOf(input.name), "", take)
		}
	}
	if c.json != nil {
		set.BoolVar(c.json, "json", false, "")
	}
	in["vault_auth_method"] = strings.TrimSpace(getenv(variable("vault_auth_method")))
	if inGitHub {
		in["vault_auth_method"] = "jwt"
	} else if in["vault_auth_method"] == "" {
		in["vault_auth_method"] = "token"
	}
	if err := set.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return in, nil, err
		}
		return in, nil, badUsage(c.name, err.Error())
	}
	if !inGitHub {
		vaultFallbacks(in, getenv)
	}
	switch {
	case c.what != "" && set.NArg() == 0:
		return in, nil, badUsage(c.name, "no "+strings.TrimPrefix(c.what, "a ")+" is named")
	case c.what == "" && set.NArg() > 0:
		return in, nil, badUsage(c.name, fmt.Sprintf("%q is no flag", set.Arg(0)))
	}
	return in, set.Args(), nil
}

// vaultFallbacks takes what Vault's own programs take, on a machine of one's own.
func vaultFallbacks(in values, getenv func(string) string) {
	for name, variable := range map[string]string{
		"vault_address": "VAULT_ADDR", "vault_namespace": "VAULT_NAMESPACE", "vault_ca_cert": "VAULT_CACERT", "vault_token": "VAULT_TOKEN",
	} {
		if in[name] == "" && (name != "vault_token" || in["vault_auth_method"] == "token") {
			in[name] = strings.TrimSpace(getenv(variable))
		}
	}
}

// usage lists the flags.
func (c commandLine) usage() string {
	var b strings.Builder
	b.WriteString("usage: paistrike-action " + c.line + "\n\n" + c.about + "\n\nflags (the inputs of the action, with - for _):\n")
	if c.json != nil {
		b.WriteString("  --json (a report on stdout, and no table)\n")
	}
	for _, in := range c.inputs {
		if in.secret || in.launcher || in.noFlag {
			continue
		}
		b.WriteString("  --" + flagOf(in.name))
		if in.name == "vault_auth_method" {
			b.WriteString(" (token; jwt inside GitHub)")
		} else if in.fallback != "" {
			b.WriteString(" (" + in.fallback + ")")
		}
		b.WriteString("\n")
	}
	b.WriteString("\nsecrets come from the environment alone:\n")
	for _, in := range c.inputs {
		if in.secret {
			b.WriteString("  " + variable(in.name) + "\n")
		}
	}
	b.WriteString("\nexit codes: " + c.codes + "\n")
	return b.String()
}

// childEnv is the environment of a command: ours, without what is read here alone.
func childEnv(environ []string, envName string) []string {
	return slices.DeleteFunc(slices.Clone(environ), func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		own := slices.ContainsFunc(allInputs(), func(in input) bool { return in.secret && variable(in.name) == name })
		return own || name == envName || strings.HasPrefix(name, "INPUT_")
	})
}
