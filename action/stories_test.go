package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/paistrike/terraform-provider-paistrike/internal/runner/runnertest"
	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"paistrike-action": main, "use-token": useToken})
}

// Each file in testdata/stories is a situation of a job, with its own servers. After every
// step, all its output is searched for secrets, with debug logging enabled.
func TestStories(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata/stories",
		Setup: func(env *testscript.Env) error {
			tb, _ := env.T().(testing.TB)
			env.Values[jobKey{}] = newJob(tb, env.WorkDir)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"step": cmdStep, "input": cmdInput, "runner": cmdRunner, "interrupt": cmdInterrupt, "fault": cmdFault,
			"live": cmdLive, "made": cmdMade, "output": cmdOutput, "exported": cmdExported, "state": cmdState,
			"summary": cmdSummary, "act": cmdAct, "outside": cmdOutside, "code": cmdCode,
			"keeper": cmdKeeper, "entry": cmdEntry, "calls": cmdCalls, "aws": cmdAWS,
		},
	})
}

type jobKey struct{}

func jobOf(ts *testscript.TestScript) *testJob {
	j, ok := ts.Value(jobKey{}).(*testJob)
	if !ok {
		ts.Fatalf("the story has no job")
	}
	return j
}

// testJob is one job of a workflow with the runner's state.
type testJob struct {
	*servers
	tb                      testing.TB
	dir                     string
	env                     map[string]string // of the next step
	state, outputs, exports map[string]string
	summary                 string
	log                     runnertest.Masker
	interrupt               *sandbox.Fault
	group                   bool                                     // run the next step in its own process group
	outside                 bool                                     // outside GitHub
	told                    struct{ identity, vault, paistrike int } // numbers of calls already listed
	code                    int                                      // exit code of the last step
	unkept                  atomic.Bool                              // a token was requested before its name was saved
}

func newJob(t testing.TB, dir string) *testJob {
	s := newServers(t)
	j := &testJob{
		servers: s, tb: t, dir: dir,
		state: map[string]string{}, outputs: map[string]string{}, exports: map[string]string{},
		env: map[string]string{
			"INPUT_ENDPOINT": s.api, "INPUT_VAULT_ADDRESS": s.vault.url, "INPUT_VAULT_PATH": "ci/broker", "INPUT_VAULT_ROLE": "ci",
			"INPUT_AUDIENCE": "https://vault.example.com", "INPUT_MAX_ATTEMPTS": "2",
			"ACTIONS_ID_TOKEN_REQUEST_URL": s.identity.url, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": s.identity.request,
			"GITHUB_REPOSITORY": "acme/app", "GITHUB_RUN_ID": "1001", "GITHUB_RUN_ATTEMPT": "1", "GITHUB_JOB": "scan",
			"GITHUB_EVENT_NAME": "push", "GITHUB_ACTIONS": "true", "RUNNER_DEBUG": "1", "RUNNER_TEMP": dir,
			// Variables that an earlier step has set are ignored.
			"VAULT_ADDR": "https://evil.example.com", "VAULT_TOKEN": "planted", "VAULT_SKIP_VERIFY": "true", "VAULT_NAMESPACE": "evil",
		},
	}
	s.asked = func(body string) {
		var in struct{ Name string }
		kept, err := os.ReadFile(filepath.Join(dir, "GITHUB_STATE"))
		if err != nil || json.Unmarshal([]byte(body), &in) != nil || !strings.Contains(string(kept), in.Name) {
			j.unkept.Store(true)
		}
	}
	return j
}

// commandFiles creates the runner's command files for a step.
func (j *testJob) commandFiles(ts *testscript.TestScript) map[string]string {
	paths := map[string]string{}
	for _, name := range []string{"GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_STATE", "GITHUB_STEP_SUMMARY"} {
		paths[name] = filepath.Join(j.dir, name)
		ts.Check(os.WriteFile(paths[name], nil, 0o600))
	}
	return paths
}

