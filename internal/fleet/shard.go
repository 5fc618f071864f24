package fleet

import (
	"hash/fnv"
	"slices"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
)

// Shard is one of several parts of a folder. Each entry is in exactly one shard. The zero
// value is the whole folder.
type Shard struct {
	Number int // starting at 1
	Of     int // number of shards
}

// Whole reports whether the shard is the whole folder.
func (s Shard) Whole() bool { return s.Of <= 1 }

// Pick returns the entries in the shard, in their order. It depends only on the path, so that
// all runners agree, however they access the store, and an entry stays in its shard when
// others are added or removed.
func (s Shard) Pick(entries []entry.Location) []entry.Location {
	if s.Whole() {
		return entries
	}
	return slices.DeleteFunc(slices.Clone(entries), func(at entry.Location) bool {
		sum := fnv.New64a()
		_, _ = sum.Write([]byte(at.Path))                     // never fails
		return sum.Sum64()%uint64(s.Of) != uint64(s.Number-1) //nolint:gosec // neither is negative
	})
}
