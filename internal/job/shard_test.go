package job

import (
	"testing"

	"github.com/paistrike/terraform-provider-paistrike/internal/fleet"
	"github.com/paistrike/terraform-provider-paistrike/internal/input"
)

// A shard is N/M. Anything else is rejected before any request.
func TestShardOfAFleet(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]fleet.Shard{
		"": {}, "1/1": {Number: 1, Of: 1}, "3/10": {Number: 3, Of: 10}, "1000/1000": {Number: 1000, Of: 1000},
	} {
		p := &parser{in: input.Values{"shard": text}}
		if got := p.shard(); got != want || p.verdict() != nil {
			t.Errorf("%q is %+v: %v", text, got, p.verdict())
		}
	}
	for _, text := range []string{"0/10", "11/10", "3", "3/", "/10", "-1/10", "3/0", "1/1001", "3/10/2", "a/b", "3 of 10"} {
		p := &parser{in: input.Values{"shard": text}}
		if p.shard(); p.verdict() == nil {
			t.Errorf("%q is taken", text)
		}
	}
}
