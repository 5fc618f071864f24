package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/bench/fleetmodel"
)

// modelAim is the maximum relative deviation of a scheduled rotation from the model's
// prediction.
const modelAim = 0.15

// fleet compares the model of the scale guide with the program, with distant servers. Nearly
// all of the time is latency, which load does not affect.
func (b *bench) fleet(ctx context.Context, counts []int, r *report) error {
	program := filepath.Join(b.dir, "paistrike-action")
	if err := buildAction(ctx, program); err != nil {
		return err
	}
	for _, n := range counts {
		if err := b.predicted(ctx, program, n, r); err != nil {
			return fmt.Errorf("%d entries: %w", n, err)
		}
	}
	return nil
}

func (b *bench) predicted(ctx context.Context, program string, n int, r *report) (err error) {
	w, err := b.aged(ctx, n)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	if err := w.slow(ctx); err != nil {
		return err
	}
	took, _, err := w.rotateDue(ctx, program, n)
	if err != nil {
		return err
	}
	model := fleetmodel.Fleet{
		Entries: n, Due: dueOf(n), Folders: foldersOf(n), Concurrency: atOnce,
		PAIStrike: paistrikeDistance, Vault: vaultDistance, Processor: fleetmodel.Measured(),
	}.Run()
	name := fmt.Sprintf("scheduled rotation, %d entries, %d due, PAIStrike %s and Vault %s away", n, dueOf(n), paistrikeDistance, vaultDistance)
	r.add(name+": wall time", took.wall.Seconds(), "s")
	r.add(name+": predicted", model.Took.Round(time.Millisecond).Seconds(), "s")
	r.aim(name+": difference from the model", math.Abs(took.wall.Seconds()/model.Took.Seconds()-1), "of 1", modelAim)
	return nil
}
