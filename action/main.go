// Command paistrike-action is the program of the GitHub Action in this folder: it
// gets a PAIStrike API token for a job, hands it to the steps that follow, and
// revokes it when the job ends. The launcher beside it (main.js, post.js) starts it
// as `paistrike-action main` and `paistrike-action post`. Its sub-actions rotate what is
// due and audit the account (`paistrike-action main rotate`, `main audit`). Without
// GitHub, `exec`, `rotate` and `audit` do the same from a command line.
//
// What it does is in internal/job; the command line is internal/cli.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/cli"
	"github.com/paistrike/terraform-provider-paistrike/internal/input"
	"github.com/paistrike/terraform-provider-paistrike/internal/job"
)

// version is set when a release is built.
var version = "dev"

func main() {
	stop := make(chan os.Signal, 2)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	host, _ := os.Hostname() // without one, names of tokens have a dash there
	m := job.Machine{
		Host:   host,
		Getenv: os.Getenv, Environ: os.Environ(), Out: os.Stdout, Err: os.Stderr,
		Now: time.Now, Stop: stop, Version: version, //nolint:forbidigo // the one real clock
	}
	os.Exit(run(m, os.Args[1:]))
}

// run does what the arguments say and returns the exit code.
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
	case "version":
		_, _ = fmt.Fprintln(m.Out, m.Version) // nobody is left to tell
		return 0
	}
	for _, command := range commands(m) {
		if len(args) > 0 && args[0] == command.Name {
			return command.Main(args[1:], m.Getenv, m.Out, m.Err)
		}
	}
	_, _ = fmt.Fprintln(m.Err, "usage: paistrike-action exec [flags] -- command… | rotate [flags] | audit [flags] | version")
	return job.ExitUsage
}

const folderCodes = "0 all is well; 1 something failed; 2 wrong flags; 3 what fail_on names was found"

// commands are for a terminal, for cron, and for any CI.
func commands(m job.Machine) []cli.Command {
	return []cli.Command{
		{
			Name: "exec", Line: "exec [flags] -- command args…", Inputs: input.Exec(), What: "a command",
			About: "Runs a command with a PAIStrike token of its own in PAISTRIKE_API_TOKEN, and revokes the token when the command has ended.",
			Codes: "the command's own; 128 and the number of the signal that ended it; 1 no token; 2 wrong flags; 127 no such command",
			Run:   func(c cli.Call) int { return m.Exec(c.Values, c.Args) },
		},
		folderCommand(m, job.Rotate(), "Replaces the tokens below a folder of Vault that are due by the schedule kept beside them, and revokes those whose overlap is over."),
		folderCommand(m, job.Audit(), "Compares all tokens of the account with the entries below a folder of Vault, and lists what somebody should look at."),
	}
}

func folderCommand(m job.Machine, it job.FolderRun, about string) cli.Command {
	return cli.Command{
		Name: it.Name, Line: it.Name + " [flags]", About: about, Codes: folderCodes, Inputs: it.Inputs, JSON: true,
		Run: func(c cli.Call) int { return m.Command(it, c.Values, c.JSON) },
	}
}
