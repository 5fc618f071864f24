package main

import (
	"context"
	"errors"
	"net/http"

	"github.com/paistrike/terraform-provider-paistrike/tools/loopback"
)

// fault is a rule for the failure of the requests that match it.
type fault struct {
	Operation string `json:"operation,omitempty"` // glob, such as "*SecretValue"; "" matches any
	Secret    string `json:"secret,omitempty"`    // glob for the secret's name; "" matches any request
	loopback.Fault
	// Error is the error to answer with instead of the work, such as ThrottlingException or
	// InternalServiceError; with After, the work is done first.
	Error string `json:"error,omitempty"`
	// Status replaces the error's usual HTTP status. Without Error, the answer is not in
	// AWS's format, like a proxy's 502.
	Status int    `json:"status,omitempty"`
	Body   string `json:"body,omitempty"` // replaces the body of the answer
}

func (f fault) check() error {
	if f.Status != 0 && (f.Status < 200 || f.Status > 599) {
		return errors.New("status is 200 to 599")
	}
	return f.Check(f.Operation, f.Secret)
}

// serve handles a request and applies the fault that matches it. ok is false if the
// connection must be cut.
func (s *server) serve(ctx context.Context, r *request, work func() answer) (a answer, ok bool) {
	f := s.faults.Take(func(f fault) bool {
		return loopback.Matches(f.Operation, r.operation) && loopback.Matches(f.Secret, r.secret)
	})
	var done answer
	ok = s.faults.Meet(ctx, f, f.Error != "" || f.Status != 0, func() { done = work() })
	if !ok {
		return answer{}, false
	}
	return f.alter(r, done), true
}

// alter applies the fault to the real answer.
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
