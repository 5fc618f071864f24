package paistrike

import (
	"sync"
	"time"
)

// gate keeps calls back while PAIStrike has asked this token to wait: a rate limit
// is the token's, so what one call has heard is true of all of them, and asking all
// the same would only be refused.
type gate struct {
	mu      sync.Mutex
	opensAt time.Time // by this machine's clock, with which a pause is measured
}

// shut keeps the gate shut for so long from now on, or for longer where it is.
func (g *gate) shut(now time.Time, pause time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if until := now.Add(pause); until.After(g.opensAt) {
		g.opensAt = until
	}
}

// left is how long the gate stays shut, never longer than [maxWait]: a clock that is
// set back does not keep anybody.
func (g *gate) left(now time.Time) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return min(g.opensAt.Sub(now), maxWait)
}
