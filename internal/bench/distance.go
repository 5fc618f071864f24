package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// The servers of these measurements answer as if they were some way off.
const (
	paistrikeDistance = 50 * time.Millisecond
	vaultDistance     = 10 * time.Millisecond
	distantTokens     = 100
	parallelism       = 10 // Terraform's own default
)

// distanceAim is how much longer than its requests take an apply may be.
const distanceAim = 1.3

// distant applies many tokens with distant servers, ten at a time, and compares with
// what the requests of one token, which follow each other, take at the least.
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

// latency is what the counted requests take where those of a token follow each other,
// parallelism tokens go side by side, and what all share comes first, from both servers at
// the same time.
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
