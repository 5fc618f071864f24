package sandbox

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
)

// answer is a buffered response. It can be altered, delayed or dropped before it is sent. It
// is also the http.ResponseWriter of the handlers.
type answer struct {
	status int
	header http.Header
	body   bytes.Buffer
}

func newAnswer() *answer { return &answer{header: http.Header{}} }

// Header returns the response header, which handlers may modify.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader records the status. Only the first call has an effect.
func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

// Write appends p to the body and records status 200 if no status was set.
func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(p)
}

func (a *answer) ok() bool { return a.status >= 200 && a.status < 300 }

// send writes the answer to w. The answer's header fields replace those already set on w.
func (a *answer) send(w http.ResponseWriter) {
	for name, values := range a.header {
		w.Header()[name] = values
	}
	w.WriteHeader(a.status)
	// A failure means that the caller has disconnected. There is no one to report it to.
	w.Write(a.body.Bytes()) //nolint:errcheck // see above
}

// setBody replaces the body and the header fields that describe it.
func (a *answer) setBody(contentType string, body []byte) {
	a.body.Reset()
	a.body.Write(body)
	a.header.Set("Content-Type", contentType)
}

// handle runs h on a buffer. The mux answers 404, 405 and redirects in plain text; handle
// turns them into problem documents and keeps the Allow header.
func handle(h http.Handler, r *http.Request, requestID string) *answer {
	a := newAnswer()
	a.header.Set("X-Request-Id", requestID)
	h.ServeHTTP(a, r)
	a.WriteHeader(http.StatusOK)
	if a.status < 300 || !strings.HasPrefix(a.header.Get("Content-Type"), "text/") {
		return a
	}
	allow := a.header.Values("Allow")
	plain := newAnswer()
	plain.header.Set("X-Request-Id", requestID)
	if a.status == http.StatusMethodNotAllowed {
		plain.header["Allow"] = allow
		problem{Status: http.StatusMethodNotAllowed, Code: "method_not_allowed"}.write(plain)
	} else {
		notFound("there is no such path").write(plain)
	}
	return plain
}

// writeJSON answers with v as JSON. Callers pass only plain values, which always encode.
func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		problem{Status: http.StatusInternalServerError, Code: "internal", Detail: err.Error()}.write(w)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(append(body, '\n')) //nolint:errcheck // a buffer never fails
}
