package job

import (
	"context"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/paistrike/terraform-provider-paistrike/internal/input"
	"github.com/paistrike/terraform-provider-paistrike/internal/runner"
)

// The exit codes of commands. exec returns the exit code of its command if there is one.
const (
	exitFailed   = 1
	ExitUsage    = 2 // flags or variables that are wrong
	exitFound    = 3 // rotate and audit: all went well, and fail_on is met
	exitNotFound = 127
	exitSignal   = 128 // and the number of the signal
)

// Exec runs a command with a token of its own, and revokes the token when the command has
// ended. Only the command writes to stdout; our own words go to Err. It returns the exit code.
func (m Machine) Exec(in input.Values, command []string) int {
	gh := m.terminal(input.Exec())
	if err := hideSecrets(); err != nil {
		gh.Warn("", "The command may be able to read this program's own credentials from /proc: "+err.Error())
	}
	set, err := parseExec(m.parser(in, input.Exec(), false))
	if err != nil {
		gh.Failed(plainInputs(err))
		return ExitUsage
	}
	path, err := exec.LookPath(command[0])
	if err != nil {
		gh.Failed(noCommand(command[0]))
		return exitNotFound
	}
	signals := notified()
	defer signal.Stop(signals)
	minted, err := m.execMint(gh, set, in)
	defer m.execRevoke(gh, set)
	if sig, ok := pending(signals); ok {
		return exitSignal + sig
	}
	if err != nil {
		gh.Failed(err)
		return exitFailed
	}
	cmd := exec.CommandContext(context.Background(), path, command[1:]...) //nolint:gosec // the command is the user's own
	cmd.Args[0] = command[0]
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(childEnv(m.Environ, set.envName), set.envName+"="+minted.secret.Reveal())
	return attend(cmd, signals, gh)
}

// childEnv is the environment of the command: ours, without what is read here alone.
func childEnv(environ []string, envName string) []string {
	return slices.DeleteFunc(slices.Clone(environ), func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		own := slices.ContainsFunc(input.Exec(), func(in input.Input) bool { return in.Secret && in.Variable() == name })
		return own || name == envName || strings.HasPrefix(name, "INPUT_")
	})
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
func (m Machine) execMint(gh *runner.Runner, set settings, in input.Values) (token, error) {
	stop := notified()
	defer signal.Stop(stop)
	s, end := m.newSession(gh, set, set.timeout, stop)
	defer end()
	var minted token
	s.handTo = func(t token) error { minted = t; return nil }
	if err := gh.MaskAll(set.secrets); err != nil {
		return minted, err
	}
	return minted, s.mint(s.step, in)
}

// execRevoke ends what execMint has made, as the post step does. That it fails does
// not change the exit code: the command's own says more.
func (m Machine) execRevoke(gh *runner.Runner, set settings) {
	left, ok := leftovers(gh)
	if !ok {
		return // nothing was asked for, or it is revoked already
	}
	s, end := m.newSession(gh, set, postTime, nil)
	defer end()
	if err := s.settle(s.step, left); err != nil {
		gh.Failed(err)
	}
}

// attend runs the command, passes signals on, and returns its exit code.
func attend(cmd *exec.Cmd, signals <-chan os.Signal, gh *runner.Runner) int {
	if err := cmd.Start(); err != nil {
		gh.Failed(noCommand(cmd.Args[0]))
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
