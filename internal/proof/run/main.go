// Command run runs the tests behind the reliability guide and ends with the line
// that says how much they have tried:
//
//	go run ./internal/proof/run             runs those tests alone and says how far it is
//	go run ./internal/proof/run go test ... runs any command, and sums up what its tests tried
//	go run ./internal/proof/run -race       runs only the races, under the race detector
//
// It fails when a test does, when an invariant was violated, when a broken rule was
// not noticed, and when one of the kinds of proof did not run.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/paistrike/terraform-provider-paistrike/internal/proof"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "proof:", err)
		stop()
		os.Exit(1)
	}
}

// The tests that take part.
const (
	sweeps = "^(TestEverySingleFault|TestPairsOfFaults|TestExplorer|TestMutantsAreCaught|TestLies|TestHandWrittenBetweenObserveAndPublish|TestSoak)$"
	races  = "^(TestSixtyFourRunsAtOnceRotateOnce|TestManyFirstCreates|TestTerraformAndAScheduledRunAtOnce|TestDestroyAgainstRotate|TestTwoVaultsWithEqualPathsShareAnAccount)$"
	kills  = "^(TestTerraformKilledAtEveryStep|TestRunKilledAtEveryStep)$"
)

// prove runs the proofs, step by step.
func prove(ctx context.Context, env []string, stdout io.Writer) error {
	return errors.Join(
		test(ctx, env, stdout, "processes killed between two steps", "-run", kills, "./e2e"),
		race(ctx, env, stdout),
		test(ctx, env, stdout, "faults, states and broken rules", "-run", sweeps, "./internal/rotation"),
	)
}

// race runs the races, under the detector where there is a C compiler, which the
// detector needs.
func race(ctx context.Context, env []string, stdout io.Writer) error {
	args := []string{"-run", races, "./internal/rotation"}
	title := "competing runs"
	if _, err := exec.LookPath("cc"); err == nil {
		args = append([]string{"-race"}, args...)
		env = append(env, "CGO_ENABLED=1")
		title += ", under the race detector"
	}
	return test(ctx, env, stdout, title, args...)
}

// run sums up what the given command has tried, or the proofs themselves.
func run(ctx context.Context, command []string, stdout, stderr io.Writer) error {
	if slices.Equal(command, []string{"-race"}) {
		return race(ctx, os.Environ(), stdout)
	}
	dir, err := os.MkdirTemp("", "paistrike-proof-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file := filepath.Join(dir, "tallies")
	env := append(os.Environ(), proof.FileVariable+"="+file)
	var failed error
	if len(command) > 0 {
		cmd := exec.CommandContext(ctx, command[0], command[1:]...) //nolint:gosec // the caller's own command
		cmd.Env, cmd.Stdout, cmd.Stderr = env, stdout, stderr
		failed = cmd.Run()
	} else {
		failed = prove(ctx, env, stdout)
	}
	if ctx.Err() != nil {
		return errors.New("interrupted")
	}
	return errors.Join(failed, conclude(file, stdout))
}

// conclude prints what the tallies come to.
func conclude(name string, stdout io.Writer) error {
	file, err := os.Open(name) //nolint:gosec // our own file
	if errors.Is(err, os.ErrNotExist) {
		return errors.New("no test took part")
	}
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // it was only read
	sum, err := proof.Read(file)
	if err != nil {
		return err
	}
	for _, note := range sum.Notes() {
		fmt.Fprintln(stdout, note)
	}
	_, err = fmt.Fprintln(stdout, strings.TrimSpace(sum.String()))
	return errors.Join(err, sum.Err())
}
