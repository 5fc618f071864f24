package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

// fault is a rule for what goes wrong with requests that match it. Of several
// that match, the one added first is used.
type fault struct {
	Method string `json:"method,omitempty"` // "" is any
	// Path is a glob (path.Match) for the whole path, or for the part below /v1/;
	// a final "**" takes whatever follows. "" is any.
	Path  string `json:"path,omitempty"`
	Skip  int    `json:"skip,omitempty"`  // matching requests let through first
	Count int    `json:"count,omitempty"` // requests it meets: 0 = 1, -1 = all

	DelayMS int `json:"delay_ms,omitempty"` // waited first, in milliseconds
	// Hold waits for POST /_kv/release. With Lose "response" the caller is cut off
	// now and the work done at the release: a write that lands late.
	Hold bool `json:"hold,omitempty"`
	// Lose cuts the connection: "request" before the work, "response" after it.
	Lose string `json:"lose,omitempty"`
	// Status answers in place of the work; with After the work is done first.
	Status  int               `json:"status,omitempty"`
	After   bool              `json:"after,omitempty"`
	Headers map[string]string `json:"headers,omitempty"`
	Body    string            `json:"body,omitempty"` // in place of the answer's own
}

func (f fault) check() error {
	if _, err := path.Match(f.Path, ""); err != nil {
		return fmt.Errorf("path %q is not a glob: %w", f.Path, err)
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

func (f fault) matches(method, requestPath string) bool {
	if f.Method != "" && !strings.EqualFold(f.Method, method) {
		return false
	}
	return f.Path == "" || glob(f.Path, requestPath) || glob(f.Path, strings.TrimPrefix(requestPath, "/v1/"))
}

func glob(pattern, name string) bool {
	if prefix, open := strings.CutSuffix(pattern, "**"); open {
		return strings.HasPrefix(name, prefix)
	}
	matched, err := path.Match(pattern, name)
	return err == nil && matched
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
func (q *faults) take(method, requestPath string) fault {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, f := range q.rules {
		if !f.matches(method, requestPath) {
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

// serve does a request with whatever is to go wrong with it, and writes it down.
func (q *faults) serve(w http.ResponseWriter, r *http.Request, j *journal, c call, work http.Handler) {
	f := q.take(r.Method, r.URL.Path)
	if f.DelayMS > 0 {
		timer := time.NewTimer(time.Duration(f.DelayMS) * time.Millisecond)
		defer timer.Stop()
		if !wait(r.Context(), timer.C) {
			j.add(c)
			return
		}
	}
	if f.Lose == "request" {
		j.add(c)
		panic(http.ErrAbortHandler) // net/http's way to cut the connection
	}
	if f.Hold {
		gate := q.gate()
		if f.Lose == "response" {
			late := r.Clone(context.WithoutCancel(r.Context()))
			go func() {
				<-gate
				work.ServeHTTP(httptest.NewRecorder(), late)
			}()
			j.add(c)
			panic(http.ErrAbortHandler)
		}
		if !wait(r.Context(), gate) {
			j.add(c)
			return
		}
	}
	got := httptest.NewRecorder()
	if f.Status == 0 || f.After {
		work.ServeHTTP(got, r)
	}
	if f.Lose == "response" {
		j.add(c)
		panic(http.ErrAbortHandler)
	}
	f.alter(got)
	c.Status = got.Code
	j.add(c)
	for name, values := range got.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(got.Code)
	_, _ = w.Write(got.Body.Bytes())
}

// alter puts the fault's answer over the real one.
func (f fault) alter(got *httptest.ResponseRecorder) {
	if f.Status != 0 {
		got.Code = f.Status
		got.Body = bytes.NewBufferString(`{"errors":["injected"]}`)
		got.Header().Set("Content-Type", "application/json")
	}
	if f.Body != "" {
		got.Body = bytes.NewBufferString(f.Body)
	}
	for name, value := range f.Headers {
		got.Header().Set(name, value)
	}
}

func wait[T any](ctx context.Context, done <-chan T) bool {
	select {
	case <-done:
		return true
	case <-ctx.Done():
		return false
	}
}

// call is one request that came in. Bodies and tokens are not written down.
type call struct {
	Method    string `json:"method"`
	Path      string `json:"path"`
	Query     string `json:"query,omitempty"`
	Namespace string `json:"namespace,omitempty"`
	Status    int    `json:"status"` // 0 where the connection was cut
}

type journal struct {
	mu    sync.Mutex
	calls []call
}

func (j *journal) add(c call) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.calls = append(j.calls, c)
}

func (j *journal) take(forget bool) []call {
	j.mu.Lock()
	defer j.mu.Unlock()
	calls := append([]call{}, j.calls...)
	if forget {
		j.calls = nil
	}
	return calls
}

// control serves /_kv/.
func (s *server) control(w http.ResponseWriter, r *http.Request) {
	switch r.Method + " " + r.URL.Path {
	case "POST /_kv/faults":
		list, err := readFaults(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		s.faults.add(list)
	case "DELETE /_kv/faults":
		s.faults.clear()
	case "POST /_kv/release":
		s.faults.open()
	case "GET /_kv/journal":
		writeJSON(w, http.StatusOK, s.journal.take(false))
		return
	case "DELETE /_kv/journal":
		s.journal.take(true)
	default:
		http.NotFound(w, r)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// readFaults reads one rule or a list of them.
func readFaults(r *http.Request) ([]fault, error) {
	var raw json.RawMessage
	if err := json.NewDecoder(r.Body).Decode(&raw); err != nil {
		return nil, fmt.Errorf("reading faults: %w", err)
	}
	if raw[0] != '[' {
		raw = slices.Concat([]byte("["), raw, []byte("]"))
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	var list []fault
	if err := decoder.Decode(&list); err != nil {
		return nil, fmt.Errorf("reading faults: %w", err)
	}
	for _, f := range list {
		if err := f.check(); err != nil {
			return nil, err
		}
	}
	return list, nil
}