// cmdStep runs a step as the runner does: `step main`, `step post`, or `! step` if it must
// fail.
func cmdStep(ts *testscript.TestScript, neg bool, args []string) {
	j := jobOf(ts)
	paths := j.commandFiles(ts)
	program := ""
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		if candidate := filepath.Join(dir, "paistrike-action"); program == "" {
			if _, err := os.Stat(candidate); err == nil {
				program = candidate
			}
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	if j.group {
		ownGroup(cmd)
	}
	for _, vars := range []map[string]string{j.env, j.exports, paths} {
		for name, value := range vars {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	for name, value := range j.state {
		cmd.Env = append(cmd.Env, "STATE_"+name+"="+value)
	}
	raw, err := j.runStep(ctx, cmd)
	if errors.Is(err, errNotHeld) {
		ts.Fatalf("%v", err)
	}
	j.code = cmd.ProcessState.ExitCode()
	shown := j.log.Show(raw)
	_, _ = ts.Stdout().Write([]byte(shown))
	j.takeFiles(ts, paths)
	j.search(ts, raw, shown, paths)
	if j.unkept.Load() {
		ts.Fatalf("a token was asked for whose name the post step would not know")
	}
	if (err != nil) != neg {
		ts.Fatalf("the step ended with %v:\n%s", err, shown)
	}
}

var errNotHeld = errors.New("the call at which the step was to be interrupted never came")

// runStep runs the program and, if the story requests it, interrupts it while a call is held.
// The call is released after the program has reacted.
func (j *testJob) runStep(ctx context.Context, cmd *exec.Cmd) (string, error) {
	said, err := cmd.StdoutPipe()
	if err != nil {
		return "", err
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		return "", err
	}
	if j.interrupt != nil {
		if err := j.paistrike.AwaitHeld(ctx, 1); err != nil {
			return "", errNotHeld
		}
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			return "", err
		}
		j.interrupt = nil
	}
	var raw strings.Builder
	for scanner := bufio.NewScanner(said); scanner.Scan(); {
		raw.WriteString(scanner.Text() + "\n")
		if strings.HasPrefix(scanner.Text(), "The run was cancelled") {
			j.paistrike.Release()
		}
	}
	return raw.String(), cmd.Wait()
}

// takeFiles processes the command files as the runner does after a step.
func (j *testJob) takeFiles(ts *testscript.TestScript, paths map[string]string) {
	for name, into := range map[string]map[string]string{"GITHUB_ENV": j.exports, "GITHUB_OUTPUT": j.outputs, "GITHUB_STATE": j.state} {
		raw, err := os.ReadFile(paths[name])
		ts.Check(err)
		pairs, err := runnertest.FileCommands(string(raw))
		ts.Check(err)
		for _, p := range pairs {
			into[p.Name] = p.Value
		}
	}
	raw, err := os.ReadFile(paths["GITHUB_STEP_SUMMARY"])
	ts.Check(err)
	j.summary += string(raw)
}

// search fails the story if a secret is found outside its proper place.
func (j *testJob) search(ts *testscript.TestScript, raw, shown string, paths map[string]string) {
	unmasked := ""
	for _, line := range runnertest.Lines(raw) {
		if c, ok := runnertest.CommandOf(line); !ok || c.Name != "add-mask" {
			unmasked += line + "\n"
		}
	}
	found := map[string]string{"the log": shown, "the log, even without masks": unmasked, "the summary": j.summary}
	for kind, values := range map[string]map[string]string{"state": j.state, "output": j.outputs, "env": j.exports} {
		for name, value := range values {
			own := kind == "env" && name == "PAISTRIKE_API_TOKEN" || kind != "env" && name == "token"
			if !own {
				found[kind+" "+name] = value
			}
		}
	}
	entries, err := os.ReadDir(j.dir)
	ts.Check(err)
	for _, entry := range entries {
		if path := filepath.Join(j.dir, entry.Name()); entry.Type().IsRegular() && paths[entry.Name()] == "" {
			raw, err := os.ReadFile(path)
			ts.Check(err)
			found["file "+entry.Name()] = string(raw)
		}
	}
	for where, text := range found {
		for _, secret := range j.secrets() {
			if runnertest.Leaks(text, secret) {
				ts.Fatalf("a secret is in %s", where)
			}
		}
	}
}

// cmdInput sets an input: `input expires_in 30m`. Without a value it becomes empty.
func cmdInput(ts *testscript.TestScript, _ bool, args []string) {
	jobOf(ts).env["INPUT_"+strings.ToUpper(args[0])] = strings.ReplaceAll(strings.Join(args[1:], " "), `\n`, "\n")
}

// cmdRunner sets a variable of the runner: `runner GITHUB_EVENT_NAME=push`. Without a value
// it is unset.
func cmdRunner(ts *testscript.TestScript, _ bool, args []string) {
	for _, arg := range args {
		name, value, _ := strings.Cut(arg, "=")
		if value == "" {
			delete(jobOf(ts).env, name)
			continue
		}
		jobOf(ts).env[name] = value
	}
}

// cmdInterrupt cancels the next step during a call: `interrupt POST /api-tokens`.
func cmdInterrupt(ts *testscript.TestScript, _ bool, args []string) {
	fault := sandbox.Fault{Method: args[0], Path: args[1], Hold: true}
	j := jobOf(ts)
	j.interrupt = &fault
	j.paistrike.AddFaults(fault)
}

// cmdFault injects a fault into a server: `fault paistrike {...}`, `fault vault {...}`,
// `fault identity 1`, `fault none`.
func cmdFault(ts *testscript.TestScript, _ bool, args []string) {
	j := jobOf(ts)
	text := strings.Join(args[1:], " ")
	switch args[0] {
	case "paistrike":
		var f sandbox.Fault
		ts.Check(json.Unmarshal([]byte(text), &f))
		j.paistrike.AddFaults(f)
	case "vault":
		f := vaultFault{Count: 1}
		ts.Check(json.Unmarshal([]byte(text), &f))
		j.vault.mu.Lock()
		defer j.vault.mu.Unlock()
		j.vault.faults = append(j.vault.faults, f)
	case "identity":
		j.identity.mu.Lock()
		defer j.identity.mu.Unlock()
		j.identity.failing, _ = strconv.Atoi(args[1])
	default:
		j.paistrike.ClearFaults()
		j.vault.mu.Lock()
		defer j.vault.mu.Unlock()
		j.vault.faults = nil
	}
}

// cmdLive checks the number of working tokens, without the management token: `live 1`.
func cmdLive(ts *testscript.TestScript, _ bool, args []string) {
	if got := strconv.Itoa(jobOf(ts).live()); got != args[0] {
		ts.Fatalf("%s tokens are live, want %s", got, args[0])
	}
}

// cmdOutput checks an output: `output source minted`, `! output token`.
func cmdOutput(ts *testscript.TestScript, neg bool, args []string) {
	checkValue(ts, neg, jobOf(ts).outputs, args)
}

// cmdState checks state saved for the post step: `state revoked true`.
func cmdState(ts *testscript.TestScript, neg bool, args []string) {
	checkValue(ts, neg, jobOf(ts).state, args)
}

func checkValue(ts *testscript.TestScript, neg bool, all map[string]string, args []string) {
	got, ok := all[args[0]]
	switch {
	case neg && ok:
		ts.Fatalf("%s is %q", args[0], got)
	case !neg && !ok:
		ts.Fatalf("%s is not set", args[0])
	case len(args) > 1 && got != strings.Join(args[1:], " "):
		ts.Fatalf("%s is %q", args[0], got)
	}
}

// cmdExported uses an exported variable as the next step would: `exported
// PAISTRIKE_API_TOKEN 200`, `! exported PAISTRIKE_API_TOKEN`.
func cmdExported(ts *testscript.TestScript, neg bool, args []string) {
	j := jobOf(ts)
	value, ok := j.exports[args[0]]
	if neg || !ok {
		if neg == ok {
			ts.Fatalf("%s is exported: %v", args[0], ok)
		}
		return
	}
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, j.api+"/api/v1/api-tokens/self", nil)
	ts.Check(err)
	req.Header.Set("Authorization", "Bearer "+value)
	client := http.Client{Timeout: time.Minute}
	resp, err := client.Do(req)
	ts.Check(err)
	_ = resp.Body.Close()
	if strconv.Itoa(resp.StatusCode) != args[1] {
		ts.Fatalf("PAIStrike answers %d", resp.StatusCode)
	}
}

// cmdSummary checks whether the job summary contains a text.
func cmdSummary(ts *testscript.TestScript, neg bool, args []string) {
	if text := strings.Join(args, " "); strings.Contains(jobOf(ts).summary, text) == neg {
		ts.Fatalf("%q: %v in the summary\n%s", text, !neg, jobOf(ts).summary)
	}
}

// cmdAct performs an event outside the job: `act advance 2h`, `act wait`, `act revoke
// broker`, `act policy {...}`, `act write ci/x {...}`.
func cmdAct(ts *testscript.TestScript, _ bool, args []string) {
	j := jobOf(ts)
	switch args[0] {
	case "advance":
		d, err := time.ParseDuration(args[1])
		ts.Check(err)
		j.paistrike.Clock().Advance(d)
	case "revoke":
		id := j.paistrike.ManagementID
		if args[1] == "token" {
			id = j.outputs["token_id"]
		}
		j.paistrike.Revoke(id)
	case "wait": // half a minute passes after the request for a token
		j.state["asked_at"] = "2026-01-05T12:00:00Z"
	case "policy":
		var p sandbox.Policy
		ts.Check(json.Unmarshal([]byte(strings.Join(args[1:], " ")), &p))
		j.paistrike.SetPolicy(p)
	case "provision": // like Terraform: provision ci/app 1h
		d, err := time.ParseDuration(args[2])
		ts.Check(err)
		ts.Check(j.provision(args[1], d))
	case "write":
		body := map[string]json.RawMessage{"data": json.RawMessage(strings.Join(args[2:], " "))}
		ts.Check(j.put(args[1], body))
	}
}
