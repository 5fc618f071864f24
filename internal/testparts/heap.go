package testparts

import "runtime"

// Heap returns the number of bytes in use on the heap after a garbage collection.
func Heap() int64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc) //nolint:gosec // a heap is smaller than that
}
