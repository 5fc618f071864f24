package job

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/fleet"
	"github.com/paistrike/terraform-provider-paistrike/internal/input"
	"github.com/paistrike/terraform-provider-paistrike/internal/report"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/runner"
)

// FolderRun is a run over the entries of a folder. It contains the differences between
// rotate, audit and abandon.
type FolderRun struct {
	Name   string
	Inputs []input.Input
	alone  bool // works without PAIStrike

	parse func(*parser) (folderSettings, error)
	run   func(s *session, ctx context.Context, engine *rotation.Engine, entries []entry.Location, set folderSettings) (result, error)
}

// Rotate returns the run that rotates the due tokens of a folder.
func Rotate() FolderRun {
	return FolderRun{Name: "rotate", Inputs: input.Rotate(), parse: parseRotate, run: (*session).rotate}
}

// Audit returns the run that compares the account with a folder.
func Audit() FolderRun {
	return FolderRun{Name: "audit", Inputs: input.Audit(), parse: parseAudit, run: (*session).audit}
}

// Abandon returns the run that closes the entries of a PAIStrike that no longer exists. It
// uses only the store.
func Abandon() FolderRun {
	return FolderRun{Name: "abandon", Inputs: input.Abandon(), alone: true, parse: parseAbandon, run: (*session).abandon}
}

// result is the result of a run over a folder.
type result struct {
	report  writer
	outputs []output
	table   string        // plain text
	page    func() string // Markdown
	told    error         // notifications that failed
	verdict error         // error caused by fail_on or by a failed entry
}

// writer is a report as JSON.
type writer interface{ WriteJSON(out io.Writer) error }

type output struct{ name, value string }

// Step runs as a step of a workflow and returns the exit code.
func (m Machine) Step(it FolderRun) int {
	return exit(m.github(), func(gh *runner.Runner) error { return m.folderStep(gh, it) })
}

func (m Machine) folderStep(gh *runner.Runner, it FolderRun) error {
	set, err := it.parse(m.parser(input.FromRunner(it.Inputs, m.Getenv), it.Inputs, true))
	if err != nil {
		return plainInputs(err)
	}
	found, err := m.runFolder(gh, it, set)
	if err != nil {
		return err
	}
	gh.Say(found.table)
	file, err := m.keepReport(it.Name, found.report)
	if err != nil {
		gh.Warn("", err.Error()) // the log and the summary contain the same
	}
	for _, out := range append(found.outputs, output{"report", file}) {
		if err := gh.Output(out.name, out.value); err != nil {
			return err
		}
	}
	if set.summary {
		if err := gh.Summarize(found.page()); err != nil {
			gh.Warn("", err.Error())
		}
	}
	return errors.Join(found.told, found.verdict)
}

// Command runs outside a workflow: in a terminal, from cron or in another CI. It writes a
// table to Out, or the report as JSON if asJSON is true, and messages to Err. It returns the
// exit code.
func (m Machine) Command(it FolderRun, in input.Values, asJSON bool) int {
	gh := m.terminal(it.Inputs)
	set, err := it.parse(m.parser(in, it.Inputs, false))
	if err != nil {
		gh.Failed(plainInputs(err))
		return ExitUsage
	}
	if needed := set.asks(); needed != nil && !m.Confirm(needed.question) {
		gh.Failed(needed.refused)
		return ExitUsage
	}
	found, err := m.runFolder(gh, it, set)
	if err == nil {
		err = errors.Join(show(m.Out, asJSON, found), found.told)
	}
	code := exitFailed
	if err == nil && errors.Is(found.verdict, errFound) {
		code = exitFound
	}
	if err = errors.Join(err, found.verdict); err == nil {
		return 0
	}
	gh.Failed(err)
	return code
}

func show(out io.Writer, asJSON bool, found result) error {
	if !asJSON {
		_, err := io.WriteString(out, found.table)
		return err
	}
	return found.report.WriteJSON(out)
}

// garbagePercent is the GC percent of a run over a folder; see [debug.SetGCPercent]. A run
// keeps the account's list and a little of each entry, and by default Go lets that double
// before it collects. A memory limit would not do: above the limit, a run over more entries
// would do little but collect.
const garbagePercent = 20

// runFolder does the work of Step and Command.
func (m Machine) runFolder(gh *runner.Runner, it FolderRun, set folderSettings) (result, error) {
	defer debug.SetGCPercent(debug.SetGCPercent(garbagePercent))
	if err := gh.MaskAll(set.secrets); err != nil {
		return result{}, err
	}
	s, end := m.newSession(gh, settings{connection: set.connection}, set.timeout, m.Stop)
	defer end()
	found, err := s.inFolder(s.step, it, set)
	if ended := s.ended(s.step); ended != nil {
		err = ended
	}
	return found, err
}

// plainInputs turns a missing credential into an ordinary input error.
func plainInputs(err error) error {
	if missing, ok := errors.AsType[*missingCredentialError](err); ok {
		return badInputs(missing.problems)
	}
	return err
}

// keepReport writes a report to a file for later steps and returns its path.
func (m Machine) keepReport(name string, report writer) (string, error) {
	name = filepath.Join(m.Getenv("RUNNER_TEMP"), "paistrike-"+name+"-"+strings.ToLower(randomText()[:10])+".json")
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // RUNNER_TEMP is the runner's
	if err == nil {
		err = errors.Join(report.WriteJSON(file), file.Close())
	}
	if err != nil {
		return "", runner.FileFailed("the report", err)
	}
	return name, nil
}

