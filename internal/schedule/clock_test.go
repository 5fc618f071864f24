package schedule_test

import (
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

// clocks is PAIStrike at noon, and Vault so far ahead of it.
func clocks(vaultAhead time.Duration) schedule.Clock {
	noon := time.Date(2026, time.January, 5, 12, 0, 0, 0, time.UTC)
	return schedule.Clock{PAIStrike: noon, Vault: noon.Add(vaultAhead)}
}

func TestClock(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name           string
		vaultAhead     time.Duration
		skew           time.Duration
		rotate, revoke time.Duration // by how much after PAIStrike's noon
		trusted        bool
	}{
		{name: "in step", trusted: true},
		{name: "Vault 59 s ahead", vaultAhead: 59 * time.Second, skew: 59 * time.Second, rotate: 59 * time.Second, trusted: true},
		{name: "Vault 59 s behind", vaultAhead: -59 * time.Second, skew: 59 * time.Second, revoke: -59 * time.Second, trusted: true},
		{name: "Vault 61 s ahead", vaultAhead: 61 * time.Second, skew: 61 * time.Second, rotate: 61 * time.Second, trusted: true},
		{name: "Vault 61 s behind", vaultAhead: -61 * time.Second, skew: 61 * time.Second, revoke: -61 * time.Second, trusted: true},
		{name: "Vault 14 min ahead", vaultAhead: 14 * time.Minute, skew: 14 * time.Minute, rotate: 14 * time.Minute, trusted: true},
		{name: "Vault 14 min behind", vaultAhead: -14 * time.Minute, skew: 14 * time.Minute, revoke: -14 * time.Minute, trusted: true},
		{name: "Vault 15 min ahead", vaultAhead: 15 * time.Minute, skew: 15 * time.Minute, rotate: 15 * time.Minute, trusted: true},
		{name: "Vault 15 min behind", vaultAhead: -15 * time.Minute, skew: 15 * time.Minute, revoke: -15 * time.Minute, trusted: true},
		{name: "Vault 15 min and 1 s ahead", vaultAhead: 15*time.Minute + time.Second, skew: 15*time.Minute + time.Second},
		{name: "Vault 15 min and 1 s behind", vaultAhead: -15*time.Minute - time.Second, skew: 15*time.Minute + time.Second, revoke: -15*time.Minute - time.Second},
		{name: "Vault 16 min ahead", vaultAhead: 16 * time.Minute, skew: 16 * time.Minute},
		{name: "Vault 16 min behind", vaultAhead: -16 * time.Minute, skew: 16 * time.Minute, revoke: -16 * time.Minute},
		{name: "Vault a year ahead", vaultAhead: 365 * day, skew: 365 * day},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := clocks(tt.vaultAhead)
			if got := c.Skew(); got != tt.skew {
				t.Errorf("skew %v, want %v", got, tt.skew)
			}
			if got := c.Trusted(); got != tt.trusted {
				t.Errorf("trusted %t, want %t", got, tt.trusted)
			}
			if got := c.Rotate().Sub(c.PAIStrike); got != tt.rotate {
				t.Errorf("rotates by %v after PAIStrike's clock, want %v", got, tt.rotate)
			}
			if got := c.Revoke().Sub(c.PAIStrike); got != tt.revoke {
				t.Errorf("revokes by %v after PAIStrike's clock, want %v", got, tt.revoke)
			}
		})
	}
}

// Where Vault keeps its health page closed, PAIStrike's clock stands alone.
func TestClockOfPAIStrikeAlone(t *testing.T) {
	t.Parallel()
	c := clocks(0)
	c.Vault = time.Time{}
	if c.Skew() != 0 || !c.Trusted() || !c.Rotate().Equal(c.PAIStrike) || !c.Revoke().Equal(c.PAIStrike) {
		t.Errorf("skew %v, trusted %t, rotate %v, revoke %v", c.Skew(), c.Trusted(), c.Rotate(), c.Revoke())
	}
}
