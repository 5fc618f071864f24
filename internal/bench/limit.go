package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
)

// A PAIStrike with a low rate limit, and an apply that exceeds it.
const (
	limitPerMinute = 120
	limitedTokens  = 200
	refusedAim     = 0.01 // share of all requests
)

// limited applies more tokens than a minute allows, with a PAIStrike that announces the
// remaining requests and one that only rejects requests.
func (b *bench) limited(ctx context.Context, r *report) error {
	return errors.Join(b.limitedBy(ctx, sandbox.RateStructured, r), b.limitedBy(ctx, "", r))
}

func (b *bench) limitedBy(ctx context.Context, announced string, r *report) (err error) {
	w, err := b.newWorld(ctx, limitedTokens)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	w.paistrike.SetPolicy(sandbox.Policy{RatePerMinute: limitPerMinute, RateHeaders: announced})
	took, c, err := w.measure(ctx, "apply", "-auto-approve", "-no-color")
	if err != nil {
		return err
	}
	refused := w.refused()
	name := fmt.Sprintf("create, %d tokens, at most %d requests a minute for each token", limitedTokens, limitPerMinute)
	if announced != "" {
		name += ", announced"
	}
	r.add(name+": wall time", took.wall.Seconds(), "s")
	r.add(name+": refused with 429", float64(refused), "requests")
	r.aim(name+": share of all requests", float64(refused)/float64(c.paistrike()), "of 1", refusedAim)
	return nil
}

// refused is how many requests PAIStrike has refused because of the limit.
func (w *world) refused() int {
	refused := 0
	for _, call := range w.paistrike.Journal() {
		if call.Status == http.StatusTooManyRequests {
			refused++
		}
	}
	return refused
}
