package sandbox

import (
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"
)

// Call is one request received. Requests to the control endpoints are not recorded.
type Call struct {
	Time   time.Time `json:"time"` // time of arrival by the sandbox clock
	Method string    `json:"method"`
	Path   string    `json:"path"`
	Query  string    `json:"query,omitempty"`
	// Status is the status sent to the caller, or 0 if the connection was cut.
	Status int `json:"status"`
	// TokenID identifies the caller's token, if the sandbox knows it.
	TokenID string `json:"token_id,omitempty"`
	// Subject is the ID of the token that was read, revoked or created.
	Subject   string `json:"subject,omitempty"`
	RequestID string `json:"request_id"`
	// Applied reports whether the work succeeded, regardless of the status sent.
	Applied bool `json:"applied"`
}

// journal records calls in the order in which they were answered.
type journal struct {
	scrub scrubber
	mu    sync.Mutex
	calls []*Call
}

// open starts the entry of a request. Anything that looks like a secret is redacted.
func (j *journal) open(r *http.Request, requestID string, now time.Time) *Call {
	return &Call{
		Time:      now,
		Method:    r.Method,
		Path:      j.scrub.clean(r.URL.Path),
		Query:     j.scrub.clean(plainQuery(r.URL)),
		RequestID: requestID,
	}
}

// plainQuery normalizes the query, because percent-encoding could hide a secret.
func plainQuery(u *url.URL) string { return u.Query().Encode() }

// add completes an entry with the status sent to the caller.
func (j *journal) add(c *Call, status int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	c.Status = status
	j.calls = append(j.calls, c)
}

// note records the result of the work, possibly after add.
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
