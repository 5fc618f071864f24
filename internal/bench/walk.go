package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// A month after provisioning, one entry in a hundred is due.
const (
	month     = 31 * 24 * time.Hour
	dueOneIn  = 100
	growthAim = 1.3 // time per entry with the most entries, relative to the second most
	atOnce    = 8   // entries that a run processes concurrently

	// MiB that a run may take: up to so many entries, and above.
	walkerAim, walkerAimUpTo, fleetAim = 64, 10_000, 120
)

// worldFindings ends the report of an audit that found no problem except with the tokens of the
// bench itself.
const worldFindings = "0 errors, 5 warnings"

// sample is the duration of a walk over a number of entries.
type sample struct {
	entries int
	took    time.Duration
}

// walk measures scheduled rotations over folders of increasing size.
func (b *bench) walk(ctx context.Context, counts []int, r *report) error {
	program := filepath.Join(b.dir, "paistrike-action")
	if err := buildAction(ctx, program); err != nil {
		return err
	}
	for _, n := range counts {
		if err := b.walkOver(ctx, program, n, r); err != nil {
			return fmt.Errorf("%d entries: %w", n, err)
		}
	}
	if last := len(r.growth) - 1; last > 0 {
		each := func(s sample) float64 { return s.took.Seconds() / float64(s.entries) }
		r.aim(fmt.Sprintf("scheduled rotation: time per entry, %d entries against %d", r.growth[last].entries, r.growth[last-1].entries),
			each(r.growth[last])/each(r.growth[last-1]), "times", growthAim)
	}
	return nil
}

