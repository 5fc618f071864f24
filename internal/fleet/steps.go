package fleet

import "sync"

// steps counts entries that are done, for whoever watches.
type steps struct {
	mu          sync.Mutex
	done, total int
	tell        func(done, total int)
}

func newSteps(total int, tell func(done, total int)) *steps { return &steps{total: total, tell: tell} }

func (s *steps) step() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done++
	if s.tell != nil {
		s.tell(s.done, s.total)
	}
}
