package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/paistrike/terraform-provider-paistrike/internal/tfcli"
)

// step is one command in the tokens' life.
type step struct {
	name    string
	args    []string
	promise promise
	// most is the aim for the time, as a multiple of the floor; 0 = no aim.
	most float64
	// creates means that the state is written in full: its length is measured, and the time
	// is also compared with that of resources with equally long state.
	creates bool
}

// promise is the maximum number of requests of a step; 0 = no promise.
type promise struct {
	paistrike int // the token list has pages of 100
	vault     int // four are shared: the mount, its settings, the clock, the token lookup
	perToken  int
}

func steps(n int) []step {
	quiet := []string{"-no-color", "-input=false"}
	with := func(args ...string) []string { return append(args, quiet...) }
	return []step{
		{"create", with("apply", "-auto-approve"), promise{perToken: 7}, 1.25, true},
		{"no-op plan", with("plan", "-detailed-exitcode"), promise{paistrike: (n+99)/100 + 2, vault: n + 4}, 1.3, false},
		{"refresh-only", with("apply", "-refresh-only", "-auto-approve"), promise{paistrike: (n+99)/100 + 2, vault: n + 4}, 0, false},
		{"rotate all", with("apply", "-auto-approve", "-var", "incident=now"), promise{}, 0, false},
		{"destroy", with("destroy", "-auto-approve", "-var", "incident=now"), promise{}, 0, false},
	}
}

// memoryAim is the aim for the provider's memory, as a multiple of the time provider's.
const memoryAim = 1.5

// life takes n tokens through their life, each step in its own run, and the same number of
// resources of the time provider.
func (b *bench) life(ctx context.Context, n int, r *report) (err error) {
	w, err := b.newWorld(ctx, n)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	var floor *tfcli.Workspace
	if b.floor != "" {
		if floor, err = b.newFloor(n, 0); err != nil {
			return err
		}
	}
	var peak, floorPeak uint64
	for _, step := range steps(n) {
		name := fmt.Sprintf("%s, %d tokens", step.name, n)
		took, c, err := w.measure(ctx, step.args...)
		if err != nil {
			return err
		}
		r.usage(name, took)
		r.requests(name+": PAIStrike", float64(c.paistrike()), step.promise.paistrike)
		r.requests(name+": Vault", float64(c.vault()), step.promise.vault)
		r.requests(name+": per token, beside what all share", float64(c.perToken())/float64(n), step.promise.perToken)
		r.explain(name, c)
		peak = max(peak, took.providerMemory)
		least, err := b.compare(ctx, n, w, floor, name, took, step, r)
		if err != nil {
			return err
		}
		floorPeak = max(floorPeak, least.providerMemory)
	}
	if floorPeak > 0 {
		r.aim(fmt.Sprintf("peak memory of the provider, %d tokens, against the time provider", n), float64(peak)/float64(floorPeak), "times", memoryAim)
	}
	return nil
}

// compare also runs a step in the floor, if there is one. After the first step it reports the
// length of a token's state.
func (b *bench) compare(ctx context.Context, n int, w *world, floor *tfcli.Workspace, name string, took usage, s step, r *report) (least usage, err error) {
	if floor != nil {
		if least, err = r.against(ctx, floor, "floor", name, took, s); err != nil {
			return usage{}, err
		}
	}
	if !s.creates {
		return least, nil
	}
	if err := r.state(name, w.tf, floor); err != nil || floor == nil {
		return least, err
	}
	return least, b.asLong(ctx, n, name, took, s, r)
}

// against runs a step in a workspace without requests, and compares the usage.
func (r *report) against(ctx context.Context, floor *tfcli.Workspace, what, name string, took usage, s step) (usage, error) {
	least, err := runMeasured(ctx, floor, s.args...)
	if err != nil {
		return usage{}, err
	}
	r.usage(name+", "+what, least)
	r.aim(name+": wall time against the "+what, took.wall.Seconds()/least.wall.Seconds(), "times", s.most)
	return least, nil
}

// asLong compares a step with one of resources with equally long state: time between the
// floor and this is Terraform's own. It has no aim.
func (b *bench) asLong(ctx context.Context, n int, name string, took usage, s step, r *report) error {
	floor, err := b.newFloor(n, stateValues)
	if err != nil {
		return err
	}
	s.most = 0
	_, err = r.against(ctx, floor, "floor with a state as long", name, took, s)
	return err
}
