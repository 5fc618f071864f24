// Command paistrike-action is the program of the GitHub Action in this folder. It provides a
// job with a PAIStrike API token, passes it to the following steps, and revokes it when the
// job ends. The launcher (main.js, post.js) starts it as `paistrike-action main` and
// `paistrike-action post`. The sub-actions rotate due tokens and audit the account
// (`paistrike-action main rotate`, `main audit`). Outside GitHub, the commands `exec`,
// `rotate` and `audit` do the same; `abandon` exists only as a command.
//
// internal/job implements the commands, internal/cli the command line.
package main

import (
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
	_ "time/tzdata" // time zones for schedules on machines without a zone database

	"github.com/paistrike/terraform-provider-paistrike/internal/cli"
	"github.com/paistrike/terraform-provider-paistrike/internal/doctor"
	"github.com/paistrike/terraform-provider-paistrike/internal/input"
	"github.com/paistrike/terraform-provider-paistrike/internal/job"
)

// version is set in release builds.
var version = "dev"

func main() {
	stop := make(chan os.Signal, 2)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	host, _ := os.Hostname() // without a hostname, names of tokens contain a dash
	m := job.Machine{
		Host: host, Width: cli.Width(os.Stdout, os.Getenv), Program: programName(os.Args[0]),
		Getenv: os.Getenv, Environ: os.Environ(), Out: os.Stdout, Err: os.Stderr,
		Now: time.Now, Stop: stop, Version: version, //nolint:forbidigo // the one real clock
	}
	os.Exit(run(m, os.Args[1:]))
}

// run executes the command in args and returns the exit code.
func run(m job.Machine, args []string) int {
	switch strings.Join(args, " ") {
	case "main":
		return m.Main()
	case "post":
		return m.Post()
	case "main rotate":
		return m.Step(job.Rotate())
	case "main audit":
		return m.Step(job.Audit())
	}
	return program(m).Main(args)
}

// program defines the command line for terminals, cron and any CI.
func program(m job.Machine) cli.Program {
	return cli.Program{
		Name: m.Program, Version: m.Version, Getenv: m.Getenv, Out: m.Out, Err: m.Err,
		Commands: []cli.Command{
			{
				Name: "exec", Line: "exec [flags] -- COMMAND [ARGUMENT...]", Inputs: input.Exec(), What: "command",
				Short: "Run a command with a temporary token.",
				About: "Creates a PAIStrike token, runs a command with the token in PAISTRIKE_API_TOKEN, and revokes the token when the command ends.",
				Codes: []cli.Code{
					{Code: "N", Meaning: "exit code of the command"},
					{Code: "128+N", Meaning: "signal N terminated the command"},
					{Code: "1", Meaning: "no token could be obtained"},
					{Code: "2", Meaning: "invalid flags or variables"},
					{Code: "127", Meaning: "command not found"},
				},
				Run: func(c cli.Call) int { return m.Exec(c.Values, c.Args) },
			},
			rotateCommand(m, "Rotate the tokens in a folder that are due.",
				"Replaces the tokens in a folder of the secret store that are due by the schedule stored with them, and revokes replaced tokens whose overlap has ended."),
			folderCommand(m, job.Audit(), "List tokens that need attention.",
				"Compares all tokens of the account with the entries in a folder of the secret store, and lists the tokens and entries that need attention."),
			abandonCommand(m),
			{
				Name: "doctor", Short: "Check the configuration of PAIStrike's API.",
				Raw: func(args []string) int { return examine(m, args) }, Flags: doctor.Flags(),
			},
		},
	}
}

// rotateCommand asks for confirmation before it revokes the tokens of a whole folder.
func rotateCommand(m job.Machine, short, about string) cli.Command {
	c := folderCommand(m, job.Rotate(), short, about)
	c.Yes = "Do not ask for confirmation before immediately revoking the replaced tokens of a whole folder."
	return c
}

// abandonCommand asks for confirmation before it closes entries. It has no action, because a
// schedule must not close a folder permanently.
func abandonCommand(m job.Machine) cli.Command {
	c := folderCommand(m, job.Abandon(), "Close the entries of a PAIStrike that no longer exists.",
		"Closes the entries in a folder of the secret store whose PAIStrike no longer exists, without calling it, and lists the tokens that were not revoked. "+
			"A closed entry serves no token; its older versions do not change. Entries of another PAIStrike, and entries that paistrike did not write, do not change.")
	c.Yes = "Do not ask for confirmation before closing entries."
	c.Codes = c.Codes[:3] // there is no --fail-on
	return c
}

func folderCommand(m job.Machine, it job.FolderRun, short, about string) cli.Command {
	return cli.Command{
		Name: it.Name, Line: it.Name + " [flags]", Short: short, About: about, Inputs: it.Inputs, JSON: true,
		Codes: []cli.Code{
			{Code: "0", Meaning: "success"},
			{Code: "1", Meaning: "something failed"},
			{Code: "2", Meaning: "invalid flags or variables"},
			{Code: "3", Meaning: "a condition of --fail-on was met"},
		},
		Run: func(c cli.Call) int {
			m := m
			m.Confirm = cli.Confirm(c.Yes, os.Stdin, m.Err)
			return m.Command(it, c.Values, c.JSON)
		},
	}
}

// programName returns the name under which the program is installed, for help and messages.
// It is also distributed as paistrike.
func programName(path string) string {
	if name := strings.TrimSuffix(filepath.Base(path), ".exe"); name == "paistrike" {
		return name
	}
	return "paistrike-action"
}
