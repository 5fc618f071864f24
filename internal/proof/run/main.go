// Command run runs the tests behind the reliability guide and then prints the number of cases
// they have tried:
//
//	go run ./internal/proof/run             runs only those tests and prints progress
//	go run ./internal/proof/run go test ... runs any command and sums up the cases of its tests
//	go run ./internal/proof/run -race       runs only the races, under the race detector
//	go run ./internal/proof/run -chaos 7 1m continues for a minute from a seed; "" picks a random one
//
// It fails if a test fails, an invariant was violated, a mutant was not detected, or a kind
// of proof did not run.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

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

// Tests that contribute.
const (
	sweeps = "^(TestEverySingleFault|TestPairsOfFaults|TestExplorer|TestMutantsAreCaught|TestLies|TestAWSPreviousKeepsTheFormerToken|TestHandWrittenBetweenObserveAndPublish|TestChaos|TestSoak)$"
	races  = "^(TestSixtyFourRunsAtOnceRotateOnce|TestManyFirstCreates|TestTerraformAndAScheduledRunAtOnce|TestDestroyAgainstRotate|TestTwoVaultsWithEqualPathsShareAnAccount)$"
	kills  = "^(TestTerraformKilledAtEveryStep|TestRunKilledAtEveryStep)$"
)

// prove runs the proofs one after the other.
func prove(ctx context.Context, env []string, stdout io.Writer) error {
	return errors.Join(
		test(ctx, env, stdout, "processes killed between two steps", "-run", kills, "./e2e"),
		race(ctx, env, stdout),
		test(ctx, env, stdout, "faults, states and broken rules", "-run", sweeps, "./internal/rotation"),
	)
}

// race runs the races, under the race detector if there is a C compiler, which it requires.
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

// chaos runs from a seed for a duration, and prints one line per store unless there is a
// violation.
func chaos(ctx context.Context, seed, duration string, stdout io.Writer) error {
	if seed == "" {
		seed = strconv.FormatUint(uint64(rand.Uint32())+1, 10) //nolint:gosec // a seed is no secret
	}
	if _, err := time.ParseDuration(duration); err != nil {
		return fmt.Errorf("how long to go on: %w", err)
	}
	//nolint:gosec // the caller's own seed
	cmd := exec.CommandContext(ctx, "go", "test", "-count=1", "-timeout=0", "-run=^TestChaos$", "./internal/rotation", "-args", "-chaos-seed="+seed, "-chaos-for="+duration)
	file, remove, err := tallies()
	if err != nil {
		return err
	}
	defer remove()
	cmd.Env = append(os.Environ(), proof.FileVariable+"="+file)
	output, failed := cmd.CombinedOutput()
	if failed != nil {
		fmt.Fprintf(stdout, "%s", output)
	}
	sum, err := sumOf(file)
	for _, note := range sum.Notes() {
		fmt.Fprintln(stdout, note)
	}
	return errors.Join(failed, err)
}

// tallies creates a file for tallies.
func tallies() (file string, remove func(), err error) {
	dir, err := os.MkdirTemp("", "paistrike-proof-")
	if err != nil {
		return "", nil, err
	}
	return filepath.Join(dir, "tallies"), func() { _ = os.RemoveAll(dir) }, nil
}

// run sums up the cases of the given command or, without one, of the proofs.
func run(ctx context.Context, command []string, stdout, stderr io.Writer) error {
	if slices.Equal(command, []string{"-race"}) {
		return race(ctx, os.Environ(), stdout)
	}
	if len(command) == 3 && command[0] == "-chaos" {
		return chaos(ctx, command[1], command[2], stdout)
	}
	file, remove, err := tallies()
	if err != nil {
		return err
	}
	defer remove()
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

// conclude prints the sum of the tallies.
func conclude(name string, stdout io.Writer) error {
	sum, err := sumOf(name)
	if err != nil {
		return err
	}
	for _, note := range sum.Notes() {
		fmt.Fprintln(stdout, note)
	}
	_, err = fmt.Fprintln(stdout, strings.TrimSpace(sum.String()))
	return errors.Join(err, sum.Err())
}

// sumOf sums up a file of tallies.
func sumOf(name string) (proof.Sum, error) {
	file, err := os.Open(name) //nolint:gosec // our own file
	if errors.Is(err, os.ErrNotExist) {
		return proof.Sum{}, errors.New("no test took part")
	}
	if err != nil {
		return proof.Sum{}, err
	}
	defer file.Close() //nolint:errcheck // it was only read
	return proof.Read(file)
}
