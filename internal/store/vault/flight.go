package vault

import (
	"context"
	"errors"
	"sync"
)

// errNoAnswer is returned to waiters if a call ended without returning, because its
// goroutine exited.
var errNoAnswer = errors.New("the call ended without an answer")

// flights caches one successful result per key. Callers that arrive while the result is
// being fetched share that call. Errors are shared with them and not cached. A call
// continues while anyone waits for it, whoever started it.
type flights[K comparable, V any] struct {
	mu      sync.Mutex
	kept    map[K]V
	running map[K]*flight[V]
}

type flight[V any] struct {
	done    chan struct{}
	value   V
	err     error
	waiting int
	cancel  context.CancelFunc
}

func (f *flights[K, V]) get(ctx context.Context, key K, fetch func(context.Context) (V, error)) (V, error) {
	f.mu.Lock()
	if value, ok := f.kept[key]; ok {
		f.mu.Unlock()
		return value, nil
	}
	call, ok := f.running[key]
	if !ok {
		call = f.begin(ctx, key, fetch)
	}
	call.waiting++
	f.mu.Unlock()

	select {
	case <-call.done:
		return call.value, call.err
	case <-ctx.Done():
		f.leave(key, call)
		var none V
		return none, ctx.Err()
	}
}

// begin starts the call. The caller holds the lock.
func (f *flights[K, V]) begin(ctx context.Context, key K, fetch func(context.Context) (V, error)) *flight[V] {
	if f.running == nil {
		f.running, f.kept = map[K]*flight[V]{}, map[K]V{}
	}
	shared, cancel := context.WithCancel(context.WithoutCancel(ctx))
	call := &flight[V]{done: make(chan struct{}), cancel: cancel, err: errNoAnswer}
	f.running[key] = call
	go func() {
		defer cancel()
		defer f.land(key, call)
		call.value, call.err = fetch(shared)
	}()
	return call
}

// land caches the result if it is successful, and wakes the waiters.
func (f *flights[K, V]) land(key K, call *flight[V]) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.running[key] == call {
		delete(f.running, key)
		if call.err == nil {
			f.kept[key] = call.value
		}
	}
	close(call.done)
}

// leave cancels the call when its last waiter has left.
func (f *flights[K, V]) leave(key K, call *flight[V]) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if call.waiting--; call.waiting == 0 {
		call.cancel()
		if f.running[key] == call {
			delete(f.running, key)
		}
	}
}

// drop removes and returns the cached result of key. The next caller fetches again.
func (f *flights[K, V]) drop(key K) (V, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	value, ok := f.kept[key]
	delete(f.kept, key)
	delete(f.running, key)
	return value, ok
}
