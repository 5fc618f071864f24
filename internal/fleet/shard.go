package fleet

import (
	"hash/fnv"
	"slices"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
)

// Shard is one of several parts of a folder, which together hold each entry once. The zero
// value is the whole folder.
type Shard struct {
	Number int // from 1
	Of     int // how many parts there are
}

// Whole reports whether the folder is not divided.
func (s Shard) Whole() bool { return s.Of <= 1 }

// Pick returns the entries that are in the shard, in their order. The path alone decides,
// so that all runners agree, however they reach the store, and an entry stays in its shard
// while others come and go.
func (s Shard) Pick(entries []entry.Location) []entry.Location {
	if s.Whole() {
		return entries
	}
	return slices.DeleteFunc(slices.Clone(entries), func(at entry.Location) bool {
		sum := fnv.New64a()
		_, _ = sum.Write([]byte(at.Path))                     // never an error
		return sum.Sum64()%uint64(s.Of) != uint64(s.Number-1) //nolint:gosec // neither is negative
	})
}
