package sandbox

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"time"
)

// maxBody limits the body of a request, in bytes.
const maxBody = 64 << 10

// work is the processing of one request: the calling token, the token it concerns, and the
// answer.
type work struct {
	caller, subject string
	answer          *answer
}

type workKey struct{}

// workOf returns the work of r, in which handlers record the caller and the subject.
func workOf(r *http.Request) *work {
	w, ok := r.Context().Value(workKey{}).(*work)
	if !ok {
		return &work{}
	}
	return w
}

// exchange answers one API request and applies the fault that matches it.
func (s *Server) exchange(w http.ResponseWriter, r *http.Request, requestID string) {
	call := s.journal.open(r, requestID, s.clock.Now())
	lost := func() {
		s.journal.add(call, 0)
		cut(w)
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		lost()
		return
	}
	fault := s.faults.take(r.Method, r.URL.Path)
	if fault.Hold && fault.Lose == LoseResponse {
		// The work continues after its connection is closed and its caller has left.
		late := r.Clone(context.WithoutCancel(r.Context()))
		s.journal.add(call, 0)
		s.holds.later(func() { s.perform(late, body, call) })
		cut(w)
		return
	}
	if !s.arrives(r.Context(), fault) {
		lost()
		return
	}
	a := s.outcome(fault, r, body, call)
	if fault.Lose == LoseResponse {
		lost()
		return
	}
	s.journal.add(call, a.status)
	a.send(w)
}

// arrives applies the part of a fault that precedes the work. It reports whether the request
// reaches the work.
func (s *Server) arrives(ctx context.Context, fault Fault) bool {
	if !pause(ctx, fault.Delay) {
		return false
	}
	if fault.Hold && !s.holds.wait(ctx) {
		return false
	}
	return fault.Lose != LoseRequest
}

// outcome does the work and returns its answer, or the fault's answer instead.
func (s *Server) outcome(fault Fault, r *http.Request, body []byte, call *Call) *answer {
	a := newAnswer()
	a.header.Set("X-Request-Id", call.RequestID)
	if fault.inPlace() {
		a.status = http.StatusOK
	} else {
		a = s.perform(r, body, call)
	}
	fault.alter(a)
	return a
}

// perform runs the request against the API and records the result in the journal.
func (s *Server) perform(r *http.Request, body []byte, call *Call) *answer {
	done := &work{}
	r = r.WithContext(context.WithValue(r.Context(), workKey{}, done))
	r.Body = io.NopCloser(bytes.NewReader(body))
	done.answer = s.saved(handle(s.api, r, call.RequestID))
	s.journal.note(call, done)
	return done.answer
}

// saved returns a, or an error instead if the state file cannot be written: a result that was
// reported to a caller must survive a restart.
func (s *Server) saved(a *answer) *answer {
	if err := s.Save(); err != nil {
		failed := newAnswer()
		failed.header.Set("X-Request-Id", a.header.Get("X-Request-Id"))
		problem{Status: http.StatusInternalServerError, Code: "internal", Detail: "the sandbox could not write its state file"}.write(failed)
		return failed
	}
	return a
}

// pause waits for d. It returns false if the caller left earlier.
func pause(ctx context.Context, d time.Duration) bool {
	if d == 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// cut closes the connection without an answer.
func cut(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // HTTP/2 and recorders cannot be hijacked
	}
	conn.Close() //nolint:errcheck // it is thrown away on purpose
}
