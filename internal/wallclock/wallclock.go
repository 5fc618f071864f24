// Package wallclock is the clock of this machine. What tells the time or waits takes a
// function, which tests replace; the functions here are the real ones.
package wallclock

import (
	"context"
	"time"
)

// Now returns this machine's time in whole seconds UTC. It is one of three witnesses of
// the time and decides nothing alone.
func Now() time.Time { return time.Now().UTC().Truncate(time.Second) } //nolint:forbidigo // the real clock

// Wait waits for a duration, or until ctx ends, whose error it returns.
func Wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
