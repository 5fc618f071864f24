package aws_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/fleet"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

// TestWalkOfManySecrets shows that a scheduled run requests only the entries that may be
// due: the pages of the list are sufficient for the others.
func TestWalkOfManySecrets(t *testing.T) {
	t.Parallel()
	w := newWorld(t, startAWS(t), "")
	const entries, due = 230, 20
	engine := w.engine(w.wire())
	var group errgroup.Group
	group.SetLimit(8)
	for i := range entries {
		group.Go(func() error {
			request := w.request(rotation.Rotate, schedule.ReasonCreated)
			request.At.Path = fmt.Sprintf("ci/team-%03d", i)
			if i < due {
				request.Schedule.Period, request.Policy.Period = "10d", 10*day
			}
			_, err := engine.Run(t.Context(), request)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	stranger := *w
	stranger.at.Path = "elsewhere/a"
	stranger.create()
	w.advance(15 * day)

	about := map[string]int{}
	calls := 0
	w.aws.ForgetJournal()
	store := w.store(w.wire())
	walked, err := fleet.Walk(t.Context(), store, entry.Location{Region: region, Path: "ci"}, 4)
	if err != nil || len(walked) != entries {
		t.Fatalf("%d entries, %v", len(walked), err)
	}
	report, err := fleet.Rotate(t.Context(), w.engineOn(store), walked, fleet.Options{Concurrency: 4})
	if err != nil {
		t.Fatal(err)
	}
	rotated := 0
	for _, e := range report.Entries.All() {
		switch e.Outcome {
		case fleet.Rotated:
			rotated++
		case fleet.Current:
		default:
			t.Errorf("%s: %s %+v", e.Path, e.Outcome, e.Problem)
		}
	}
	for _, event := range w.aws.Journal() {
		if strings.HasPrefix(event.Secret, "ci/") {
			about[event.Secret]++
		} else {
			calls++
		}
	}
	// Each page once, and the first twice, to learn the server's time.
	const most = (entries+99)/100 + 1
	if rotated != due || len(about) != due || calls > most {
		t.Errorf("%d rotated; AWS was asked about %d entries, with %d calls beside: want %d, %d and %d", rotated, len(about), calls, due, due, most)
	}
}

// TestAListThatIsBehind shows that an outdated list decides nothing: an entry that is due
// according to the list is looked at, and is left alone if another run has replaced its
// token since.
func TestAListThatIsBehind(t *testing.T) {
	t.Parallel()
	w := newWorld(t, startAWS(t), "")
	engine := w.engine(w.wire())
	request := w.request(rotation.Rotate, schedule.ReasonCreated)
	request.Schedule.Period, request.Policy.Period = "10d", 10*day
	for _, name := range []string{"ci/early", "ci/late"} {
		request.At.Path = name
		if _, err := engine.Run(t.Context(), request); err != nil {
			t.Fatal(err)
		}
	}
	w.advance(15 * day)
	w.aws.Set(false, 10*time.Minute)
	request.At.Path, request.Wish, request.Reason = "ci/early", rotation.IfDue, schedule.ReasonNone
	if result, err := w.engine(w.wire()).Run(t.Context(), request); err != nil || !result.Rotated {
		t.Fatalf("%+v, %v", result, err)
	}

	store := w.store(w.wire())
	walked, err := fleet.Walk(t.Context(), store, entry.Location{Region: region, Path: "ci"}, 4)
	if err != nil || len(walked) != 2 {
		t.Fatalf("%v, %v", walked, err)
	}
	listed, there, err := store.Listed(t.Context(), request.At)
	if err != nil || !there || listed.Mirror.Of != 1 {
		t.Fatalf("the list is not behind: %+v, %v", listed.Mirror, err)
	}
	report, err := fleet.Rotate(t.Context(), w.engineOn(store), walked, fleet.Options{Concurrency: 4})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range report.Entries.All() {
		want := map[string]fleet.Outcome{"ci/early": fleet.Current, "ci/late": fleet.Rotated}[e.Path]
		if e.Outcome != want {
			t.Errorf("%s: %s, want %s (%+v)", e.Path, e.Outcome, want, e.Problem)
		}
	}
}
