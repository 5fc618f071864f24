package fleet_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/fleet"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
	"github.com/paistrike/terraform-provider-paistrike/internal/testparts"
)

// monthly is the schedule of a token that is replaced every 30 days.
var monthly = schedule.Schedule{Period: "30d", Overlap: "24h", ExpiresIn: "90d"}

// One run replaces exactly the due tokens, the next has nothing to do, and a run after the
// overlap revokes the replaced tokens.
func TestRunReplacesExactlyWhatIsDue(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	due := w.mixed()
	w.paistrike.Clock().Advance(31 * day) // 5 February: the window of the first of the month has passed
	old := w.secret(due[0])

	w.listen()
	first := w.rotate(fleet.Options{})
	if got := paths(first, fleet.Rotated); !slices.Equal(got, due) || first.Rotated != 10 || first.Current != 20 || first.Failed != 0 {
		t.Fatalf("rotated %v (%d current, %d failed), want %v", got, first.Current, first.Failed, due)
	}
	if c := w.calls(); c["paistrike POST"] != 10 || c["vault data PUT"] != 10 || c["vault data GET"] != 10 {
		t.Errorf("calls %v, want 10 creates, 10 writes, and no secret read but those of the 10", c)
	}
	w.wantMetadataWrites("a rotation of 10", 10) // one write of metadata per rotation
	if now := w.secret(due[0]); now == old || !w.accepts(now) || !w.accepts(old) {
		t.Error("old and new must differ, and both work in the overlap")
	}
	if want := firstDay.Add(45 * day); !first.NextRotationAt.Equal(want) {
		t.Errorf("next rotation %v, want %v", first.NextRotationAt, want)
	}

	w.listen()
	if second := w.rotate(fleet.Options{}); second.Current != 30 || w.writes() != 0 {
		t.Errorf("a second run: %d current, %d writes", second.Current, w.writes())
	}

	w.paistrike.Clock().Advance(25 * time.Hour)
	w.listen()
	third := w.rotate(fleet.Options{})
	w.wantMetadataWrites("the end of 10 overlaps", 10)
	if third.Retired != 10 || third.Rotated != 0 || w.accepts(old) || w.live() != 30 {
		t.Errorf("after the overlap: %d retired, %d rotated, %d live", third.Retired, third.Rotated, w.live())
	}

	w.listen()
	w.rotate(fleet.Options{Force: true, RevokePrevious: true})
	w.wantMetadataWrites("an incident of 30", 30)
	w.listen()
	if w.rotate(fleet.Options{}); w.writes() != 0 {
		t.Errorf("then nothing is left to do, and yet %v", w.calls())
	}
}

// A dry run reports what a run would do, and writes nothing.
func TestDryRunWritesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.provision("ci/a", "A", monthly)
	w.paistrike.Clock().Advance(32 * day)
	w.listen()
	report := w.rotate(fleet.Options{DryRun: true})
	e := report.Entries.At(0)
	if w.writes() != 0 || report.Due != 1 || e.Outcome != fleet.Due || e.Reason != schedule.ReasonPeriod || !e.Overdue || report.Overdue != 1 {
		t.Errorf("%d writes, report %+v", w.writes(), report)
	}
	if c := w.calls(); c["vault data GET"] != 0 {
		t.Errorf("a dry run read a secret: %v", c)
	}
}

// With Force, all tokens are replaced, due or not, with or without a schedule.
func TestForceReplacesAll(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.provision("ci/a", "A", monthly)
	w.provision("ci/b", "B", schedule.Schedule{ExpiresIn: "90d"})
	if report := w.rotate(fleet.Options{}); report.Rotated != 0 || report.Skipped != 1 || report.Current != 1 {
		t.Errorf("nothing is due, and yet %+v", report)
	}
	report := w.rotate(fleet.Options{Force: true})
	if report.Rotated != 2 || report.Entries.At(0).Reason != schedule.ReasonForced || report.Entries.At(0).Replaced == report.Entries.At(0).TokenID {
		t.Errorf("forced: %+v", report)
	}
}

