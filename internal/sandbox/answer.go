package sandbox

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
)

// answer is a response that is not sent yet, so that it can be altered, lost or
// made late. It is also the http.ResponseWriter that the handlers write to.
type answer struct {
	status int
	header http.Header
	body   bytes.Buffer
}

func newAnswer() *answer { return &answer{header: http.Header{}} }

// Header returns the header fields that are sent.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader keeps the first status.
func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

// Write keeps the body.
func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(p)
}

func (a *answer) ok() bool { return a.status >= 200 && a.status < 300 }

// send writes the answer out. The caller's header fields stay below the answer's own.
func (a *answer) send(w http.ResponseWriter) {
	for name, values := range a.header {
		w.Header()[name] = values
	}
	w.WriteHeader(a.status)
	// The caller has left if this fails; nobody is there to be told.
	w.Write(a.body.Bytes()) //nolint:errcheck // see above
}

// setBody replaces the body and what describes it.
func (a *answer) setBody(contentType string, body []byte) {
	a.body.Reset()
	a.body.Write(body)
	a.header.Set("Content-Type", contentType)
}

// handle runs h on a buffer. What the mux itself answers (404, 405, a redirect
// to a cleaner path) is plain text; it becomes a problem document, with Allow.
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

// writeJSON answers with v, which is made of plain values that always encode.
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