// inFolder runs while logged in to the store.
func (s *session) inFolder(ctx context.Context, it FolderRun, set folderSettings) (result, error) {
	there, err := s.open()
	if err != nil {
		return result{}, err
	}
	defer there.leave(ctx)
	engine, err := s.engine(ctx, there, it.alone)
	if err != nil {
		return result{}, err
	}
	entries, err := s.entries(ctx, there, set)
	if err != nil {
		return result{}, err
	}
	return it.run(s, ctx, engine, entries, set)
}

// rotate rotates the due entries.
func (s *session) rotate(ctx context.Context, engine *rotation.Engine, entries []entry.Location, set folderSettings) (result, error) {
	options := fleet.Options{Concurrency: set.concurrency, DryRun: set.dryRun, Force: set.force, Adopt: set.adopt, RevokePrevious: set.revokePrevious, Succeed: set.single, OnlyDue: set.onlyDue, Progress: s.progress()}
	if err := s.refuseManagedBroker(ctx, engine, set); err != nil {
		return result{}, err
	}
	found, err := fleet.Rotate(ctx, engine, entries, options)
	if err != nil {
		return result{}, s.brokerFailed(ctx, err)
	}
	verdict := rotationVerdict(found, set.failOn)
	return result{
		report: found, table: report.RotationTable(found, s.width), verdict: verdict,
		page: func() string { return report.RotationPage(found, set.where()) },
		outputs: []output{
			{"rotated", strconv.Itoa(found.Rotated)},
			{"retired", strconv.Itoa(found.Retired)},
			{"swept", strconv.Itoa(found.Swept)},
			{"failed", strconv.Itoa(found.Failed)},
			{"due", strconv.Itoa(found.Due)},
			{"overdue", strconv.Itoa(found.Overdue)},
			{"next_rotation_at", report.Stamp(found.NextRotationAt)},
		},
	}, nil
}

// refuseManagedBroker rejects a run if the management token is itself one of the managed
// tokens. Then either the inputs name an integration's entry by mistake, or the management
// token is stored where every writer of the folder can replace it.
func (s *session) refuseManagedBroker(ctx context.Context, engine *rotation.Engine, set folderSettings) error {
	if !set.holdsBroker() {
		return nil
	}
	seen, err := engine.Look(ctx, set.at)
	switch {
	case err != nil:
		return s.brokerFailed(ctx, err)
	case !seen.Managed || seen.Foreign():
		return nil
	}
	return managedBroker(set.place(set.at), set.where(), seen.Mirror.TokenName)
}

// audit compares PAIStrike with the store.
func (s *session) audit(ctx context.Context, engine *rotation.Engine, entries []entry.Location, set folderSettings) (result, error) {
	found, err := fleet.Audit(ctx, engine, entries, fleet.AuditOptions{
		Limits: set.limits, Concurrency: set.concurrency, Sweep: set.sweep, Progress: s.progress(),
	})
	if err != nil {
		return result{}, s.brokerFailed(ctx, err)
	}
	told := set.notices.tell(ctx, found, set, s.version)
	return result{
		report: found, table: report.AuditTable(found, s.width), told: told, verdict: auditVerdict(found, set.failOn),
		page: func() string { return report.AuditPage(found, set.where()) },
		outputs: []output{
			{"findings", strconv.Itoa(len(found.Findings))},
			{"errors", strconv.Itoa(found.Errors)},
			{"warnings", strconv.Itoa(found.Warnings)},
			{"swept", strconv.Itoa(found.Swept)},
			{"failed", strconv.Itoa(found.Failed)},
			{"tokens", strconv.Itoa(found.Tokens)},
		},
	}, nil
}

// abandon closes the entries of a PAIStrike that no longer exists.
func (s *session) abandon(ctx context.Context, engine *rotation.Engine, entries []entry.Location, set folderSettings) (result, error) {
	found := fleet.Abandon(ctx, engine, entries, fleet.AbandonOptions{
		Endpoint: set.gone, Concurrency: set.concurrency, DryRun: set.dryRun, Progress: s.progress(),
	})
	return result{report: found, table: report.AbandonTable(found, s.width), verdict: abandonVerdict(found, set.where())}, nil
}

// engine returns the engine of a run. If alone is true, it has no PAIStrike client and needs
// no credential.
func (s *session) engine(ctx context.Context, there store, alone bool) (*rotation.Engine, error) {
	if alone {
		return rotation.New(rotation.Unasked{}, there), nil
	}
	broker, err := s.credential(ctx, there)
	if err != nil {
		return nil, err
	}
	client, err := s.client(broker.Secret)
	if err != nil {
		return nil, err
	}
	return rotation.New(rotation.PAIStrike{Client: client}, there, rotation.WithTogether(rotation.SideBySide)), nil
}

// entries returns the entries of a run.
func (s *session) entries(ctx context.Context, there store, set folderSettings) ([]entry.Location, error) {
	if set.single {
		return []entry.Location{set.folder}, nil
	}
	entries, err := fleet.Walk(ctx, there, set.folder, set.concurrency)
	if err != nil && !errors.Is(err, fleet.ErrNothingFound) {
		return nil, there.listFailed(ctx, set.folder, err)
	}
	if len(entries) == 0 && !set.allowEmpty {
		return nil, there.nothingFound(set.folder)
	}
	return set.shard.Pick(entries), nil
}

// progressLines is the number of progress messages of a long run.
const progressLines = 10

// progress returns a function that reports the progress of a run with many entries. The fleet
// package calls it for one entry at a time.
func (s *session) progress() func(done, total int) {
	began := s.now()
	return func(done, total int) {
		if total < 5*progressLines || done*progressLines/total == (done-1)*progressLines/total {
			return
		}
		s.gh.Say(fmt.Sprintf("%d of %d entries, %s", done, total, s.now().Sub(began).Round(time.Second)))
	}
}
