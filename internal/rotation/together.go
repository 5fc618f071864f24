package rotation

import (
	"context"
	"sync"
)

// Together runs functions that do not depend on each other, and returns when all have
// ended.
type Together func(functions ...func())

// OneByOne runs functions one after the other, in their order.
func OneByOne(functions ...func()) {
	for _, f := range functions {
		f()
	}
}

// SideBySide runs functions at the same time.
func SideBySide(functions ...func()) {
	var all sync.WaitGroup
	for _, f := range functions[1:] {
		all.Go(f)
	}
	functions[0]()
	all.Wait()
}

// WithTogether sets how reads that do not depend on each other are made. By default they
// follow each other, which is slower and makes the same requests. Nothing that changes a
// server is ever among them.
func WithTogether(together Together) Option { return func(e *Engine) { e.together = together } }

// gather makes reads together. Its outcome is that of one after the other: the error is
// the first one's in their order, and when a read fails, those after it are canceled. One
// before it never is, because others may wait for what it fetches.
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
