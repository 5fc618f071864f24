package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path"
	"slices"
	"sync"
	"time"
)

// fault is a rule for what goes wrong with requests that match it. Of several that
// match, the one added first is used.
type fault struct {
	Operation string `json:"operation,omitempty"` // a glob (path.Match), such as "*SecretValue"; "" is any
	Secret    string `json:"secret,omitempty"`    // a glob for the secret's name; "" is any request
	Skip      int    `json:"skip,omitempty"`      // matching requests let through first
	Count     int    `json:"count,omitempty"`     // requests it meets: 0 = 1, -1 = all

	DelayMS int `json:"delay_ms,omitempty"` // waited first, in milliseconds of real time
	// Hold waits for POST /_aws/release. With Lose "response" the caller is cut off
	// now and the work done at the release: a write that lands late.
	Hold bool `json:"hold,omitempty"`
	// Lose cuts the connection: "request" before the work, "response" after it.
	Lose string `json:"lose,omitempty"`
	// Error answers with that error in place of the work, such as ThrottlingException
	// or InternalServiceError; with After the work is done first.
	Error string `json:"error,omitempty"`
	After bool   `json:"after,omitempty"`
	// Status is the error's HTTP status if it is not the usual one. On its own it
	// stands for an answer that is none of AWS's, such as a proxy's 502.
	Status int    `json:"status,omitempty"`
	Body   string `json:"body,omitempty"` // in place of the answer's own
}

func (f fault) check() error {
	for _, glob := range []string{f.Operation, f.Secret} {
		if _, err := path.Match(glob, ""); err != nil {
			return fmt.Errorf("%q is not a glob: %w", glob, err)
		}
	}
	switch {
	case f.Skip < 0 || f.Count < -1 || f.DelayMS < 0:
		return errors.New("skip and delay_ms cannot be negative, nor count below -1")
	case f.Lose != "" && f.Lose != "request" && f.Lose != "response":
		return errors.New(`lose is "request" or "response"`)
	case f.Status != 0 && (f.Status < 200 || f.Status > 599):
		return errors.New("status is 200 to 599")
	}
	return nil
}

func (f fault) matches(operation, secret string) bool {
	return matches(f.Operation, operation) && matches(f.Secret, secret)
}

// matches compares with a glob; one that ends in "**" takes whatever follows.
func matches(glob, name string) bool {
	if glob == "" {
		return true
	}
	if prefix, open := cutStars(glob); open {
		return len(name) >= len(prefix) && name[:len(prefix)] == prefix
	}
	matched, err := path.Match(glob, name)
	return err == nil && matched
}

func cutStars(glob string) (prefix string, ok bool) {
	if len(glob) < 2 || glob[len(glob)-2:] != "**" {
		return "", false
	}
	return glob[:len(glob)-2], true
}

// faults are the rules that are left.
type faults struct {
	mu      sync.Mutex
	rules   []*fault
	release chan struct{} // closed by a release
}

func (q *faults) add(list []fault) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, f := range list {
		if f.Count == 0 {
			f.Count = 1
		}
		q.rules = append(q.rules, &f)
	}
}

func (q *faults) clear() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.rules = nil
}

// take returns what goes wrong with this request; the zero fault is nothing.
func (q *faults) take(operation, secret string) fault {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, f := range q.rules {
		if !f.matches(operation, secret) {
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
		return *f
	}
	return fault{}
}

func (q *faults) gate() <-chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.release == nil {
		q.release = make(chan struct{})
	}
	return q.release
}

func (q *faults) open() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.release != nil {
		close(q.release)
		q.release = nil
	}
}

// serve does a request with whatever is to go wrong with it. It is not ok if the
// connection is to be cut.
func (q *faults) serve(ctx context.Context, r *request, work func() answer) (a answer, ok bool) {
	f := q.take(r.operation, r.secret)
	if f.DelayMS > 0 {
		timer := time.NewTimer(time.Duration(f.DelayMS) * time.Millisecond)
		defer timer.Stop()
		if !wait(ctx, timer.C) {
			return answer{}, false
		}
	}
	if f.Lose == "request" {
		return answer{}, false
	}
	if f.Hold {
		gate := q.gate()
		if f.Lose == "response" {
			go func() {
				<-gate
				work()
			}()
			return answer{}, false
		}
		if !wait(ctx, gate) {
			return answer{}, false
		}
	}
	if f.Error == "" && f.Status == 0 || f.After {
		a = work()
	}
	if f.Lose == "response" {
		return answer{}, false
	}
	return f.alter(r, a), true
}

// alter puts the fault's answer over the real one.
func (f fault) alter(r *request, a answer) answer {
	if f.Error != "" {
		a = r.refused(&failure{kind: f.Error, message: "injected", status: statusOf(f.Error)})
	} else if f.Status != 0 {
		a = answer{header: map[string]string{"Content-Type": "text/html"}, body: []byte(http.StatusText(f.Status))}
	}
	if f.Status != 0 {
		a.status = f.Status
	}
	if f.Body != "" {
		a.body = []byte(f.Body)
	}
	return a
}

func wait[T any](ctx context.Context, done <-chan T) bool {
	select {
	case <-done:
		return true
	case <-ctx.Done():
		return false
	}
}
