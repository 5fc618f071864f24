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

// Exit codes of commands. exec returns the exit code of its command if the command ran.
const (
	exitFailed   = 1
	ExitUsage    = 2 // invalid flags or variables
	exitFound    = 3 // rotate and audit: the run succeeded and found what fail_on names
	exitNotFound = 127
	exitSignal   = 128 // plus the signal number
)

// Exec mints a token, runs a command with it, and revokes the token when the command has
// ended. Only the command writes to stdout; Exec writes to Err. It returns the exit code.
func (m Machine) Exec(in input.Values, command []string) int {
	gh := m.terminal(input.Exec())
	if err := hideSecrets(); err != nil {
		gh.Warn("", "The command may be able to read this program's credentials from /proc: "+err.Error())
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

// childEnv returns the command's environment: the current one without the credentials that
// only this program reads.
func childEnv(environ []string, envName string) []string {
	return slices.DeleteFunc(slices.Clone(environ), func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		own := slices.ContainsFunc(input.Exec(), func(in input.Input) bool { return in.Secret && in.Variable() == name })
		return own || name == envName || strings.HasPrefix(name, "INPUT_")
	})
}

// notified returns a channel of the signals that end a command. It is buffered for signals
// that arrive while the token is being created.
func notified() chan os.Signal {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	return signals
}

// pending returns a signal that has already arrived.
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

// execMint mints a token like the main step of a workflow. State for the post step is kept in
// memory.
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

// execRevoke revokes the token of execMint, like the post step. A failure does not change the
// exit code, because the command's exit code matters more.
func (m Machine) execRevoke(gh *runner.Runner, set settings) {
	left, ok := leftovers(gh)
	if !ok {
		return // no token was requested, or it is already revoked
	}
	s, end := m.newSession(gh, set, postTime, nil)
	defer end()
	if err := s.settle(s.step, left); err != nil {
		gh.Failed(err)
	}
}

// attend runs the command, forwards signals, and returns the exit code.
func attend(cmd *exec.Cmd, signals <-chan os.Signal, gh *runner.Runner) int {
	if err := cmd.Start(); err != nil {
		gh.Failed(noCommand(cmd.Args[0]))
		return exitNotFound
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // the result is in ProcessState
		close(ended)
	}()
	shared := onTerminal()
	for {
		select {
		case sig := <-signals:
			if sig == os.Interrupt && shared {
				continue // the terminal has already signaled the command, and a second signal may mean something else
			}
			_ = cmd.Process.Signal(sig) // the command may have just ended
		case <-ended:
			return exitCode(cmd.ProcessState)
		}
	}
}

// onTerminal reports whether stdin is a terminal. A terminal sends Ctrl-C to all foreground
// processes.
func onTerminal() bool {
	in, err := os.Stdin.Stat()
	if err != nil || in.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(in, null)
}

// exitCode returns the command's exit code, or 128 plus the signal that ended it, as shells
// do.
func exitCode(state *os.ProcessState) int {
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return exitSignal + int(status.Signal())
	}
	return state.ExitCode()
}
