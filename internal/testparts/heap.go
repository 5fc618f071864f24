package testparts

import "runtime"

// Heap returns how many bytes of the heap are in use, garbage left out.
func Heap() int64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc) //nolint:gosec // a heap is smaller than that
}
