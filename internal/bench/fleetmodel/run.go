package fleetmodel

import (
	"container/heap"
	"math/rand/v2"
	"time"
)

// call is a kind of request.
type call int

const (
	list     call = iota // a folder of Vault
	page                 // of PAIStrike's list
	look                 // an entry's metadata
	record               // an entry's data
	check                // what the Vault token may do
	create               // a token
	verify               // a token, by which the request is counted
	publish              // the record
	describe             // the metadata
)

// What the requests of one entry are, in their order.
var (
	unchanged = []call{look}
	replaced  = []call{look, record, check, create, verify, publish, describe}
)

// phase is a part of a walk that ends before the next one begins.
type phase struct {
	tasks int
	calls func(task int) []call
	times int // how often each task makes its calls
}

// shard is one process.
type shard struct {
	due       []bool // its entries
	phases    []phase
	begun     int // tasks of the first phase
	busy      int // workers in it
	workers   []*worker
	processor line
	shut      time.Duration // no request to PAIStrike before
	probed    bool          // one was sent since
}

// worker does one task after the other.
type worker struct {
	shard *shard
	at    time.Duration // its next step
	calls []call        // of its task, that are still to be made
	times int           // remaining repetitions of all calls
	all   []call
}

// queue holds the workers that have something to do, the next one first.
type queue []*worker

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].at < q[j].at }
func (q queue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(w any)        { *q = append(*q, w.(*worker)) } //nolint:forcetypeassert // of this file
func (q *queue) Pop() any {
	last := len(*q) - 1
	w := (*q)[last]
	*q = (*q)[:last]
	return w
}

// simulation is a run on its way.
type simulation struct {
	Fleet
	queue         queue
	limit         limit
	reads, writes line
	result        Result
}

// Run walks over the fleet.
func (f Fleet) Run() Result {
	s := &simulation{Fleet: f, limit: limit{most: f.Limit}, reads: perSecond(f.Reads), writes: perSecond(f.Writes)}
	for _, entries := range f.share() {
		s.start(entries)
	}
	for len(s.queue) > 0 {
		w := s.queue[0]
		s.result.Took = w.at
		if s.step(w) {
			heap.Fix(&s.queue, 0)
			continue
		}
		heap.Pop(&s.queue)
		if w.shard.busy--; w.shard.busy == 0 {
			s.next(w.shard, w.at)
		}
	}
	s.result.Windows = s.limit.windows
	return s.result
}

// share divides the entries among the shards, and returns for each of them whether it is due.
func (f Fleet) share() [][]bool {
	random := rand.New(rand.NewPCG(f.Seed, 0)) //nolint:gosec // a model
	shards := make([][]bool, f.shards())
	due := f.Due
	for left := f.Entries; left > 0; left-- {
		isDue := random.IntN(left) < due
		if isDue {
			due--
		}
		of := random.IntN(len(shards))
		shards[of] = append(shards[of], isDue)
	}
	return shards
}

// start puts a shard at the beginning of its walk: the folder, the folders in it,
// PAIStrike's list, then the entries.
func (s *simulation) start(entries []bool) {
	always := func(calls ...call) func(int) []call { return func(int) []call { return calls } }
	it := &shard{due: entries, phases: []phase{
		{},
		{1, always(list), 1},
		{s.Folders, always(list), 1},
		{1, always(page), s.pages()},
		{len(entries), func(task int) []call {
			if entries[task] {
				return replaced
			}
			return unchanged
		}, 1},
	}}
	for range s.concurrency() {
		it.workers = append(it.workers, &worker{shard: it})
	}
	s.next(it, it.processor.takeFor(0, s.Processor.Start))
}

// next ends the first phase of a shard, and begins the one that has tasks.
func (s *simulation) next(it *shard, at time.Duration) {
	it.begun = 0
	for it.phases = it.phases[1:]; len(it.phases) > 0; it.phases = it.phases[1:] {
		if it.phases[0].tasks > 0 {
			break
		}
	}
	if len(it.phases) == 0 {
		s.result.Took = at
		return
	}
	for _, w := range it.workers[:min(len(it.workers), it.phases[0].tasks)] {
		w.at = at
		it.busy++
		heap.Push(&s.queue, w)
	}
}

// step does the next thing of a worker. False means that there is nothing left for it.
func (s *simulation) step(w *worker) bool {
	if len(w.calls) == 0 && w.times > 0 {
		w.calls = w.all
		w.times--
	}
	if len(w.calls) == 0 {
		now := w.shard.phases[0]
		if w.shard.begun == now.tasks {
			return false
		}
		w.all, w.times = now.calls(w.shard.begun), now.times-1
		w.calls = w.all
		w.shard.begun++
	}
	at, done := s.request(w.shard, w.calls[0], w.at)
	if done {
		w.calls = w.calls[1:]
	}
	w.at = at
	return true
}
