// Command bench measures the cost of the provider: the duration and the number of requests of
// a Terraform run, for few and many tokens. It also compares a step of the action with an
// empty one.
//
// Everything runs on this machine: the PAIStrike sandbox, Vault's KV engine, and the first
// CLI in TF_CLIS. Requests are counted from the servers' journals and are the same on every
// machine. Times are not, so they are reported as multiples of a floor measured in the same
// run: the same number of resources of the time provider, which does no I/O. The command
// fails if a run makes more requests, or writes more bytes of state, than promised. Times
// have only aims, and the table shows which are met.
//
//	go run ./internal/bench [-n 10,100,1000] [-parts scale,walk,fleet,distance,limit,start,action]
//
// BENCH_JSON names a file for the numbers as JSON, and BENCH_SVG one for a plot of the time
// of a scheduled rotation over the number of entries.
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

	"github.com/paistrike/terraform-provider-paistrike/internal/tfcli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Getenv("BENCH_JSON"), os.Getenv("BENCH_SVG")); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// errMissed reports a broken promise.
var errMissed = errors.New("more requests or bytes than promised")

func run(ctx context.Context, args []string, out io.Writer, jsonFile, svgFile string) (err error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	sizes := flags.String("n", "10,100,1000", "numbers of tokens, separated by commas")
	parts := flags.String("parts", strings.Join(allParts(), ","), "what to measure, separated by commas")
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
	if b.floor == "" {
		fmt.Fprintln(out, "The floor is not measured: the time provider is not built (tools/build time).")
	}
	fmt.Fprintf(out, "%s, %d CPUs, %s/%s\n", filepath.Base(b.program), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH)

	var r report
	for part := range strings.SplitSeq(*parts, ",") {
		if err := b.measure(ctx, part, counts, &r); err != nil {
			return fmt.Errorf("%s: %w", part, err)
		}
	}
	if err := r.print(out); err != nil {
		return err
	}
	if jsonFile != "" {
		if err := r.write(jsonFile); err != nil {
			return err
		}
	}
	if svgFile != "" && len(r.growth) > 0 {
		if err := os.WriteFile(svgFile, []byte(plot(r.growth)), 0o600); err != nil { //nolint:gosec // the user names the file
			return err
		}
	}
	if r.missed() {
		return errMissed
	}
	return nil
}

func allParts() []string {
	return []string{"scale", "walk", "fleet", "distance", "limit", "start", "action"}
}

// measure runs one part of the measurements.
func (b *bench) measure(ctx context.Context, part string, counts []int, r *report) error {
	switch part {
	case "scale":
		for _, n := range counts {
			if err := b.life(ctx, n, r); err != nil {
				return fmt.Errorf("%d tokens: %w", n, err)
			}
		}
		return nil
	case "walk":
		return b.walk(ctx, counts, r)
	case "fleet":
		return b.fleet(ctx, counts, r)
	case "distance":
		return b.distant(ctx, r)
	case "limit":
		return b.limited(ctx, r)
	case "start":
		return b.startUp(ctx, r)
	case "action":
		return b.action(ctx, r)
	}
	return fmt.Errorf("there is no such part, there are %s", strings.Join(allParts(), ", "))
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

// bench contains the program and the built provider, for all measurements.
type bench struct {
	dir     string // removed at the end
	program string
	floor   string // path of the time provider; "" if it is not built
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
	b := &bench{dir: dir, program: programs[0], floor: floorProgram()}
	if err := tfcli.BuildProvider(ctx, dir); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return b, nil
}
