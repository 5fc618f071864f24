package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
)

// The exit codes of exec that are not the command's.
const (
	exitFailed   = 1
	exitUsage    = 2
	exitNotFound = 127
	exitSignal   = 128 // and the number of the signal
)

// notForExec are the inputs that mean something in a step of a workflow alone. exec
// always revokes, exports nothing, and writes no page.
func notForExec() []string {
	return []string{"mode", "export_env", "revoke", "on_revoke_failure", "on_untrusted", "min_remaining", "summary"}
}

// exec runs a command with a token of its own, and revokes the token when the command
// has ended. Only the command writes to stdout; our own words go to stderr.
func (w world) exec(args []string) int {
	w.out = os.Stderr
	gh := newGitHub(w.out, w.getenv, rand.Text)
	gh.kept = map[string]string{}
	inputs, command, err := execInputs(args, w.getenv)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(w.out, execUsage())
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
		id: gh.state(stateID), name: gh.state(stateName), expires: gh.state(stateExpires), secret: paistrike.NewSecret(gh.state(stateToken)),
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

// childEnv is the environment of the command: ours, without what exec alone reads.
func childEnv(environ []string, envName string) []string {
	return slices.DeleteFunc(slices.Clone(environ), func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		own := slices.ContainsFunc(allInputs(), func(in input) bool { return in.secret && execVariable(in.name) == name })
		return own || name == envName || strings.HasPrefix(name, "INPUT_")
	})
}

// execVariable is the environment variable of an input: PAISTRIKE_VAULT_PATH is
// vault_path is --vault-path.
func execVariable(input string) string { return "PAISTRIKE_" + strings.ToUpper(input) }

// execInputs reads flags and the environment. A secret comes from the environment
// alone, since everybody on a machine can read command lines. Inside GitHub nothing
// else does: an earlier step could have set it.
func execInputs(args []string, getenv func(string) string) (in values, command []string, err error) {
	set := flag.NewFlagSet("exec", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	in = values{}
	inGitHub := getenv("GITHUB_ACTIONS") == "true"
	for _, input := range allInputs() {
		in[input.name] = execFallback(input)
		if slices.Contains(notForExec(), input.name) || input.launcher {
			continue
		}
		if value := strings.TrimSpace(getenv(execVariable(input.name))); value != "" && (input.secret || !inGitHub) {
			in[input.name] = value
		}
		if !input.secret {
			set.Func(strings.ReplaceAll(input.name, "_", "-"), "", func(value string) error { in[input.name] = strings.TrimSpace(value); return nil })
		}
	}
	in["vault_auth_method"] = strings.TrimSpace(getenv(execVariable("vault_auth_method")))
	if inGitHub {
		in["vault_auth_method"] = "jwt"
	} else if in["vault_auth_method"] == "" {
		in["vault_auth_method"] = "token"
	}
	if err := set.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return in, nil, err
		}
		return in, nil, badUsage(err.Error())
	}
	if !inGitHub {
		vaultFallbacks(in, getenv)
	}
	if set.NArg() == 0 {
		return in, nil, badUsage("no command is named")
	}
	return in, set.Args(), nil
}

// execFallback is what an input means that is not given.
func execFallback(in input) string {
	switch in.name {
	case "label":
		return "exec"
	case "summary", "export_env":
		// The name of the variable is checked where something is exported.
		return map[string]string{"summary": "false", "export_env": "true"}[in.name]
	}
	return in.fallback
}

// vaultFallbacks takes what Vault's own programs take, on a machine of one's own.
func vaultFallbacks(in values, getenv func(string) string) {
	for name, variable := range map[string]string{
		"vault_address": "VAULT_ADDR", "vault_namespace": "VAULT_NAMESPACE", "vault_ca_cert": "VAULT_CACERT", "vault_token": "VAULT_TOKEN",
	} {
		if in[name] == "" && (name != "vault_token" || in["vault_auth_method"] == "token") {
			in[name] = strings.TrimSpace(getenv(variable))
		}
	}
}

// execUsage lists the flags.
func execUsage() string {
	var b strings.Builder
	b.WriteString("usage: paistrike-action exec [flags] -- command args…\n\n" +
		"Runs a command with a PAIStrike token of its own in PAISTRIKE_API_TOKEN, and revokes the token when the command has ended.\n\n" +
		"flags (the inputs of the action, with - for _):\n")
	for _, in := range allInputs() {
		if in.secret || in.launcher || slices.Contains(notForExec(), in.name) {
			continue
		}
		b.WriteString("  --" + strings.ReplaceAll(in.name, "_", "-"))
		if in.name == "vault_auth_method" {
			b.WriteString(" (token; jwt inside GitHub)")
		} else if fallback := execFallback(in); fallback != "" {
			b.WriteString(" (" + fallback + ")")
		}
		b.WriteString("\n")
	}
	b.WriteString("\nsecrets come from the environment alone:\n")
	for _, in := range allInputs() {
		if in.secret {
			b.WriteString("  " + execVariable(in.name) + "\n")
		}
	}
	b.WriteString("\nexit codes: the command's own; 128 and the number of the signal that ended it; 1 no token; 2 wrong flags; 127 no such command\n")
	return b.String()
}
