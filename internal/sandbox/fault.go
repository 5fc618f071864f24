package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

// Values of [Fault.Lose].
const (
	// LoseRequest cuts the connection before the work, so nothing is done.
	LoseRequest = "request"
	// LoseResponse cuts the connection after the work, so the caller does not learn the
	// result.
	LoseResponse = "response"
)

// Fault is a rule for the failure of the requests that match it. If several rules match, the
// first one added applies.
//
// Fields can be combined. Status alone answers instead of the work; with After, the work is
// done first. Hold delays a request until [Server.Release], and drops it undone if its caller
// leaves earlier. Hold with Lose "response" cuts off the caller immediately and does the work
// on release, which is how a write lands late. Body, Headers and Truncate without a Status
// alter the real answer.
//
// Go's HTTP client repeats a GET whose pooled connection was cut, so a lost GET is visible
// only with keep-alive off or a count above 1.
type Fault struct {
	// Method is the HTTP method to match; "" matches any.
	Method string `json:"method,omitempty"`
	// Path is a glob (see path.Match) for the whole path or the part below the API prefix; ""
	// matches any.
	Path string `json:"path,omitempty"`
	// Skip is the number of matching requests to let through first.
	Skip int `json:"skip,omitempty"`
	// Count is the number of requests that fail: 0 means 1, -1 means all from then on.
	Count int `json:"count,omitempty"`
	// Delay is the real time to wait before the work. It ends early if the caller leaves.
	Delay time.Duration `json:"delay,omitempty"`
	// Hold keeps the request until [Server.Release].
	Hold bool `json:"hold,omitempty"`
	// Lose is LoseRequest, LoseResponse or "".
	Lose string `json:"lose,omitempty"`
	// Status is the status to answer with, 200 to 599. An error status without a Body gets a
	// problem document.
	Status int `json:"status,omitempty"`
	// Redirect is the Location to answer with. The status is 302 unless Status is set.
	Redirect string `json:"redirect,omitempty"`
	// Headers are added to the answer.
	Headers map[string]string `json:"headers,omitempty"`
	// Body replaces the body of the answer.
	Body string `json:"body,omitempty"`
	// Truncate sends half of the body as a complete message.
	Truncate bool `json:"truncate,omitempty"`
	// After does the work first; Status or Redirect then replace its answer.
	After bool `json:"after,omitempty"`
}

func (f Fault) check() error {
	if _, err := path.Match(f.Path, ""); err != nil {
		return fmt.Errorf("path %q is not a glob: %w", f.Path, err)
	}
	switch {
	case f.Skip < 0 || f.Count < -1 || f.Delay < 0:
		return fmt.Errorf("skip and delay cannot be negative, nor count below -1")
	case f.Lose != "" && f.Lose != LoseRequest && f.Lose != LoseResponse:
		return fmt.Errorf("lose is %q or %q, not %q", LoseRequest, LoseResponse, f.Lose)
	case f.Hold && f.Lose == LoseRequest:
		return fmt.Errorf("a lost request is not held: nothing is left to be done later")
	case f.Hold && f.Lose != "" && f.Delay > 0:
		return fmt.Errorf("a late request is not delayed: it waits for its release")
	case f.Status != 0 && (f.Status < 200 || f.Status > 599):
		return fmt.Errorf("status is 200 to 599, not %d", f.Status)
	}
	return nil
}

// inPlace reports whether the fault answers without doing the work.
func (f Fault) inPlace() bool { return !f.After && (f.Status != 0 || f.Redirect != "") }

// alter applies the fault to a, which is the real answer or an empty one.
func (f Fault) alter(a *answer) {
	status := f.Status
	if status == 0 && f.Redirect != "" {
		status = http.StatusFound
	}
	if status != 0 {
		a.status = status
	}
	if status >= 300 {
		// Nothing of the real answer, least of all a secret, is sent with an error.
		a.body.Reset()
		a.header = http.Header{"X-Request-Id": a.header.Values("X-Request-Id")}
	}
	switch {
	case f.Body != "":
		a.setBody(bodyType(f.Body), []byte(f.Body))
	case status >= 400:
		problemFor(status).write(a)
	}
	if f.Redirect != "" {
		a.header.Set("Location", f.Redirect)
	}
	if f.Truncate {
		a.body.Truncate(a.body.Len() / 2)
	}
	for name, value := range f.Headers {
		a.header.Set(name, value)
	}
}

func bodyType(body string) string {
	if json.Valid([]byte(body)) {
		return "application/json"
	}
	return http.DetectContentType([]byte(body))
}

// faultJSON is a Fault whose delay is encoded as text.
type faultJSON struct {
	*plainFault
	Delay *textDuration `json:"delay,omitempty"`
}

type plainFault Fault

// MarshalJSON encodes the delay as text and omits it if zero.
func (f Fault) MarshalJSON() ([]byte, error) {
	view := faultJSON{plainFault: (*plainFault)(&f)}
	if f.Delay != 0 {
		view.Delay = (*textDuration)(&f.Delay)
	}
	return json.Marshal(view)
}

// UnmarshalJSON rejects unknown fields and rules that can never apply.
func (f *Fault) UnmarshalJSON(data []byte) error {
	var read Fault
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&faultJSON{(*plainFault)(&read), (*textDuration)(&read.Delay)}); err != nil {
		return fmt.Errorf("reading a fault: %w", err)
	}
	if err := read.check(); err != nil {
		return err
	}
	*f = read
	return nil
}

// faults holds the pending rules in the order in which they were added.
type faults struct {
	prefix string
	mu     sync.Mutex
	rules  []*rule
}

// rule is a fault with its remaining skip and count.
type rule struct {
	fault      Fault
	skip, left int
}

func (q *faults) add(list ...Fault) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, f := range list {
		f.Headers = maps.Clone(f.Headers)
		left := f.Count
		if left == 0 {
			left = 1
		}
		q.rules = append(q.rules, &rule{fault: f, skip: f.Skip, left: left})
	}
}

func (q *faults) clear() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.rules = nil
}

// remaining returns the pending rules with their remaining skip and count.
func (q *faults) remaining() []Fault {
	q.mu.Lock()
	defer q.mu.Unlock()
	list := make([]Fault, 0, len(q.rules))
	for _, r := range q.rules {
		f := r.fault
		f.Skip, f.Count = r.skip, r.left
		list = append(list, f)
	}
	return list
}

// take returns the fault for this request, or the zero Fault if none applies.
func (q *faults) take(method, requestPath string) Fault {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, r := range q.rules {
		if !q.matches(r.fault, method, requestPath) {
			continue
		}
		if r.skip > 0 {
			r.skip--
			continue
		}
		if r.left > 0 {
			r.left--
		}
		if r.left == 0 {
			q.rules = slices.Delete(q.rules, i, i+1)
		}
		return r.fault
	}
	return Fault{}
}

func (q *faults) matches(f Fault, method, requestPath string) bool {
	if f.Method != "" && !strings.EqualFold(f.Method, method) {
		return false
	}
	if f.Path == "" || glob(f.Path, requestPath) {
		return true
	}
	below, found := strings.CutPrefix(requestPath, q.prefix)
	return found && glob(f.Path, below)
}

func glob(pattern, name string) bool {
	matched, err := path.Match(pattern, name)
	return err == nil && matched
}
