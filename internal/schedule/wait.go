package schedule

import (
	"context"
	"time"
)

// Now is this machine's clock, in whole seconds UTC. It is one of three witnesses and
// decides nothing alone.
func Now() time.Time { return time.Now().UTC().Truncate(time.Second) } //nolint:forbidigo // the one place that asks

// Wait waits for a duration, or for the end of ctx, whose error it returns.
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
