package aws_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/aws"
	"github.com/paistrike/terraform-provider-paistrike/internal/testparts"
)

// fault is what happens to one call.
type fault string

const (
	dropped   fault = "dropped before it arrived"
	lost      fault = "done, and the reply lost"
	late      fault = "arrives when the run has ended"
	throttled fault = "throttled"
)

// faultyWire does a fault to the call of a number, from 1, and to every repetition of it
// that follows at once.
type faultyWire struct {
	w     *world
	at    int
	fault fault

	calls int
	late  []func()
}

var errCut = errors.New("the connection was cut")

func (f *faultyWire) RoundTrip(r *http.Request) (*http.Response, error) {
	f.calls++
	if f.calls != f.at {
		return f.w.send(r)
	}
	switch f.fault {
	case dropped:
		return nil, errCut
	case late:
		var body []byte
		if r.Body != nil {
			body, _ = io.ReadAll(r.Body)
		}
		again := r.Clone(context.WithoutCancel(r.Context()))
		again.Body = io.NopCloser(bytes.NewReader(body))
		f.late = append(f.late, func() {
			if response, err := f.w.send(again); err == nil {
				_ = response.Body.Close()
			}
		})
		return nil, errCut
	case lost:
		if response, err := f.w.send(r); err == nil {
			_ = response.Body.Close()
		}
		return nil, errCut
	default:
		if operation(r) == "" {
			response := f.w.answer(r, http.StatusTooManyRequests, "rate_limited")
			response.Header.Set("Retry-After", "1")
			return response, nil
		}
		return f.w.answer(r, http.StatusBadRequest, "ThrottlingException"), nil
	}
}

// inEachFormat is a test of both formats.
func inEachFormat(t *testing.T, name string, test func(t *testing.T, format aws.Format)) {
	t.Helper()
	for _, format := range []aws.Format{aws.JSON, aws.Plain} {
		t.Run(name+"/"+string(format), func(t *testing.T) {
			t.Parallel()
			test(t, format)
		})
	}
}

// TestEveryCallMayGoWrong lets each call of each kind of run go wrong in every way, and
// sees the next run put it right.
func TestEveryCallMayGoWrong(t *testing.T) {
	t.Parallel()
	run := func(wish rotation.Wish, reason schedule.Reason) func(w *world, wire http.RoundTripper) error {
		return func(w *world, wire http.RoundTripper) error {
			_, err := w.engine(wire).Run(context.Background(), w.request(wish, reason))
			return err
		}
	}
	for name, test := range map[string]struct {
		before func(w *world)
		run    func(w *world, wire http.RoundTripper) error
		gone   bool
	}{
		"create": {func(*world) {}, run(rotation.Rotate, schedule.ReasonCreated), false},
		"rotate": {func(w *world) { w.create(); w.advance(30 * day) }, run(rotation.IfDue, schedule.ReasonNone), false},
		"heal":   {func(w *world) { w.create(); w.deleteByHand() }, run(rotation.IfDue, schedule.ReasonNone), false},
		"again":  {func(w *world) { w.create(); w.destroy(entry.EndDelete) }, run(rotation.Rotate, schedule.ReasonCreated), false},
		"destroy": {func(w *world) { w.create() }, func(w *world, wire http.RoundTripper) error {
			_, err := w.engine(wire).Destroy(context.Background(), rotation.DestroyRequest{At: w.at, Owner: "resource-1", Ending: entry.EndDelete})
			return err
		}, true},
	} {
		inEachFormat(t, name, func(t *testing.T, format aws.Format) {
			t.Helper()
			server := startAWS(t)
			for _, kind := range []fault{dropped, lost, late, throttled} {
				for at, done := 1, false; !done; at++ {
					w := newWorld(t, server, fmt.Sprintf("faults/%d/%s", at, kind[:4]))
					w.advance(0)
					w.settings.Format = format
					test.before(w)
					wire := &faultyWire{w: w, at: at, fault: kind}
					err := test.run(w, wire)
					done = wire.calls < at
					for _, arrive := range wire.late {
						arrive()
					}
					// A day later nothing can be in flight any more, and the overlap is over.
					if err := test.run(w, w.wire()); err != nil {
						t.Fatalf("call %d %s: the clean run after %v: %v", at, kind, err, err)
					}
					w.advance(day + 1e9)
					if err := test.run(w, w.wire()); err != nil {
						t.Fatalf("call %d %s: a day after %v: %v", at, kind, err, err)
					}
					if test.gone && len(w.live()) > 0 {
						t.Errorf("call %d %s: %d tokens live after a destroy", at, kind, len(w.live()))
					}
					if problem := w.check(); problem != nil && !test.gone {
						t.Errorf("call %d %s: %v; the faulty run said %v", at, kind, problem, err)
					}
					if kind == throttled && err != nil {
						t.Errorf("call %d %s: %v", at, kind, err)
					}
				}
			}
		})
	}
}

// TestWritesAreSentOnce shows which failures the client itself repeats: a read on any, a
// write only if AWS says that it did nothing.
func TestWritesAreSentOnce(t *testing.T) {
	t.Parallel()
	server := startAWS(t)
	w := newWorld(t, server, "once")
	w.create()
	s := w.store(w.wire())
	if _, err := s.Look(t.Context(), w.at); err != nil { // and learn what time it is there
		t.Fatal(err)
	}
	describe := func() error { return s.Describe(t.Context(), w.at, entry.Mirror{State: entry.StateActive}) }
	look := func() error { _, err := s.Look(t.Context(), w.at); return err }
	for _, test := range []struct {
		name  string
		fault testparts.AWSFault
		call  func() error
		want  int
	}{
		{"a read fails", testparts.AWSFault{Error: "InternalServiceError"}, look, 2},
		{"a write fails", testparts.AWSFault{Error: "InternalServiceError"}, describe, 1},
		{"a write's reply is lost", testparts.AWSFault{Lose: "response"}, describe, 1},
		{"a write is throttled", testparts.AWSFault{Error: "ThrottlingException"}, describe, 2},
		{"a write is too much", testparts.AWSFault{Error: "LimitExceededException"}, describe, 1},
	} {
		server.ForgetJournal()
		server.Inject(test.fault)
		err := test.call()
		if n := len(server.Journal()); n != test.want || (err == nil) != (test.want == 2) {
			t.Errorf("%s: %d requests, want %d: %v", test.name, n, test.want, err)
		}
	}
}

// TestCanary shows that the secret is nowhere but in the value: not in what AWS's log
// keeps of the requests, nor in what describes the secret.
func TestCanary(t *testing.T) {
	t.Parallel()
	w := newWorld(t, startAWS(t), "canary")
	var secrets []string
	w.create()
	for range 2 {
		secrets = append(secrets, w.current().Secret.Reveal())
		w.advance(30 * day)
		w.run(w.request(rotation.IfDue, schedule.ReasonNone))
	}
	w.destroy(entry.EndKeep)
	journal, err := json.Marshal(w.aws.Journal()) //nolint:gosec // what is in there is what this test is about
	if err != nil {
		t.Fatal(err)
	}
	described, err := json.Marshal(w.described())
	if err != nil {
		t.Fatal(err)
	}
	value, _ := w.value()
	for _, text := range []string{string(journal), string(described), value} {
		for _, hidden := range secrets {
			if strings.Contains(text, hidden) || strings.Contains(text, hidden[8:24]) {
				t.Errorf("a secret is in %.200s", text)
			}
		}
	}
	if !strings.Contains(string(journal), "paistrike-00000000000002-") {
		t.Error("the log does not even have the versions")
	}
}
