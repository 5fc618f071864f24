package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/fleet"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/vault"
)

// exitFound is how rotate and audit end when all went well and fail_on is met.
const exitFound = 3

// patrol is rotate or audit: what differs between the two.
type patrol struct {
	name   string
	about  string
	inputs func() []input
	parse  func(values, func(string) ([]byte, error)) (fleetSettings, error)
	// run does the work and gives what is to be shown of it.
	run func(p *program, ctx context.Context, set fleetSettings) (findings, error)
}

// findings is the outcome of a patrol, for people and for programs.
type findings struct {
	report  any // as JSON
	outputs []output
	table   string // plain text
	page    string // Markdown
	verdict error  // what fail_on, or a failed entry, makes of it
}

type output struct{ name, value string }

func patrols() map[string]patrol {
	return map[string]patrol{
		"rotate": {
			name: "rotate", inputs: rotateInputs, parse: parseRotate, run: (*program).rotate,
			about: "Replaces the tokens below a folder of Vault that are due by the schedule kept beside them, and revokes those whose overlap is over.",
		},
		"audit": {
			name: "audit", inputs: auditInputs, parse: parseAudit, run: (*program).audit,
			about: "Compares all tokens of the account with the entries below a folder of Vault, and lists what somebody should look at.",
		},
	}
}

// patrolStep is a step of a workflow.
func (w world) patrolStep(gh *github, it patrol) error {
	set, err := it.parse(readInputs(it.inputs(), w.getenv), os.ReadFile)
	if err != nil {
		return plainInputs(err)
	}
	found, err := w.patrol(gh, it, set)
	if err != nil {
		return err
	}
	gh.say(found.table)
	file, err := w.keepReport(it.name, found.report)
	if err != nil {
		gh.warn("", err.Error()) // the log and the page say the same
	}
	for _, out := range append(found.outputs, output{"report", file}) {
		if err := gh.output(out.name, out.value); err != nil {
			return err
		}
	}
	if set.summary {
		if err := gh.summarize(found.page); err != nil {
			gh.warn("", err.Error())
		}
	}
	return found.verdict
}

// patrolCommand is the same from a terminal, from cron or from another CI: a table on
// stdout, or the report as JSON; all other words go to stderr.
func (w world) patrolCommand(it patrol, args []string) int {
	stdout := w.out
	w.out = os.Stderr
	gh := newGitHub(w.out, w.getenv, randomText)
	gh.kept = map[string]string{}
	asJSON := false
	cli := commandLine{
		name: it.name, line: it.name + " [flags]", about: it.about, inputs: it.inputs(), json: &asJSON,
		codes: "0 all is well; 1 something failed; 2 wrong flags; 3 what fail_on names was found",
	}
	in, _, err := cli.read(args, w.getenv)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(w.out, cli.usage())
		return 0
	}
	in["summary"] = "false"
	set, wrong := it.parse(in, os.ReadFile)
	if err := errors.Join(err, plainInputs(wrong)); err != nil {
		gh.failed(err)
		return exitUsage
	}
	found, err := w.patrol(gh, it, set)
	if err == nil {
		err = errors.Join(show(stdout, asJSON, found), found.verdict)
	}
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errFound):
		gh.failed(err)
		return exitFound
	}
	gh.failed(err)
	return exitFailed
}

func show(stdout io.Writer, asJSON bool, found findings) error {
	if !asJSON {
		_, err := io.WriteString(stdout, found.table)
		return err
	}
	encoder := json.NewEncoder(stdout)
	encoder.SetIndent("", "  ")
	return encoder.Encode(found.report)
}

// patrol does the work, whoever asked for it.
func (w world) patrol(gh *github, it patrol, set fleetSettings) (findings, error) {
	if err := gh.maskAll(set.secrets); err != nil {
		return findings{}, err
	}
	ctx, end := w.step(set.timeout, w.stop)
	defer end()
	p := &program{
		gh: gh, getenv: w.getenv, now: w.now, set: settings{connection: set.connection}, event: readEvent(w.getenv, os.ReadFile), step: ctx,
	}
	found, err := it.run(p, ctx, set)
	if ended := p.ended(ctx); ended != nil {
		err = ended
	}
	return found, err
}

// plainInputs words an empty credential like every other input that is wrong.
func plainInputs(err error) error {
	if missing, ok := errors.AsType[*missingCredentialError](err); ok {
		return badInputs(missing.problems)
	}
	return err
}