// aged returns a world whose entries were provisioned a month ago, so that some are due.
func (b *bench) aged(ctx context.Context, n int) (*world, error) {
	w, err := b.newWorldAt(ctx, 1, time.Now().Add(-month))
	if err != nil {
		return nil, err
	}
	made, err := w.provision(ctx, n, dueOf(n))
	if err := errors.Join(err, w.keepBroker(ctx)); err != nil {
		return nil, errors.Join(err, w.close())
	}
	w.paistrike.Clock().Advance(month)
	if err := made.use(ctx); err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

// dueOf returns the number of due entries.
func dueOf(n int) int { return (n + dueOneIn - 1) / dueOneIn }

// foldersOf returns the number of folders with entries.
func foldersOf(n int) int { return min(n, dueOneIn) }

// command runs a command of the action's program over all entries, and counts its requests.
func (w *world) command(ctx context.Context, program string, args ...string) (usage, calls, string, error) {
	if err := w.forget(ctx); err != nil {
		return usage{}, nil, "", err
	}
	took, said, err := watch(w.overAll(ctx, program, args...))
	if err != nil {
		return took, nil, said, fmt.Errorf("%s: %w\n%s", args[0], err, said)
	}
	c, err := w.calls(ctx)
	return took, c, said, err
}

// overAll is a command of the action's program over all entries.
func (w *world) overAll(ctx context.Context, program string, args ...string) *exec.Cmd {
	args = append(args, "--vault-prefix", "bench", "--broker-path", "ci/broker", "--concurrency", strconv.Itoa(atOnce))
	cmd := exec.CommandContext(ctx, program, args...) //nolint:gosec // built here
	cmd.Env = []string{"PAISTRIKE_ENDPOINT=" + w.api.URL, "VAULT_ADDR=" + w.vault, "VAULT_TOKEN=" + rootToken}
	return cmd
}

// rotateDue runs a scheduled rotation.
func (w *world) rotateDue(ctx context.Context, program string, n int) (usage, calls, error) {
	took, c, said, err := w.command(ctx, program, "rotate", "--only-due")
	if err == nil && !strings.Contains(said, fmt.Sprintf("%d rotated, ", dueOf(n))) {
		err = fmt.Errorf("not the %d entries that are due were rotated:\n%s", dueOf(n), said)
	}
	return took, c, err
}

func (b *bench) walkOver(ctx context.Context, program string, n int, r *report) (err error) {
	w, err := b.aged(ctx, n)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	took, c, err := w.rotateDue(ctx, program, n)
	if err != nil {
		return err
	}
	pages, due := (n+99)/100, dueOf(n)
	name := fmt.Sprintf("scheduled rotation, %d entries, %d due", n, due)
	r.process(name, took, n)
	r.requests(name+": PAIStrike", float64(c.paistrike()), pages+2+2*due)
	r.requests(name+": Vault", float64(c.vault()), n+foldersOf(n)+6+4*due)
	r.explain(name, c)
	r.growth = append(r.growth, sample{n, took.wall})

	took, c, said, err := w.command(ctx, program, "audit")
	if err == nil && !strings.Contains(said, worldFindings) {
		err = fmt.Errorf("the audit found something about the entries:\n%s", said)
	}
	if err != nil {
		return err
	}
	name = fmt.Sprintf("audit, %d entries", n)
	r.process(name, took, n)
	r.requests(name+": PAIStrike", float64(c.paistrike()), (n+due+99)/100+2)
	r.requests(name+": Vault", float64(c.vault()), n+foldersOf(n)+6)
	r.explain(name, c)
	return nil
}

// process adds the usage of one run over many entries.
func (r *report) process(name string, took usage, entries int) {
	r.add(name+": wall time", took.wall.Seconds(), "s")
	r.add(name+": CPU", took.cpu.Seconds(), "s")
	if took.cliMemory > 0 {
		most := walkerAim
		if entries > walkerAimUpTo {
			most = fleetAim
		}
		r.aim(name+": peak memory", float64(took.cliMemory)/(1<<20), "MiB", float64(most))
	}
}

// plot draws the time over the number of entries, both on logarithmic scales: linear growth
// is a straight line at 45 degrees.
func plot(samples []sample) string {
	const width, height, margin = 640, 420, 60
	first, last := samples[0], samples[len(samples)-1]
	span := func(from, to float64) float64 { return max(math.Log10(to)-math.Log10(from), 1) }
	decades := max(span(float64(first.entries), float64(last.entries)), span(first.took.Seconds(), last.took.Seconds()))
	x := func(entries int) float64 {
		return margin + (math.Log10(float64(entries))-math.Log10(float64(first.entries)))/decades*(width-2*margin)
	}
	y := func(took time.Duration) float64 {
		return height - margin - (math.Log10(took.Seconds())-math.Log10(first.took.Seconds()))/decades*(height-2*margin)
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`+"\n", width, height)
	b.WriteString("<title>A scheduled rotation: time by number of entries, 1 in 100 due</title>\n")
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="white"/>`+"\n", width, height)
	fmt.Fprintf(&b, `<line x1="%d" y1="%d" x2="%d" y2="%d" stroke="#bbb" stroke-dasharray="4 4"/>`+"\n", margin, height-margin, width-margin, margin)
	fmt.Fprintf(&b, `<text x="%d" y="%d" fill="#888" text-anchor="end">linear</text>`+"\n", width-margin, margin-8)
	var line []string
	for _, s := range samples {
		line = append(line, fmt.Sprintf("%.1f,%.1f", x(s.entries), y(s.took)))
	}
	fmt.Fprintf(&b, `<polyline points="%s" fill="none" stroke="#6b46c1" stroke-width="2"/>`+"\n", strings.Join(line, " "))
	for _, s := range samples {
		fmt.Fprintf(&b, `<circle cx="%.1f" cy="%.1f" r="4" fill="#6b46c1"/>`+"\n", x(s.entries), y(s.took))
		fmt.Fprintf(&b, `<text x="%.1f" y="%d" text-anchor="middle">%d</text>`+"\n", x(s.entries), height-margin+20, s.entries)
		fmt.Fprintf(&b, `<text x="%.1f" y="%.1f" text-anchor="end">%s</text>`+"\n", x(s.entries)-8, y(s.took)-6, s.took.Round(time.Millisecond))
	}
	fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="middle">entries</text>`+"\n</svg>\n", width/2, height-12)
	return b.String()
}
