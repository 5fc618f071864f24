package sandbox

import (
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"
)

// Call is one request that came in, other than those to the control endpoints.
type Call struct {
	Time   time.Time `json:"time"` // by the sandbox clock, at arrival
	Method string    `json:"method"`
	Path   string    `json:"path"`
	Query  string    `json:"query,omitempty"`
	// Status is what the caller was sent; 0 if the connection was cut instead.
	Status int `json:"status"`
	// TokenID is the token that the caller showed, if the sandbox knows it.
	TokenID string `json:"token_id,omitempty"`
	// Subject is the token that was read, revoked or created.
	Subject   string `json:"subject,omitempty"`
	RequestID string `json:"request_id"`
	// Applied says that the work was done with success, whatever the caller was sent.
	Applied bool `json:"applied"`
}

// journal keeps the calls in the order in which they were answered.
type journal struct {
	scrub scrubber
	mu    sync.Mutex
	calls []*Call
}

// open begins the entry of a request. Nothing that looks like a secret gets in.
func (j *journal) open(r *http.Request, requestID string, now time.Time) *Call {
	return &Call{
		Time:      now,
		Method:    r.Method,
		Path:      j.scrub.clean(r.URL.Path),
		Query:     j.scrub.clean(plainQuery(r.URL)),
		RequestID: requestID,
	}
}

// plainQuery writes the query in one spelling, or a secret could hide behind percent signs.
func plainQuery(u *url.URL) string { return u.Query().Encode() }

// add closes an entry with the status that the caller is sent.
func (j *journal) add(c *Call, status int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	c.Status = status
	j.calls = append(j.calls, c)
}

// note writes what the work came to, which may be after the entry was closed.
func (j *journal) note(c *Call, w *work) {
	j.mu.Lock()
	defer j.mu.Unlock()
	c.TokenID, c.Subject, c.Applied = w.caller, w.subject, w.answer.ok()
}

func (j *journal) all() []Call {
	j.mu.Lock()
	defer j.mu.Unlock()
	calls := make([]Call, len(j.calls))
	for i, c := range j.calls {
		calls[i] = *c
	}
	return calls
}

func (j *journal) reset() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.calls = slices.Delete(j.calls, 0, len(j.calls))
}
