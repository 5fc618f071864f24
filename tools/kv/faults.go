package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"

	"github.com/paistrike/terraform-provider-paistrike/tools/loopback"
)

// fault is a rule for the failure of the requests that match it.
type fault struct {
	Method string `json:"method,omitempty"` // "" matches any
	// Path is a glob for the whole path or the part below /v1/; "" matches any.
	Path string `json:"path,omitempty"`
	loopback.Fault
	// Status is the status to answer with instead of the work or, with After, after the work.
	Status  int               `json:"status,omitempty"`
	Headers map[string]string `json:"headers,omitempty"`
	Body    string            `json:"body,omitempty"` // replaces the body of the answer
}

func (f fault) check() error {
	if f.Status != 0 && (f.Status < 200 || f.Status > 599) {
		return errors.New("status is 200 to 599")
	}
	return f.Check(f.Path)
}

func (f fault) matches(method, requestPath string) bool {
	if f.Method != "" && !strings.EqualFold(f.Method, method) {
		return false
	}
	return loopback.Matches(f.Path, requestPath) || loopback.Matches(f.Path, strings.TrimPrefix(requestPath, "/v1/"))
}

// serve handles a request, applies the fault that matches it, and records it.
func (s *server) serve(w http.ResponseWriter, r *http.Request, c call) {
	f := s.faults.Take(func(f fault) bool { return f.matches(r.Method, r.URL.Path) })
	got := httptest.NewRecorder()
	late := r.Clone(context.WithoutCancel(r.Context()))
	answered := s.faults.Meet(r.Context(), f, f.Status != 0, func() { s.vault(got, late) })
	if !answered {
		s.journal.add(c)
		panic(http.ErrAbortHandler) // closes the connection
	}
	f.alter(got)
	c.Status = got.Code
	s.journal.add(c)
	for name, values := range got.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(got.Code)
	_, _ = w.Write(got.Body.Bytes())
}

// alter applies the fault to the real answer.
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

// call is one request received. Bodies and tokens are not recorded.
type call struct {
	Method    string `json:"method"`
	Path      string `json:"path"`
	Query     string `json:"query,omitempty"`
	Namespace string `json:"namespace,omitempty"`
	Status    int    `json:"status"` // 0 if the connection was cut
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
		s.faults.Add(list)
	case "DELETE /_kv/faults":
		s.faults.Clear()
	case "POST /_kv/release":
		s.faults.Release()
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

// readFaults reads one rule or a list of rules.
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
