package vault

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
)

// answered is the answer that a caller of get received.
type answered struct {
	value int
	err   error
}

// ask calls get in a new goroutine.
func ask(ctx context.Context, f *flights[string, int], fetch func(context.Context) (int, error)) <-chan answered {
	told := make(chan answered, 1)
	go func() {
		value, err := f.get(ctx, "key", fetch)
		told <- answered{value, err}
	}()
	return told
}

func TestFlights(t *testing.T) {
	t.Parallel()
	t.Run("callers share one call and its answer is kept", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var f flights[string, int]
			calls, proceed := 0, make(chan struct{})
			fetch := func(context.Context) (int, error) { calls++; <-proceed; return 7, nil }
			first, second := ask(t.Context(), &f, fetch), ask(t.Context(), &f, fetch)
			synctest.Wait()
			close(proceed)
			later := <-ask(t.Context(), &f, fetch)
			for _, got := range []answered{<-first, <-second, later} {
				if got != (answered{7, nil}) {
					t.Errorf("got %v", got)
				}
			}
			if calls != 1 {
				t.Errorf("%d calls", calls)
			}
		})
	})
	t.Run("a call whose goroutine exits fails for all who wait", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var f flights[string, int]
			if got := <-ask(t.Context(), &f, func(context.Context) (int, error) { runtime.Goexit(); return 7, nil }); got != (answered{0, errNoAnswer}) {
				t.Errorf("got %v", got)
			}
			if got := <-ask(t.Context(), &f, func(context.Context) (int, error) { return 8, nil }); got != (answered{8, nil}) {
				t.Errorf("then got %v", got)
			}
		})
	})
	t.Run("a failure is told to all who wait, and not kept", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var f flights[string, int]
			broken, proceed := errors.New("broken"), make(chan struct{})
			fetch := func(context.Context) (int, error) { <-proceed; return 0, broken }
			first, second := ask(t.Context(), &f, fetch), ask(t.Context(), &f, fetch)
			synctest.Wait()
			close(proceed)
			if a, b := <-first, <-second; a.err != broken || b.err != broken { //nolint:errorlint // the very same
				t.Errorf("got %v and %v", a, b)
			}
			if got := <-ask(t.Context(), &f, func(context.Context) (int, error) { return 8, nil }); got.value != 8 {
				t.Errorf("then got %v", got)
			}
		})
	})
	t.Run("the one who began may leave", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var f flights[string, int]
			proceed := make(chan struct{})
			fetch := func(ctx context.Context) (int, error) { <-proceed; return 7, ctx.Err() }
			ctx, leave := context.WithCancel(t.Context())
			first := ask(ctx, &f, fetch)
			synctest.Wait()
			second := ask(t.Context(), &f, fetch)
			synctest.Wait()
			leave()
			if got := <-first; !errors.Is(got.err, context.Canceled) {
				t.Errorf("the one who left got %v", got)
			}
			close(proceed)
			if got := <-second; got != (answered{7, nil}) {
				t.Errorf("the one who stayed got %v", got)
			}
		})
	})
	t.Run("when all have left, the call ends", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var f flights[string, int]
			fetch := func(ctx context.Context) (int, error) { <-ctx.Done(); return 0, ctx.Err() }
			ctx, leave := context.WithCancel(t.Context())
			told := ask(ctx, &f, fetch)
			synctest.Wait()
			leave()
			<-told
			synctest.Wait() // synctest fails the test if the call continues
			if got := <-ask(t.Context(), &f, func(context.Context) (int, error) { return 8, nil }); got.value != 8 {
				t.Errorf("then got %v", got)
			}
		})
	})
	t.Run("what is dropped is fetched anew", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var f flights[string, int]
			if _, ok := f.drop("key"); ok {
				t.Error("dropped what was not there")
			}
			calls := 0
			fetch := func(context.Context) (int, error) { calls++; return calls, nil }
			<-ask(t.Context(), &f, fetch)
			if value, ok := f.drop("key"); value != 1 || !ok {
				t.Errorf("dropped %d, %v", value, ok)
			}
			if got := <-ask(t.Context(), &f, fetch); got.value != 2 {
				t.Errorf("got %v", got)
			}
		})
	})
}
