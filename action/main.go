// Command paistrike-action is the program of the GitHub Action in this folder: it
// gets a PAIStrike API token for a job, hands it to the steps that follow, and
// revokes it when the job ends. The launcher beside it (main.js, post.js) starts it
// as `paistrike-action main` and `paistrike-action post`. Its sub-actions rotate what is
// due and audit the account (`paistrike-action main rotate`, `main audit`). Without
// GitHub, `exec`, `rotate` and `audit` do the same from a command line.
//
// It owns what is GitHub's: inputs, masks, outputs, state, the job summary, identity
// tokens, and the messages with PSA codes in errors.go. Talking to PAIStrike and to
// Vault is left to internal/paistrike and internal/store/vault. Nothing is written to
// disk but the runner's own command files.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// version is set when a release is built.
var version = "dev"

func main() {
	stop := make(chan os.Signal, 2)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	w := world{getenv: os.Getenv, out: os.Stdout, now: time.Now, stop: stop} //nolint:forbidigo // the one real clock
	os.Exit(w.run(os.Args[1:]))
}

// world is what a run takes from the machine that it runs on.
type world struct {
	getenv func(string) string
	out    io.Writer // what the runner reads: words and commands
	now    func() time.Time
	stop   <-chan os.Signal
}

const (
	// callTimeout bounds one attempt of any call.
	callTimeout = 15 * time.Second
	// cleanupTime bounds what is done after a failure or a cancel. The runner kills
	// a cancelled step ten seconds after it asked the step to end.
	cleanupTime = 6 * time.Second
	// doctorTime bounds an examination.
	doctorTime = 5 * time.Minute
	// postTime bounds the post step, half of it for the token's own revocation.
	postTime = 20 * time.Second
)

// randomText is 128 bits of randomness as letters and digits.
func randomText() string { return rand.Text() }

// errCancelled ends the context of a step that the runner asks to end.
var errCancelled = errors.New("the run was cancelled")

// run does what the first argument says and returns the exit code.
func (w world) run(args []string) int {
	if len(args) > 0 && args[0] == "exec" {
		return w.exec(args[1:])
	}
	if first(args) == "doctor" {
		return w.doctor(args[1:])
	}
	if it, ok := patrols()[first(args)]; ok {
		return w.patrolCommand(it, args[1:])
	}
	gh := newGitHub(w.out, w.getenv, randomText)
	var err error
	switch strings.Join(args, " ") {
	case "main":
		err = w.main(gh)
	case "post":
		err = w.post(gh)
	case "main rotate", "main audit":
		err = w.patrolStep(gh, patrols()[args[1]])
	case "version":
		fmt.Fprintln(w.out, version)
	default:
		err = errors.New("usage: paistrike-action exec [flags] -- command… | rotate [flags] | audit [flags] | doctor [flags] | version")
	}
	if err != nil {
		gh.failed(err)
		return 1
	}
	return 0
}

func first(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}

// main is the step itself.
func (w world) main(gh *github) error {
	inputs := readInputs(allInputs(), w.getenv)
	set, err := parse(inputs, os.ReadFile)
	if err != nil {
		return w.skipUntrusted(gh, inputs, err)
	}
	if err := gh.maskAll(set.secrets); err != nil {
		return err
	}
	event := readEvent(w.getenv, os.ReadFile)
	if event.privileged() {
		gh.warn("", fmt.Sprintf("This run was started by %s, which runs with the rights of the base repository: check out and run no code of the pull request in this job.", event.name))
	}
	p := &program{gh: gh, getenv: w.getenv, now: w.now, set: set, event: event}
	ctx, end := w.step(set.timeout, w.stop)
	defer end()
	p.step = ctx
	switch set.mode {
	case modeRead:
		err = p.read(ctx)
	default:
		err = p.mint(ctx, inputs)
	}
	if untrusted(err) && set.skipUntrusted {
		return skip(gh, err)
	}
	return err
}

// skipUntrusted tells inputs that are wrong from secrets that a run of a fork or of
// Dependabot does not get.
func (w world) skipUntrusted(gh *github, inputs values, err error) error {
	missing, ok := errors.AsType[*missingCredentialError](err)
	if !ok {
		return err
	}
	event := readEvent(w.getenv, os.ReadFile)
	why := event.untrusted()
	if why == nil {
		return badInputs(missing.problems)
	}
	if inputs["on_untrusted"] == "skip" {
		return skip(gh, why)
	}
	return why
}

// skip ends the step well, without a token.
func skip(gh *github, why error) error {
	gh.say("Skipped, as on_untrusted asks for: " + why.Error())
	return gh.output("skipped", "true")
}

// step is the context of a whole step: it ends with the time budget, or when the
// runner asks for it.
func (w world) step(timeout time.Duration, stop <-chan os.Signal) (ctx context.Context, end func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	ctx, expire := context.WithTimeout(ctx, timeout)
	go func() {
		select {
		case <-stop:
			cancel(errCancelled)
			fmt.Fprintln(w.out, "The run was cancelled: the call in flight is finished, and what was made is revoked.")
		case <-ctx.Done():
		}
	}()
	return ctx, func() { expire(); cancel(nil) }
}
