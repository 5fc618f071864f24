package main

import (
	"context"
	"errors"
	"net/http"

	"github.com/paistrike/terraform-provider-paistrike/tools/loopback"
)

// fault is a rule for what goes wrong with requests that match it.
type fault struct {
	Operation string `json:"operation,omitempty"` // a glob, such as "*SecretValue"; "" is any
	Secret    string `json:"secret,omitempty"`    // a glob for the secret's name; "" is any request
	loopback.Fault
	// Error answers with that error in place of the work, such as ThrottlingException
	// or InternalServiceError; with After the work is done first.
	Error string `json:"error,omitempty"`
	// Status is the error's HTTP status if it is not the usual one. On its own it
	// stands for an answer that is not one of AWS's, such as a proxy's 502.
	Status int    `json:"status,omitempty"`
	Body   string `json:"body,omitempty"` // in place of the answer's own
}

func (f fault) check() error {
	if f.Status != 0 && (f.Status < 200 || f.Status > 599) {
		return errors.New("status is 200 to 599")
	}
	return f.Check(f.Operation, f.Secret)
}

// serve does a request with whatever is to go wrong with it. It is not ok if the
// connection is to be cut.
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
