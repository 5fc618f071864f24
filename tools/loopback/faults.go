package loopback

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

// Fault contains the fields that the rules of both servers have in common. Each server embeds
// it in a struct that adds which requests match and what to answer.
type Fault struct {
	Skip  int `json:"skip,omitempty"`  // matching requests to let through first
	Count int `json:"count,omitempty"` // number of requests that fail: 0 = 1, -1 = all

	DelayMS int `json:"delay_ms,omitempty"` // real time to wait first, in milliseconds
	// Hold waits for a release. With Lose "response", the caller is cut off immediately and
	// the work is done on release: a write that lands late.
	Hold bool `json:"hold,omitempty"`
	// Lose cuts the connection: "request" before the work, "response" after it.
	Lose string `json:"lose,omitempty"`
	// After does the work first and then answers as the fault specifies.
	After bool `json:"after,omitempty"`
}

// Check returns an error for an invalid rule. globs are patterns for [Matches].
func (f *Fault) Check(globs ...string) error {
	for _, glob := range globs {
		if _, err := path.Match(glob, ""); err != nil {
			return fmt.Errorf("%q is not a glob: %w", glob, err)
		}
	}
	switch {
	case f.Skip < 0 || f.Count < -1 || f.DelayMS < 0:
		return errors.New("skip and delay_ms cannot be negative, nor count below -1")
	case f.Lose != "" && f.Lose != "request" && f.Lose != "response":
		return errors.New(`lose is "request" or "response"`)
	}
	return nil
}

func (f *Fault) base() *Fault { return f }

// Matches reports whether name matches a glob (see path.Match). A glob that ends in "**"
// matches any suffix, and "" matches any name.
func Matches(glob, name string) bool {
	if glob == "" {
		return true
	}
	if prefix, open := strings.CutSuffix(glob, "**"); open {
		return strings.HasPrefix(name, prefix)
	}
	matched, err := path.Match(glob, name)
	return err == nil && matched
}

// Faults holds the pending rules. Each is a T that embeds a [Fault].
type Faults[T any, P interface {
	*T
	base() *Fault
}] struct {
	mu      sync.Mutex
	rules   []P
	release chan struct{} // closed by a release
}

// Add appends rules. If several rules match a request, the first one added applies.
func (q *Faults[T, P]) Add(rules []T) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, rule := range rules {
		f := P(&rule).base()
		if f.Count == 0 {
			f.Count = 1
		}
		q.rules = append(q.rules, &rule)
	}
}

// Clear removes all pending rules.
func (q *Faults[T, P]) Clear() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.rules = nil
}

// Take returns the rule for a request, or the zero T if none matches.
func (q *Faults[T, P]) Take(matches func(T) bool) T {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, rule := range q.rules {
		f := rule.base()
		if !matches(*rule) {
			continue
		}
		if f.Skip > 0 {
			f.Skip--
			continue
		}
		if f.Count > 0 {
			f.Count--
		}
		if f.Count == 0 {
			q.rules = slices.Delete(q.rules, i, i+1)
		}
		return *rule
	}
	var none T
	return none
}

// Release releases all held requests.
func (q *Faults[T, P]) Release() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.release != nil {
		close(q.release)
		q.release = nil
	}
}

func (q *Faults[T, P]) gate() <-chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.release == nil {
		q.release = make(chan struct{})
	}
	return q.release
}

// Meet applies a rule to a request: it waits, and does the work unless instead is true. It
// returns false if the connection must be cut.
func (q *Faults[T, P]) Meet(ctx context.Context, rule T, instead bool, work func()) bool {
	f := P(&rule).base()
	if f.DelayMS > 0 {
		timer := time.NewTimer(time.Duration(f.DelayMS) * time.Millisecond)
		defer timer.Stop()
		if !wait(ctx, timer.C) {
			return false
		}
	}
	if f.Lose == "request" {
		return false
	}
	if f.Hold {
		gate := q.gate()
		if f.Lose == "response" {
			go func() {
				<-gate
				work()
			}()
			return false
		}
		if !wait(ctx, gate) {
			return false
		}
	}
	if !instead || f.After {
		work()
	}
	return f.Lose != "response"
}

func wait[T any](ctx context.Context, done <-chan T) bool {
	select {
	case <-done:
		return true
	case <-ctx.Done():
		return false
	}
}