// Two concurrent runs replace each token once.
func TestTwoRunsAtOnceReplaceEachTokenOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	due := w.mixed()
	w.paistrike.Clock().Advance(31 * day)
	w.listen()
	reports := make([]fleet.Report, 2)
	var both sync.WaitGroup
	for i := range reports {
		both.Go(func() { reports[i] = w.rotate(fleet.Options{}) })
	}
	both.Wait()
	if got := reports[0].Rotated + reports[1].Rotated; got != len(due) || reports[0].Failed+reports[1].Failed != 0 {
		t.Errorf("both together rotated %d of %d and failed %d", got, len(due), reports[0].Failed+reports[1].Failed)
	}
	for _, path := range due {
		if !w.accepts(w.secret(path)) {
			t.Errorf("%s serves a token that does not work", path)
		}
	}
	if w.live() != 40 {
		t.Errorf("%d tokens live, want 30 and 10 in their overlap", w.live())
	}
}

// After a run is killed at any point, every consumer has a working token, and the next run
// completes the work.
func TestKilledRunIsFinishedByTheNext(t *testing.T) {
	t.Parallel()
	for _, after := range []int64{1, 20, 45, 60, 75, 85, 95} {
		t.Run(fmt.Sprintf("after %d requests", after), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			due := w.mixed()
			w.paistrike.Clock().Advance(31 * day)
			w.dieAfter(after)
			for _, path := range due {
				if !w.accepts(w.secret(path)) {
					t.Fatalf("%s serves a token that does not work", path)
				}
			}
			w.rotate(fleet.Options{})
			if w.live() != 40 {
				t.Errorf("%d tokens live after the next run, want 30 and 10 in their overlap", w.live())
			}
			for _, path := range due {
				if versions := w.version(path); versions != 2 {
					t.Errorf("%s is at version %d, want 2", path, versions)
				}
			}
		})
	}
}

var errKilled = errors.New("the process is gone")

type wireFunc func(*http.Request) (*http.Response, error)

func (f wireFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// dieAfter runs until a number of requests was sent. Later requests fail, as if the process
// had been killed.
func (w *world) dieAfter(requests int64) {
	w.Helper()
	var sent atomic.Int64
	engine, store := w.process(wireFunc(func(r *http.Request) (*http.Response, error) {
		if sent.Add(1) > requests {
			return nil, errKilled
		}
		return w.wire.RoundTrip(r)
	}))
	entries, err := fleet.Walk(w.Context(), store, folder, 4)
	if err == nil {
		_, _ = fleet.Rotate(w.Context(), engine, entries, fleet.Options{Concurrency: 4})
	}
	if sent.Load() <= requests {
		w.Fatalf("the run was over after %d requests", sent.Load())
	}
}

func (w *world) version(path string) int {
	w.Helper()
	var meta struct {
		Data struct {
			CurrentVersion int `json:"current_version"`
		}
	}
	testparts.Ask(w, http.MethodGet, w.vault+"/v1/secret/metadata/"+path, w.root, nil, &meta)
	return meta.Data.CurrentVersion
}

// The failure of one entry is reported, and does not affect other entries.
func TestFailureAtOneEntryStopsNoOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, path := range []string{"ci/a", "ci/b", "ci/c"} {
		w.provision(path, path, monthly)
	}
	w.paistrike.Clock().Advance(31 * day)
	report := w.rotateOver(wireFunc(func(r *http.Request) (*http.Response, error) {
		if r.Method == http.MethodPut && r.URL.Path == "/v1/secret/data/ci/b" {
			recorder := httptest.NewRecorder()
			recorder.WriteHeader(http.StatusForbidden)
			response := recorder.Result()
			response.Request = r
			return response, nil
		}
		return w.wire.RoundTrip(r)
	}), fleet.Options{})
	if report.Rotated != 2 || report.Failed != 1 || report.Entries.At(1).Problem == nil || report.Entries.At(1).Problem.Code != "PS210" {
		t.Errorf("%+v", report.Entries)
	}
	if w.live() != 5 {
		t.Errorf("%d tokens live, want 3 and the 2 replaced ones: what was minted in vain is revoked", w.live())
	}
}

