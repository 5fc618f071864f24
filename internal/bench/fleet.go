package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/paistrike/terraform-provider-paistrike/internal/bench/fleetmodel"
	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
)

// modelAim is the maximum relative deviation of a scheduled rotation from the model's
// prediction.
const modelAim = 0.15

// A fleet that ten processes divide, and a limit that their requests need two windows of.
const (
	shards         = 10
	shardedEntries = 1000
	shardedLimit   = 60 // requests a minute
)

// fleet compares the model of the scale guide with the program itself, over servers some
// way off, and then divides a fleet. Nearly all of the time is distance, or a limit.
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
	return b.sharded(ctx, program, r)
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

// sharded runs all shards of a scheduled rotation at once, under one announced limit.
func (b *bench) sharded(ctx context.Context, program string, r *report) (err error) {
	w, err := b.aged(ctx, shardedEntries)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	w.paistrike.Clock().Real() // the minutes of the limit pass
	w.paistrike.SetPolicy(sandbox.Policy{RatePerMinute: shardedLimit, RateHeaders: sandbox.RateStructured})
	if err := w.forget(ctx); err != nil {
		return err
	}
	began := time.Now()
	var rotated atomic.Int64
	group, each := errgroup.WithContext(ctx)
	for i := range shards {
		group.Go(func() error {
			_, said, err := watch(w.overAll(each, program, "rotate", "--only-due", "--shard", fmt.Sprintf("%d/%d", i+1, shards)))
			if err != nil {
				return fmt.Errorf("shard %d: %w\n%s", i+1, err, said)
			}
			rotated.Add(rotatedIn(said))
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	took := time.Since(began)
	if want := dueOf(shardedEntries); int(rotated.Load()) != want {
		return fmt.Errorf("the shards rotated %d entries, %d were due", rotated.Load(), want)
	}
	c, err := w.calls(ctx)
	if err != nil {
		return err
	}
	name := fmt.Sprintf("scheduled rotation, %d entries in %d shards at once, at most %d requests a minute, announced", shardedEntries, shards, shardedLimit)
	r.add(name+": wall time", took.Seconds(), "s")
	r.requests(name+": PAIStrike", float64(c.paistrike()), shards*((shardedEntries+99)/100+1)+2*dueOf(shardedEntries)+w.refused())
	r.add(name+": refused with 429", float64(w.refused()), unitRequests)
	r.aim(name+": share of all requests", float64(w.refused())/float64(c.paistrike()), "of 1", refusedAim)
	r.explain(name, c)
	return nil
}

// rotatedIn returns how many entries were rotated, by the line of a command that counts them.
func rotatedIn(said string) int64 {
	for line := range strings.Lines(said) {
		if number, _, counts := strings.Cut(line, " rotated, "); counts {
			rotated, _ := strconv.ParseInt(number, 10, 64) // 0 is found to be wrong
			return rotated
		}
	}
	return 0
}
