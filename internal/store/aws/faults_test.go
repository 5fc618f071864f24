package aws_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
	"github.com/paistrike/terraform-provider-paistrike/internal/testparts"
)

var errCut = errors.New("the connection was cut")

// TestWritesAreSentOnce shows which failures the client retries: any failure of a read,
// but a failed write only if AWS reports that it did nothing.
func TestWritesAreSentOnce(t *testing.T) {
	t.Parallel()
	server := startAWS(t)
	w := newWorld(t, server, "once")
	w.create()
	s := w.store(w.wire())
	if _, err := s.Look(t.Context(), w.at); err != nil { // and learn the server's time
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

// TestCanary shows that the secret is only in the value: not in what AWS logs of the
// requests, and not in the description of the secret.
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
