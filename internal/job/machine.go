package job

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/input"
	"github.com/paistrike/terraform-provider-paistrike/internal/runner"
)

// Machine is the environment in which a run executes.
type Machine struct {
	Getenv  func(string) string
	Environ []string  // NAME=value pairs for the command that exec runs
	Out     io.Writer // output for the runner, or the result of a command
	Err     io.Writer // messages of a command
	Host    string    // hostname
	Width   int       // columns of the terminal behind Out; 0 if Out is not a terminal
	Now     func() time.Time
	Stop    <-chan os.Signal // receives the signals that end the run
	// Confirm asks the user and reports whether the answer is yes. Steps do not ask.
	Confirm func(question string) bool
	// Sleep waits between attempts. If it is nil, the run waits in real time.
	Sleep   func(ctx context.Context, d time.Duration) error
	Program string // name of the program
	Version string
}

const (
	// callTimeout limits one attempt of any call.
	callTimeout = 15 * time.Second
	// cleanupTime limits cleanup after a failure or a cancellation. The runner kills a
	// cancelled step ten seconds after it signaled the step to end.
	cleanupTime = 6 * time.Second
	// createGrace limits a create that is in progress when the run is cancelled. It leaves
	// time to revoke the token before the runner kills the step.
	createGrace = 5 * time.Second
	// postTime limits the post step. Half of it is for the token's revocation of itself.
	postTime = 20 * time.Second
	// lookTime is how long after a create the post step looks for a token that the create may
	// have made. lookPause is the interval.
	lookTime  = 30 * time.Second
	lookPause = 5 * time.Second
)

// randomText returns 128 random bits as letters and digits.
func randomText() string { return rand.Text() }

// errCancelled is the cause of the context of a cancelled step.
var errCancelled = errors.New("the run was cancelled")

func (m Machine) github() *runner.Runner { return runner.New(m.Out, m.Getenv, randomText) }

// terminal returns the Runner for commands, whose users set flags and variables.
func (m Machine) terminal(inputs []input.Input) *runner.Runner {
	return runner.Outside(m.Err, m.Getenv, randomText, func(text string) string { return input.OnCommandLine(text, inputs) })
}

// parser returns a parser of the inputs of a step or the flags of a command.
func (m Machine) parser(in input.Values, inputs []input.Input, isStep bool) *parser {
	return &parser{in: in, inputs: inputs, readFile: os.ReadFile, version: m.Version, github: isStep || m.Getenv("GITHUB_ACTIONS") == "true", home: m.home()}
}

// home returns the user's home directory, or "" if it is unknown.
func (m Machine) home() string { return cmp.Or(m.Getenv("HOME"), m.Getenv("USERPROFILE")) }

func (m Machine) event() runner.Event { return runner.ReadEvent(m.Getenv, os.ReadFile) }

// newSession starts a run. Its context ends after timeout, or when stop receives a signal.
func (m Machine) newSession(gh *runner.Runner, set settings, timeout time.Duration, stop <-chan os.Signal) (s *session, end func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	ctx, expire := context.WithTimeout(ctx, timeout)
	go func() {
		select {
		case <-stop:
			cancel(errCancelled)
			gh.Say("The run was cancelled. The request in progress is completed, and tokens that were created are revoked.")
		case <-ctx.Done():
		}
	}()
	s = &session{gh: gh, getenv: m.Getenv, host: m.Host, version: m.Version, width: m.Width, now: m.Now, set: set, event: m.event(), step: ctx, wait: m.Sleep}
	s.identity = &runner.Identity{
		Runner: gh, Event: s.event, Audience: set.audience, Attempts: set.maxAttempts, Timeout: callTimeout,
		Pause: func(ctx context.Context, attempt int) error { return s.pause(ctx, attempt, 0) },
	}
	return s, func() { expire(); cancel(nil) }
}

// Main is the main step of action/. It returns the exit code.
func (m Machine) Main() int { return exit(m.github(), m.main) }

// Post is the post step of action/. It returns the exit code.
func (m Machine) Post() int { return exit(m.github(), m.post) }

// exit runs step, reports its error, and returns the exit code.
func exit(gh *runner.Runner, step func(*runner.Runner) error) int {
	if err := step(gh); err != nil {
		gh.Failed(err)
		return exitFailed
	}
	return 0
}

func (m Machine) main(gh *runner.Runner) error {
	inputs := input.FromRunner(input.Token(), m.Getenv)
	set, err := parseToken(m.parser(inputs, input.Token(), true))
	if err != nil {
		return m.skipUntrusted(gh, inputs, err)
	}
	if err := gh.MaskAll(set.secrets); err != nil {
		return err
	}
	s, end := m.newSession(gh, set, set.timeout, m.Stop)
	defer end()
	if s.event.Privileged() {
		gh.Warn("", fmt.Sprintf("This run was triggered by %s, so it has the permissions of the base repository. Do not check out or run code of the pull request in this job.", s.event.Name))
	}
	switch set.mode {
	case modeRead:
		err = s.read(s.step)
	default:
		err = s.mint(s.step, inputs)
	}
	if untrusted(err) && set.skipUntrusted {
		return skip(gh, err)
	}
	return err
}

// skipUntrusted handles secrets that a run of a fork or of Dependabot does not get: it skips
// the run if on_untrusted asks for it and otherwise returns the reason. It returns other
// errors unchanged.
func (m Machine) skipUntrusted(gh *runner.Runner, inputs input.Values, err error) error {
	missing, ok := errors.AsType[*missingCredentialError](err)
	if !ok {
		return err
	}
	why := m.event().Untrusted()
	if why == nil {
		return badInputs(missing.problems)
	}
	if inputs["on_untrusted"] == "skip" {
		return skip(gh, why)
	}
	return why
}

// skip ends the step successfully without a token.
func skip(gh *runner.Runner, why error) error {
	gh.Say("Skipped because of on_untrusted: skip. " + why.Error())
	return gh.Output("skipped", "true")
}
