package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Simulated latencies of the servers.
const (
	paistrikeDistance = 50 * time.Millisecond
	vaultDistance     = 10 * time.Millisecond
	distantTokens     = 100
	parallelism       = 10 // Terraform's default
)

// distanceAim is the aim for an apply's time, as a multiple of the time of its requests.
const distanceAim = 1.3

// distant applies many tokens with distant servers, ten at a time, and compares the time with
// the minimum for the sequential requests of each token.
func (b *bench) distant(ctx context.Context, r *report) (err error) {
	w, err := b.newWorld(ctx, distantTokens)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	if err := w.slow(ctx); err != nil {
		return err
	}
	took, c, err := w.measure(ctx, "apply", "-auto-approve", "-no-color", fmt.Sprintf("-parallelism=%d", parallelism))
	if err != nil {
		return err
	}
	bound := c.latency(distantTokens)
	r.explain("create with distant servers", c)
	name := fmt.Sprintf("create, %d tokens, PAIStrike %s and Vault %s away", distantTokens, paistrikeDistance, vaultDistance)
	r.add(name+": wall time", took.wall.Seconds(), "s")
	r.add(name+": what the requests alone take", bound.Seconds(), "s")
	r.aim(name+": wall time against that", took.wall.Seconds()/bound.Seconds(), "times", distanceAim)
	if b.floor == "" {
		return nil
	}
	floor, err := b.newFloor(distantTokens, 0)
	if err != nil {
		return err
	}
	least, err := runMeasured(ctx, floor, "apply", "-auto-approve", "-no-color")
	if err != nil {
		return err
	}
	r.aim(name+": wall time against that and Terraform's own time", took.wall.Seconds()/(bound+least.wall).Seconds(), "times", distanceAim)
	return nil
}

// latency returns the time of the counted requests if the requests of a token are sequential,
// parallelism tokens are processed concurrently, and shared requests come first, to both
// servers concurrently.
func (c calls) latency(tokens int) time.Duration {
	var each, fromPAIStrike, fromVault time.Duration
	for name, count := range c {
		api, cost := isPAIStrike(name), time.Duration(count)*vaultDistance
		if api {
			cost = time.Duration(count) * paistrikeDistance
		}
		switch {
		case !isShared(name):
			each += cost
		case api:
			fromPAIStrike += cost
		default:
			fromVault += cost
		}
	}
	rounds := (tokens + parallelism - 1) / parallelism
	perToken := each.Seconds() / float64(tokens)
	return max(fromPAIStrike, fromVault) + time.Duration(perToken*float64(rounds)*float64(time.Second))
}
