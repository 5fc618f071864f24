package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
)

// The exit codes of exec that are not the command's.
const (
	exitFailed   = 1
	exitUsage    = 2
	exitNotFound = 127
	exitSignal   = 128 // and the number of the signal
)

func execCommand() commandLine {
	return commandLine{
		name: "exec", line: "exec [flags] -- command args…", inputs: execInputs(), what: "a command",
		about: "Runs a command with a PAIStrike token of its own in PAISTRIKE_API_TOKEN, and revokes the token when the command has ended.",
		codes: "the command's own; 128 and the number of the signal that ended it; 1 no token; 2 wrong flags; 127 no such command",
	}
}

// execInputs are the inputs of the action as exec takes them. It always revokes,
// exports nothing to others, and writes no page.
func execInputs() []input {
	inputs := allInputs()
	for i, in := range inputs {
		switch in.name {
		case "mode", "export_env", "revoke", "on_revoke_failure", "on_untrusted", "min_remaining", "summary":
			inputs[i].noFlag = true
		case "label":
			inputs[i].fallback = "exec"
		}
		if in.name == "summary" {
			inputs[i].fallback = "false"
		}
	}
	return inputs
}

// exec runs a command with a token of its own, and revokes the token when the command
// has ended. Only the command writes to stdout; our own words go to stderr.
func (w world) exec(args []string) int {
	w.out = os.Stderr
	gh := newGitHub(w.out, w.getenv, randomText)
	gh.kept = map[string]string{}
	cli := execCommand()
	inputs, command, err := cli.read(args, w.getenv)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(w.out, cli.usage())
		return 0
	}
	set, wrong := parse(inputs, os.ReadFile)
	if err := errors.Join(err, wrong); err != nil {
		gh.failed(err)
		return exitUsage
	}
	path, err := exec.LookPath(command[0])
	if err != nil {
		gh.failed(noCommand(command[0]))
		return exitNotFound
	}
	signals := notified()
	defer signal.Stop(signals)
	minted, err := w.execMint(gh, set, inputs)
	defer w.execRevoke(gh, set)
	if sig, ok := pending(signals); ok {
		return exitSignal + sig
	}
	if err != nil {
		gh.failed(err)
		return exitFailed
	}
	cmd := exec.CommandContext(context.Background(), path, command[1:]...) //nolint:gosec // the command is the user's own
	cmd.Args[0] = command[0]
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(childEnv(os.Environ(), set.envName), set.envName+"="+minted.secret.Reveal())
	return attend(cmd, signals, gh)
}

// notified are the signals that end a command. The channel has room for what arrives
// while the token is made.
func notified() chan os.Signal {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	return signals
}

// pending takes a signal that has arrived already.
func pending(signals <-chan os.Signal) (number int, ok bool) {
	select {
	case sig := <-signals:
		if s, isNumber := sig.(syscall.Signal); isNumber {
			return int(s), true
		}
		return 0, true
	default:
		return 0, false
	}
}

// execMint mints as a step of a workflow does. What that step would keep for its post
// step is kept in memory.
func (w world) execMint(gh *github, set settings, inputs values) (token, error) {
	stop := notified()
	defer signal.Stop(stop)
	ctx, end := w.step(set.timeout, stop)
	defer end()
	var minted token
	p := &program{
		gh: gh, getenv: w.getenv, now: w.now, set: set, event: readEvent(w.getenv, os.ReadFile), step: ctx,
		handTo: func(t token) error { minted = t; return nil },
	}
	if err := gh.maskAll(set.secrets); err != nil {
		return minted, err
	}
	return minted, p.mint(ctx, inputs)
}

// execRevoke ends what execMint has made, as the post step does. That it fails does
// not change the exit code: the command's own says more.
func (w world) execRevoke(gh *github, set settings) {
	left := leftover{
		id: gh.state(stateID), name: gh.state(stateName), expires: gh.state(stateExpires), secret: secret.New(gh.state(stateToken)),
	}
	if json.Unmarshal([]byte(gh.state(stateNames)), &left.names) != nil || gh.state(stateRevoked) == "true" {
		return // nothing was asked for, or it is revoked already
	}
	if left.name == "" {
		left.name = left.names[len(left.names)-1]
	}
	ctx, end := w.step(postTime, nil)
	defer end()
	p := &program{gh: gh, getenv: w.getenv, now: w.now, set: set, event: readEvent(w.getenv, os.ReadFile), step: ctx}
	if err := p.settle(ctx, left); err != nil {
		gh.failed(err)
	}
}

// attend runs the command, passes signals on, and returns its exit code.
func attend(cmd *exec.Cmd, signals <-chan os.Signal, gh *github) int {
	if err := cmd.Start(); err != nil {
		gh.failed(noCommand(cmd.Args[0]))
		return exitNotFound
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // what it says is in ProcessState
		close(ended)
	}()
	shared := onTerminal()
	for {
		select {
		case sig := <-signals:
			if sig == os.Interrupt && shared {
				continue // the terminal has told the command itself, and twice may mean something else
			}
			_ = cmd.Process.Signal(sig) // it may have ended just now
		case <-ended:
			return exitCode(cmd.ProcessState)
		}
	}
}

// onTerminal reports whether stdin is a terminal, which tells every program in the
// foreground of a Ctrl-C.
func onTerminal() bool {
	in, err := os.Stdin.Stat()
	if err != nil || in.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(in, null)
}

// exitCode is the command's own, or 128 and the signal that ended it, as shells say it.
func exitCode(state *os.ProcessState) int {
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return exitSignal + int(status.Signal())
	}
	return state.ExitCode()
}
