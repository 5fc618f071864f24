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

// Machine is what a run takes from the machine that it runs on.
type Machine struct {
	Getenv  func(string) string
	Environ []string  // NAME=value, for the command that exec runs
	Out     io.Writer // what the runner reads, or the result of a command
	Err     io.Writer // everything else that a command says
	Host    string    // its name
	Width   int       // of the terminal behind Out, in columns; 0 if there is none
	Now     func() time.Time
	Stop    <-chan os.Signal // asks the run to end
	// Confirm asks a person, and reports whether the answer is yes. A step asks nobody.
	Confirm func(question string) bool
	// Sleep waits between attempts; nil waits in real time.
	Sleep   func(ctx context.Context, d time.Duration) error
	Program string // what it is called
	Version string
}

const (
	// callTimeout bounds one attempt of any call.
	callTimeout = 15 * time.Second
	// cleanupTime bounds what is done after a failure or a cancel. The runner kills
	// a cancelled step ten seconds after it asked the step to end.
	cleanupTime = 6 * time.Second
	// createGrace is how long a create that was begun may still take after a cancel. It
	// leaves time to revoke what it made before the runner kills the step.
	createGrace = 5 * time.Second
	// postTime bounds the post step, half of it for the token's own revocation.
	postTime = 20 * time.Second
	// lookTime is how long after a create was sent the post step looks for the token that
	// it may have made, and lookPause is the time between two looks.
	lookTime  = 30 * time.Second
	lookPause = 5 * time.Second
)

// randomText is 128 bits of randomness as letters and digits.
func randomText() string { return rand.Text() }

// errCancelled ends the context of a step that the runner asks to end.
var errCancelled = errors.New("the run was cancelled")

func (m Machine) github() *runner.Runner { return runner.New(m.Out, m.Getenv, randomText) }

// terminal is for commands, whose users set flags and variables.
func (m Machine) terminal(inputs []input.Input) *runner.Runner {
	return runner.Outside(m.Err, m.Getenv, randomText, func(text string) string { return input.OnCommandLine(text, inputs) })
}

// parser reads the inputs of a step of GitHub, or the flags of a command anywhere.
func (m Machine) parser(in input.Values, inputs []input.Input, isStep bool) *parser {
	return &parser{in: in, inputs: inputs, readFile: os.ReadFile, version: m.Version, github: isStep || m.Getenv("GITHUB_ACTIONS") == "true", home: m.home()}
}

// home is the user's folder, "" if it is not known.
func (m Machine) home() string { return cmp.Or(m.Getenv("HOME"), m.Getenv("USERPROFILE")) }

func (m Machine) event() runner.Event { return runner.ReadEvent(m.Getenv, os.ReadFile) }

// newSession starts a run. Its context ends with the time budget, or if stop asks for it.
func (m Machine) newSession(gh *runner.Runner, set settings, timeout time.Duration, stop <-chan os.Signal) (s *session, end func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	ctx, expire := context.WithTimeout(ctx, timeout)
	go func() {
		select {
		case <-stop:
			cancel(errCancelled)
			gh.Say("The run was cancelled: the call in flight is finished, and what was made is revoked.")
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

// exit reports what failed.
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
		gh.Warn("", fmt.Sprintf("This run was started by %s, which runs with the rights of the base repository: check out and run no code of the pull request in this job.", s.event.Name))
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

// skipUntrusted tells inputs that are wrong from secrets that a run of a fork or of
// Dependabot does not get.
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

// skip ends the step well, without a token.
func skip(gh *runner.Runner, why error) error {
	gh.Say("Skipped, as on_untrusted asks for: " + why.Error())
	return gh.Output("skipped", "true")
}
