package main

import (
	"testing"
	"time"
)

// The result is the median of the rounds' ratios, not the ratio of the medians, because
// temporary load affects both sides of a round.
func TestRatioIsTakenRoundByRound(t *testing.T) {
	t.Parallel()
	of := []time.Duration{30 * time.Millisecond, 300 * time.Millisecond, 45 * time.Millisecond}
	against := []time.Duration{20 * time.Millisecond, 200 * time.Millisecond, 10 * time.Millisecond}
	if got := ratio(of, against); got != 1.5 {
		t.Errorf("ratio %v, want 1.5", got)
	}
	if of[1] != 300*time.Millisecond {
		t.Error("the series was changed")
	}
}
