package doctor

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
)

// Exit codes of [Command.Run].
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// Command is the doctor's command line.
type Command struct {
	Getenv      func(string) string
	ReadFile    func(string) ([]byte, error)
	Out, Errors io.Writer
	UserAgent   string
}

const usage = `usage: paistrike-action doctor [flags]

Checks the configuration of PAIStrike's API. Lists the tokens, creates a token with a
lifetime of 15 minutes, calls the API with it, finds it in the list, reads it by its id,
revokes it, and checks that it is rejected. Prints the result of each check, the field
that contains each value, and the setting that fixes each failure. The table contains
no secret, and no token is left behind.

  --endpoint URL      PAISTRIKE_ENDPOINT    required
  --api-prefix PATH   PAISTRIKE_API_PREFIX  default /api/v1
  --api-routes JSON   PAISTRIKE_API_ROUTES  as the action's input api_routes; @FILE reads a file
  --auth JSON         PAISTRIKE_AUTH        as the action's input auth
                      PAISTRIKE_HEADERS     one "Name: value" per line
                      PAISTRIKE_API_TOKEN   management token; required, only as a variable
  --openapi FILE      propose settings from an OpenAPI 3 document in JSON, without any request

exit codes: 0 no check failed, 1 a check failed, 2 invalid flags or variables
`

// options contains the values of the flags.
type options struct{ endpoint, prefix, routes, auth, document string }

// flags defines the flags. The defaults of most come from environment variables.
func (o *options) flags(getenv func(string) string) *flag.FlagSet {
	set := flag.NewFlagSet("doctor", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.StringVar(&o.endpoint, "endpoint", getenv("PAISTRIKE_ENDPOINT"), "")
	set.StringVar(&o.prefix, "api-prefix", getenv("PAISTRIKE_API_PREFIX"), "")
	set.StringVar(&o.routes, "api-routes", getenv("PAISTRIKE_API_ROUTES"), "")
	set.StringVar(&o.auth, "auth", getenv("PAISTRIKE_AUTH"), "")
	set.StringVar(&o.document, "openapi", "", "")
	return set
}

// Flags returns the names of the doctor's flags in alphabetical order, for completion.
func Flags() []string {
	var names []string
	set := new(options).flags(func(string) string { return "" })
	set.VisitAll(func(f *flag.Flag) { names = append(names, "--"+f.Name) })
	return names
}

// Run executes the command and returns the exit code.
func (c Command) Run(ctx context.Context, args []string) int {
	var o options
	flags := o.flags(c.Getenv)
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(c.Out, usage)
		return exitOK
	case err != nil:
		return c.refuse(exitUsage, err)
	case flags.NArg() > 0:
		return c.refuse(exitUsage, fmt.Errorf("%q is not a flag", flags.Arg(0)))
	case o.document != "":
		return c.propose(o.document)
	}
	cfg, err := c.config(o)
	if err != nil {
		return c.refuse(exitUsage, err)
	}
	report := Judge(Examine(ctx, cfg))
	fmt.Fprint(c.Out, report)
	if !report.OK() {
		return exitFailed
	}
	return exitOK
}

func (c Command) refuse(code int, err error) int {
	fmt.Fprintln(c.Errors, "paistrike-action doctor:", err)
	return code
}

// propose prints the settings for an OpenAPI document.
func (c Command) propose(path string) int {
	text, err := c.ReadFile(path)
	if err != nil {
		return c.refuse(exitFailed, err)
	}
	proposal, err := Propose(text)
	if err != nil {
		return c.refuse(exitFailed, fmt.Errorf("%s: %w", path, err))
	}
	fmt.Fprintf(c.Out, "# For the provider block:\n%s\n# For the action:\n%s", proposal.HCL(), proposal.JSON())
	return exitOK
}

func (c Command) config(o options) (paistrike.Config, error) {
	cfg := paistrike.Config{
		Endpoint: o.endpoint, Prefix: o.prefix, UserAgent: c.UserAgent,
		Token: secret.New(strings.TrimSpace(c.Getenv("PAISTRIKE_API_TOKEN"))), Headers: map[string]string{},
	}
	if cfg.Token.IsZero() {
		return cfg, errors.New("PAISTRIKE_API_TOKEN is not set: set it to the management token")
	}
	if file, named := strings.CutPrefix(o.routes, "@"); named {
		text, err := c.ReadFile(file)
		if err != nil {
			return cfg, err
		}
		o.routes = string(text)
	}
	for line := range strings.Lines(c.Getenv("PAISTRIKE_HEADERS")) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), ":")
		if ok {
			cfg.Headers[strings.TrimSpace(name)] = strings.TrimSpace(value)
		}
	}
	var err error
	if cfg.Routes, err = paistrike.ParseRoutes(o.routes); err != nil {
		return cfg, err
	}
	if cfg.Auth, err = paistrike.ParseAuth(o.auth); err != nil {
		return cfg, err
	}
	return cfg, cfg.Validate()
}
