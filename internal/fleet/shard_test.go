package fleet_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/fleet"
)

// Every entry is in exactly one of ten shards of about equal size, and stays there when
// others are added or removed.
func TestShardsDivideAFolder(t *testing.T) {
	t.Parallel()
	var entries []entry.Location
	for i := range 2000 {
		entries = append(entries, entry.Location{Mount: "secret", Path: fmt.Sprintf("ci/%d", i)})
	}
	held := map[string]int{}
	for k := 1; k <= 10; k++ {
		shard := fleet.Shard{Number: k, Of: 10}
		picked := shard.Pick(entries)
		if len(picked) < 150 || len(picked) > 250 {
			t.Errorf("shard %d of 10 has %d of 2000 entries", k, len(picked))
		}
		for _, at := range picked {
			held[at.Path]++
		}
		for _, at := range shard.Pick(entries[1000:]) {
			if !slices.Contains(picked, at) {
				t.Errorf("%s moved to shard %d when others were removed", at.Path, k)
			}
		}
	}
	for _, at := range entries {
		if held[at.Path] != 1 {
			t.Errorf("%s is in %d shards", at.Path, held[at.Path])
		}
	}
	if whole := (fleet.Shard{}).Pick(entries); len(whole) != len(entries) {
		t.Errorf("the whole has %d of %d entries", len(whole), len(entries))
	}
}

// Four concurrent shards replace each token once. Each lists once, and reads only its own
// entries.
func TestShardsAtOnceReplaceEachTokenOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const entries, shards = 8, 4
	for i := range entries {
		w.provision(fmt.Sprintf("ci/%d", i), fmt.Sprintf("App %d", i), monthly)
	}
	w.paistrike.Clock().Advance(40 * day)
	w.listen()
	reports := make(chan fleet.Report)
	for k := 1; k <= shards; k++ {
		go func() { reports <- w.rotateShard(fleet.Shard{Number: k, Of: shards}) }()
	}
	rotated := map[string]int{}
	for range shards {
		for _, path := range paths(<-reports, fleet.Rotated) {
			rotated[path]++
		}
	}
	if len(rotated) != entries || slices.Max(slices.Collect(maps.Values(rotated))) != 1 {
		t.Errorf("rotated %v, want each of %d entries once", rotated, entries)
	}
	c := w.calls()
	if c["paistrike POST"] != entries || c["vault data PUT"] != entries || c["vault data GET"] != entries {
		t.Errorf("calls %v, want a create, a read and a write for each of %d entries", c, entries)
	}
	w.wantMetadataWrites("four shards", entries)
}

// rotateShard runs one shard with its own engine, as on a separate runner.
func (w *world) rotateShard(shard fleet.Shard) fleet.Report {
	engine, store := w.process(w.wire)
	entries, err := fleet.Walk(w.Context(), store, folder, 4)
	if err != nil {
		w.Error(err)
	}
	report, err := fleet.Rotate(w.Context(), engine, shard.Pick(entries), fleet.Options{Concurrency: 4})
	if err != nil {
		w.Error(err)
	}
	return report
}
