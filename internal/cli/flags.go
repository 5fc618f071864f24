package cli

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/paistrike/terraform-provider-paistrike/internal/input"
)

// read parses flags and the environment. Secrets come only from the environment, because
// command lines are visible to all users of a machine. Inside GitHub, only secrets are read
// from it, because an earlier step may have set other variables.
func (p Program) read(c Command, args []string) (Call, error) {
	inGitHub := p.Getenv("GITHUB_ACTIONS") == "true"
	call := Call{Values: input.Values{}}
	set := flag.NewFlagSet(c.Name, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	for _, in := range c.inputs() {
		call.Values[in.Name] = in.Default
		if value := strings.TrimSpace(p.Getenv(in.Variable())); value != "" && (in.Secret || !inGitHub) {
			call.Values[in.Name] = value
		}
		take := func(value string) error { call.Values[in.Name] = strings.TrimSpace(value); return nil }
		switch {
		case in.Secret:
		case in.Bool && in.Default == "false":
			set.BoolFunc(in.Flag(), "", take)
		default:
			set.Func(in.Flag(), "", take)
		}
	}
	if c.JSON {
		set.BoolVar(&call.JSON, "json", false, "")
	}
	if c.Yes != "" {
		set.BoolVar(&call.Yes, "yes", false, "")
	}
	method := p.Getenv("PAISTRIKE_VAULT_AUTH_METHOD")
	if inGitHub {
		method = ""
	}
	call.Values["vault_auth_method"] = strings.TrimSpace(method)
	if err := c.check(args); err != nil {
		return call, err
	}
	if err := set.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return call, err
		}
		return call, errors.New(strings.ReplaceAll(err.Error(), " -", " --"))
	}
	p.fallBack(c, call.Values, inGitHub)
	call.Args = set.Args()
	switch {
	case c.What != "" && set.NArg() == 0:
		return call, fmt.Errorf("no %s is given", c.What)
	case c.What == "" && set.NArg() > 0:
		return call, fmt.Errorf("%q is not a flag", set.Arg(0))
	}
	return call, nil
}

// check returns an error for the first unknown flag, with the most similar flag.
func (c Command) check(args []string) error {
	known := c.flags()
	for i := 0; i < len(args); i++ {
		if args[i] == "--" || !strings.HasPrefix(args[i], "-") || args[i] == "-h" || args[i] == "-help" {
			return nil
		}
		name, _, valued := strings.Cut("--"+strings.TrimLeft(args[i], "-"), "=")
		at := slices.IndexFunc(c.inputs(), func(in input.Input) bool { return "--"+in.Flag() == name })
		switch {
		case at >= 0 && c.inputs()[at].Secret:
			return fmt.Errorf("%s is a secret and cannot be a flag, because every user of a machine can read command lines; set the variable %s", name, c.inputs()[at].Variable())
		case !slices.Contains(known, name):
			return fmt.Errorf("unknown flag %s%s", name, nearest(name, known))
		case at >= 0 && !valued && (!c.inputs()[at].Bool || c.inputs()[at].Default != "false"):
			i++ // skip its value
		}
	}
	return nil
}

// fallBack applies the variables of Vault and AWS outside GitHub, and chooses the login
// method.
func (p Program) fallBack(c Command, in input.Values, inGitHub bool) {
	if in["vault_auth_method"] == "" {
		in["vault_auth_method"] = "token"
		if inGitHub || in["store"] != "vault" || in["vault_jwt"] != "" || in["vault_jwt_file"] != "" {
			in["vault_auth_method"] = "jwt"
		}
	}
	for _, input := range c.inputs() {
		if inGitHub || input.Env == "" || in[input.Name] != "" || input.Name == "vault_token" && in["vault_auth_method"] != "token" {
			continue
		}
		in[input.Name] = strings.TrimSpace(p.Getenv(input.Env))
	}
}
