package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

const (
	startRuns = 15
	startAim  = 1.1
)

// startUp compares the start-up time of the provider with the time provider's: for
// `validate`, which starts it twice, and for the program alone, until it prints its address.
func (b *bench) startUp(ctx context.Context, r *report) (err error) {
	if b.floor == "" {
		return nil
	}
	w, err := b.newWorld(ctx, 1)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	floor, err := b.newFloor(1, 0)
	if err != nil {
		return err
	}
	var ours, theirs, oursAlone, theirsAlone []time.Duration
	for range startRuns { // alternately, so that temporary load affects both
		for tf, into := range map[bool]*[]time.Duration{true: &ours, false: &theirs} {
			workspace := floor
			if tf {
				workspace = w.tf
			}
			took, err := runMeasured(ctx, workspace, "validate", "-no-color")
			if err != nil {
				return err
			}
			*into = append(*into, took.wall)
		}
		for program, into := range map[string]*[]time.Duration{
			filepath.Join(b.dir, "terraform-provider-paistrike"): &oursAlone, b.floor: &theirsAlone,
		} {
			took, err := handshake(ctx, program)
			if err != nil {
				return err
			}
			*into = append(*into, took)
		}
	}
	r.add("validate: wall time", median(ours).Seconds(), "s")
	r.aim("validate: against the time provider", median(ours).Seconds()/median(theirs).Seconds(), "times", startAim)
	r.add("start of the provider", median(oursAlone).Seconds(), "s")
	r.aim("start of the provider: against the time provider", median(oursAlone).Seconds()/median(theirsAlone).Seconds(), "times", startAim)
	return nil
}

// handshake starts a provider as Terraform does, and stops it after it has printed its
// address.
func handshake(ctx context.Context, program string) (took time.Duration, err error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	cmd := exec.CommandContext(ctx, program) //nolint:gosec // built from pinned sources
	// Values of Terraform's plugin protocol.
	cmd.Env = append(os.Environ(), "PLUGIN_PROTOCOL_VERSIONS=5,6",
		"TF_PLUGIN_MAGIC_COOKIE=d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2")
	output, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	_, err = bufio.NewReader(output).ReadString('\n')
	took = time.Since(began)
	stop()
	_ = cmd.Wait() // it was killed
	if err != nil {
		return 0, fmt.Errorf("%s said nothing: %w", filepath.Base(program), err)
	}
	return took, nil
}
