package loopback

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func TestIsLocal(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]bool{
		"127.0.0.1:8210": true, "localhost": true, "[::1]:8210": true,
		"": false, "evil.example.com": false, "10.0.0.1:8210": false, "localhost.evil.example.com": false,
	} {
		if IsLocal(host) != want {
			t.Errorf("%q is local: %v", host, !want)
		}
	}
}

func TestClock(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/clock" {
			_, _ = w.Write([]byte(`{"now":"2026-01-05T09:00:00Z"}`))
		}
	}))
	t.Cleanup(server.Close)
	now, err := Clock{URL: server.URL + "/clock"}.Now(t.Context())
	if err != nil || !now.Equal(time.Date(2026, time.January, 5, 9, 0, 0, 0, time.UTC)) {
		t.Errorf("%v, %v", now, err)
	}
	if _, err := (Clock{URL: server.URL}).Now(t.Context()); err == nil {
		t.Error("a server that tells no time told one")
	}
}

// rule is a server's rule that embeds a [Fault].
type rule struct {
	Path string
	Fault
}

// met returns how often the work was done, and whether the request was answered.
func met(q *Faults[rule, *rule], path string) (work int, answered bool) {
	f := q.Take(func(r rule) bool { return Matches(r.Path, path) })
	answered = q.Meet(context.Background(), f, false, func() { work++ })
	return work, answered
}

func TestFaultsMeetRequests(t *testing.T) {
	t.Parallel()
	var q Faults[rule, *rule]
	q.Add([]rule{
		{"a/**", Fault{Skip: 1, Lose: "request"}},
		{"a/*", Fault{Count: -1, Lose: "response"}},
	})
	for i, want := range []struct {
		path     string
		work     int
		answered bool
	}{
		{"b", 1, true},      // no rule matches
		{"a/x", 1, false},   // the first rule skips it, the second applies
		{"a/x/y", 0, false}, // the first rule applies
		{"a/x/y", 1, true},  // the first rule is used up
		{"a/x", 1, false},   // the second rule applies every time
		{"a/x", 1, false},
	} {
		if work, answered := met(&q, want.path); work != want.work || answered != want.answered {
			t.Errorf("%d: %s: work %d, answered %v", i, want.path, work, answered)
		}
	}
	q.Clear()
	if work, answered := met(&q, "a/x"); work != 1 || !answered {
		t.Error("a rule was left")
	}
}

func TestHeldWorkIsDoneAtTheRelease(t *testing.T) {
	t.Parallel()
	var q Faults[rule, *rule]
	q.Add([]rule{{"", Fault{Hold: true, Lose: "response"}}})
	f := q.Take(func(rule) bool { return true })
	done := make(chan struct{})
	if q.Meet(t.Context(), f, false, func() { close(done) }) {
		t.Error("the caller was answered")
	}
	select {
	case <-done:
		t.Fatal("the work was done before the release")
	default:
	}
	q.Release()
	<-done
}

func TestWrongFaults(t *testing.T) {
	t.Parallel()
	for _, f := range []Fault{{Skip: -1}, {Count: -2}, {DelayMS: -1}, {Lose: "both"}} {
		if f.Check() == nil {
			t.Errorf("%+v was taken", f)
		}
	}
	if (&Fault{}).Check("[") == nil {
		t.Error("a glob that is malformed was taken")
	}
}