// keepReport writes a report where later steps can read it.
func (w world) keepReport(name string, report any) (string, error) {
	raw, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return "", err
	}
	file := filepath.Join(w.getenv("RUNNER_TEMP"), "paistrike-"+name+"-"+strings.ToLower(randomText()[:10])+".json")
	if err := os.WriteFile(file, append(raw, '\n'), 0o600); err != nil {
		return "", runnerFileFailed("the report", err)
	}
	return file, nil
}

// rotate replaces what is due.
func (p *program) rotate(ctx context.Context, set fleetSettings) (findings, error) {
	vault, err := p.openVault()
	if err != nil {
		return findings{}, err
	}
	defer p.leaveVault(ctx, vault)
	engine, entries, err := p.muster(ctx, vault, set)
	if err != nil {
		return findings{}, err
	}
	options := fleet.Options{Concurrency: set.concurrency, DryRun: set.dryRun, Force: set.force, Progress: p.progress()}
	if set.at.Mount == set.folder.Mount {
		options.Last = set.at.Path
	}
	report, err := fleet.Rotate(ctx, engine, entries, options)
	if err != nil {
		return findings{}, p.brokerFailed(ctx, err)
	}
	verdict := rotationVerdict(report, set.failOn)
	if set.onlyDue {
		report = report.OnlyDue()
	}
	return findings{
		report: report, table: rotationTable(report), page: rotationPage(report, set), verdict: verdict,
		outputs: []output{
			{"rotated", strconv.Itoa(report.Rotated)},
			{"retired", strconv.Itoa(report.Retired)},
			{"swept", strconv.Itoa(report.Swept)},
			{"failed", strconv.Itoa(report.Failed)},
			{"due", strconv.Itoa(report.Due)},
			{"overdue", strconv.Itoa(report.Overdue)},
			{"next_rotation_at", stamp(report.NextRotationAt)},
		},
	}, nil
}

// audit compares PAIStrike with Vault.
func (p *program) audit(ctx context.Context, set fleetSettings) (findings, error) {
	vault, err := p.openVault()
	if err != nil {
		return findings{}, err
	}
	defer p.leaveVault(ctx, vault)
	engine, entries, err := p.muster(ctx, vault, set)
	if err != nil {
		return findings{}, err
	}
	report, err := fleet.Audit(ctx, engine, entries, fleet.AuditOptions{
		Limits: set.limits, Concurrency: set.concurrency, Sweep: set.sweep, Progress: p.progress(),
	})
	if err != nil {
		return findings{}, p.brokerFailed(ctx, err)
	}
	return findings{
		report: report, table: auditTable(report), page: auditPage(report, set), verdict: auditVerdict(report, set.failOn),
		outputs: []output{
			{"findings", strconv.Itoa(len(report.Findings))},
			{"errors", strconv.Itoa(report.Errors)},
			{"warnings", strconv.Itoa(report.Warnings)},
			{"swept", strconv.Itoa(report.Swept)},
			{"failed", strconv.Itoa(report.Failed)},
			{"tokens", strconv.Itoa(report.Tokens)},
		},
	}, nil
}

// muster reads the credential for PAIStrike, and finds the entries.
func (p *program) muster(ctx context.Context, store *vault.Client, set fleetSettings) (*rotation.Engine, []entry.Location, error) {
	broker, err := p.credential(ctx, store)
	if err != nil {
		return nil, nil, err
	}
	client, err := p.client(broker.Secret)
	if err != nil {
		return nil, nil, err
	}
	entries := []entry.Location{set.folder}
	if !set.single {
		if entries, err = fleet.Walk(ctx, store, set.folder, set.concurrency); err != nil {
			return nil, nil, p.walkFailed(ctx, set.folder, err)
		}
	}
	return rotation.New(rotation.PAIStrike{Client: client}, store), entries, nil
}

// progressLines is how often a long run says how far it is.
const progressLines = 10

// progress tells how far a run is, where it has many entries. fleet calls it for one
// entry at a time.
func (p *program) progress() func(done, total int) {
	began := p.now()
	return func(done, total int) {
		if total < 5*progressLines || done*progressLines/total == (done-1)*progressLines/total {
			return
		}
		p.gh.say(fmt.Sprintf("%d of %d entries, %s", done, total, p.now().Sub(began).Round(time.Second)))
	}
}
