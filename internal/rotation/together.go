package rotation

import (
	"context"
	"sync"
)

// Together runs independent functions and returns when all have ended.
type Together func(functions ...func())

// OneByOne runs functions one after the other, in their order.
func OneByOne(functions ...func()) {
	for _, f := range functions {
		f()
	}
}

// SideBySide runs functions concurrently.
func SideBySide(functions ...func()) {
	var all sync.WaitGroup
	for _, f := range functions[1:] {
		all.Go(f)
	}
	functions[0]()
	all.Wait()
}

// WithTogether sets how independent reads are run. The default is [OneByOne], which is
// slower but sends the same requests. Calls that change a server are never run this way.
func WithTogether(together Together) Option { return func(e *Engine) { e.together = together } }

// gather runs reads together. The outcome is the same as when they run one after the
// other: it returns the first error in their order, and a failed read cancels those after
// it. Reads before it are never canceled, because others may wait for what they fetch.
func (e *Engine) gather(ctx context.Context, reads ...func(context.Context) error) error {
	errs := make([]error, len(reads))
	functions := make([]func(), len(reads))
	for i, read := range reads {
		here := ctx
		after, cancel := context.WithCancel(ctx)
		defer cancel()
		functions[i] = func() {
			if errs[i] = here.Err(); errs[i] == nil {
				errs[i] = read(here)
			}
			if errs[i] != nil {
				cancel()
			}
		}
		ctx = after
	}
	e.together(functions...)
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
