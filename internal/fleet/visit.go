package fleet

import (
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
)

// visit looks at each entry, several at once. What comes of an entry is taken as soon as it
// is there, of one entry at a time, and tell, which may be nil, hears how many are done.
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
