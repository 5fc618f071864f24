// Command bench measures what the provider costs: how long a Terraform run takes
// and how many requests it makes, for few and for many tokens. It also compares a step
// of the action with an empty one.
//
// Everything is on this machine: the PAIStrike sandbox, Vault's KV engine, and the
// CLI that TF_CLIS names first. Requests are counted from the servers' journals, so
// they are the same on every machine; times are not. It ends with an error where
// more requests are made than promised.
//
//	go run ./internal/bench [-n 10,100,500]
//
// BENCH_JSON names a file that gets the numbers as JSON.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/tfcli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Getenv("BENCH_JSON")); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// errMissed ends a run in which a promise was not kept.
var errMissed = errors.New("more requests than promised")

func run(ctx context.Context, args []string, out io.Writer, jsonFile string) (err error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	sizes := flags.String("n", "10,100,500", "numbers of tokens, separated by commas")
	if err := flags.Parse(args); err != nil {
		return err
	}
	counts, err := numbers(*sizes)
	if err != nil {
		return err
	}
	b, err := newBench(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()
	fmt.Fprintf(out, "%s, %d CPUs, %s/%s\n", filepath.Base(b.program), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH)

	var r report
	for _, n := range counts {
		if err := b.life(ctx, n, &r); err != nil {
			return fmt.Errorf("%d tokens: %w", n, err)
		}
	}
	if err := b.parallel(ctx, &r); err != nil {
		return fmt.Errorf("in parallel: %w", err)
	}
	if err := b.action(ctx, &r); err != nil {
		return fmt.Errorf("the action: %w", err)
	}
	if err := r.print(out); err != nil {
		return err
	}
	if jsonFile != "" {
		if err := r.write(jsonFile); err != nil {
			return err
		}
	}
	if r.missed() {
		return errMissed
	}
	return nil
}

func numbers(text string) ([]int, error) {
	var all []int
	for part := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(part))
		if err != nil || n < 1 {
			return nil, fmt.Errorf("-n: %q is not a number of tokens", part)
		}
		all = append(all, n)
	}
	return all, nil
}

// bench is what all measurements share: the program and the built provider.
type bench struct {
	dir     string // removed at the end
	program string
}

func newBench(ctx context.Context) (*bench, error) {
	programs, err := tfcli.Programs()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "paistrike-bench-")
	if err != nil {
		return nil, err
	}
	b := &bench{dir: dir, program: programs[0]}
	if err := tfcli.BuildProvider(ctx, dir); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return b, nil
}

// life takes n tokens through their life, each step in a run of its own.
func (b *bench) life(ctx context.Context, n int, r *report) (err error) {
	w, err := b.newWorld(ctx, n)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	for _, step := range []struct {
		name    string
		args    []string
		promise promise
	}{
		{"create", []string{"apply", "-auto-approve", "-no-color"}, promise{perToken: 7}},
		{"no-op plan", []string{"plan", "-detailed-exitcode", "-no-color"}, promise{paistrike: (n+99)/100 + 2, vault: n + 4}},
		{"destroy", []string{"destroy", "-auto-approve", "-no-color"}, promise{}},
	} {
		wall, c, err := w.measure(ctx, step.args...)
		if err != nil {
			return err
		}
		name := fmt.Sprintf("%s, %d tokens", step.name, n)
		r.add(name+": wall time", wall.Seconds(), "s")
		r.atMost(name+": PAIStrike", float64(c.paistrike()), step.promise.paistrike)
		r.atMost(name+": Vault", float64(c.vault()), step.promise.vault)
		r.atMost(name+": per token, beside what all share", float64(c.perToken())/float64(n), step.promise.perToken)
		r.explain(name, c)
	}
	return nil
}

// promise is how many requests a step makes at most; 0 promises nothing.
type promise struct {
	paistrike int // the token list is read in pages of 100
	vault     int // four of them are shared: the mount, its settings, the clock, the login
	perToken  int
}

// The servers of the parallel measurement answer as if they were some way off.
const (
	distantTokens = 20
	distance      = 25 * time.Millisecond
)

// parallel compares an apply of one token after the other with the ten at a time
// that Terraform does by default.
func (b *bench) parallel(ctx context.Context, r *report) error {
	var walls [2]time.Duration
	for i, parallelism := range []int{1, 10} {
		wall, err := b.distant(ctx, parallelism)
		if err != nil {
			return err
		}
		walls[i] = wall
		r.add(fmt.Sprintf("create, %d tokens, %s per request, -parallelism=%d: wall time", distantTokens, distance, parallelism), wall.Seconds(), "s")
	}
	r.add("one at a time takes this many times as long as ten at a time", walls[0].Seconds()/walls[1].Seconds(), "times")
	return nil
}

func (b *bench) distant(ctx context.Context, parallelism int) (wall time.Duration, err error) {
	w, err := b.newWorld(ctx, distantTokens)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	if err := w.slow(ctx, distance); err != nil {
		return 0, err
	}
	wall, _, err = w.measure(ctx, "apply", "-auto-approve", "-no-color", fmt.Sprintf("-parallelism=%d", parallelism))
	return wall, err
}