// The token used for calls to PAIStrike may be that of an entry. A run that replaces it does
// not revoke it; the next run, with the new token, revokes it after its overlap.
func TestManagementTokenReplacesItself(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.provision("ci/broker", "Management", schedule.Schedule{Period: "30d", Overlap: "24h", ExpiresIn: "never"})
	w.management = w.secret("ci/broker")
	w.paistrike.Clock().Advance(31 * day)
	old := w.management
	if report := w.rotate(fleet.Options{}); report.Rotated != 1 || !w.accepts(old) {
		t.Fatalf("%+v", report)
	}
	w.paistrike.Clock().Advance(25 * time.Hour)
	w.management = w.secret("ci/broker")
	if report := w.rotate(fleet.Options{}); report.Retired != 1 || w.accepts(old) || !w.accepts(w.management) {
		t.Errorf("%+v", report)
	}
}

// With RevokePrevious, the new token revokes the management token that the run started with,
// if Succeed allows it. Otherwise others use the old token, and the run reports that it is
// still valid.
func TestCompromisedManagementToken(t *testing.T) {
	t.Parallel()
	for _, succeed := range []bool{true, false} {
		w := newWorld(t)
		w.provision("ci/broker", "Management", monthly)
		w.management = w.secret("ci/broker")
		report := w.rotate(fleet.Options{Force: true, RevokePrevious: true, Succeed: succeed})
		says := map[bool]string{true: "PS505", false: "PS506"}[succeed]
		if warnings := report.Entries.At(0).Warnings; report.Rotated != 1 || len(warnings) != 1 || warnings[0].Code != says {
			t.Errorf("succeed %v: %+v", succeed, report)
		}
		if w.accepts(w.management) == succeed || !w.accepts(w.secret("ci/broker")) {
			t.Errorf("succeed %v: the old token works: %v, the new one: %v", succeed, w.accepts(w.management), w.accepts(w.secret("ci/broker")))
		}
	}
}

// For 1,000 entries, 20 of them due, a run makes one list of the tokens, one LIST, and one
// read of metadata per entry. All other requests belong to the protocol for the 20.
func TestThousandEntriesTwentyDue(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it provisions a thousand entries")
	}
	w := newWorld(t)
	slow := schedule.Schedule{Period: "60d", Overlap: "24h", ExpiresIn: "90d"}
	var made sync.WaitGroup
	for part := range 8 {
		made.Go(func() {
			for i := part; i < 1000; i += 8 {
				text := slow
				if i < 20 {
					text = monthly
				}
				w.provision(fmt.Sprintf("ci/%04d", i), fmt.Sprintf("Integration %d", i), text)
			}
		})
	}
	made.Wait()
	w.paistrike.Clock().Advance(31 * day)
	w.listen()
	report := w.rotate(fleet.Options{})
	c := w.calls()
	t.Logf("1000 entries, 20 due: %v", c)
	if report.Rotated != 20 || report.Current != 980 {
		t.Fatalf("%d rotated, %d current", report.Rotated, report.Current)
	}
	for kind, most := range map[string]int{
		"paistrike GET":        11 + 20, // the list in pages of 100, and each new token once
		"paistrike POST":       20,
		"paistrike DELETE":     0,
		"vault LIST":           1,
		"vault metadata GET":   1000,
		"vault metadata PATCH": 20,
		"vault data GET":       20,
		"vault data PUT":       20,
		"vault other":          4 + 20, // mount, its settings, the time, token lookup; and the capabilities for each
	} {
		if c[kind] > most {
			t.Errorf("%s: %d calls, want at most %d", kind, c[kind], most)
		}
	}
}
