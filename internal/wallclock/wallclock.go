// Package wallclock provides this machine's clock. Code that reads the time or waits takes
// a function, which tests replace. The functions here are the real ones.
package wallclock

import (
	"context"
	"time"
)

// Now returns this machine's time in UTC, in whole seconds. It is one of the three times
// in a schedule.Clock and decides nothing alone.
func Now() time.Time { return time.Now().UTC().Truncate(time.Second) } //nolint:forbidigo // the real clock

// Wait waits for a duration, or until ctx is done. In that case it returns the error of
// ctx.
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
