package fleet

import (
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
)

// visit calls look for each entry, for several concurrently. It passes each result to take as
// soon as it exists, one at a time, and reports to tell, which may be nil, how many entries are
// done.
func visit[T any](entries []entry.Location, concurrency int, tell func(done, total int), look func(entry.Location) T, take func(T)) {
	var mu sync.Mutex
	done := 0
	var group errgroup.Group
	group.SetLimit(max(concurrency, 1))
	for _, at := range entries {
		group.Go(func() error {
			found := look(at)
			mu.Lock()
			defer mu.Unlock()
			take(found)
			if done++; tell != nil {
				tell(done, len(entries))
			}
			return nil
		})
	}
	_ = group.Wait() // failures are in the reports
}
