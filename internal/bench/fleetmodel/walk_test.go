package fleetmodel_test

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/paistrike/terraform-provider-paistrike/internal/bench/fleetmodel"
	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/fleet"
	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
	"github.com/paistrike/terraform-provider-paistrike/internal/testparts"
)

// within is the maximum relative error of a prediction.
const within = 0.15

// The walk itself, over servers some way off whose time is that of a test bubble, takes
// what the model predicts, and makes as many requests.
func TestModelPredictsTheWalk(t *testing.T) {
	t.Parallel()
	near := fleetmodel.Fleet{Folders: 100, Concurrency: 8, PAIStrike: 50 * time.Millisecond, Vault: 10 * time.Millisecond}
	sized := func(entries, due, limit int, announced bool) fleetmodel.Fleet {
		f := near
		f.Entries, f.Due, f.Limit, f.Announced = entries, due, limit, announced
		return f
	}
	for name, f := range map[string]fleetmodel.Fleet{
		"1,000 entries":          sized(1000, 10, 0, false),
		"10,000 entries":         sized(10_000, 100, 0, false),
		"1,000 entries, all due": sized(1000, 1000, 0, false),
		"1,000 entries, a limit": sized(1000, 300, 60, true),
		// More shards contend for the limit, and chance decides who is refused how often.
		"1,000 entries, a limit, two shards":  inShards(2, sized(1000, 600, 60, true)),
		"1,000 entries, four shards":          inShards(4, sized(1000, 300, 0, false)),
		"1,000 entries, a limit, unannounced": sized(1000, 300, 60, false),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWalk(t, f)
				took := w.rotate()
				predicted := f.Run()
				ratio := predicted.Took.Seconds() / took.Seconds()
				t.Logf("took %s, predicted %s: %.3f", took, predicted.Took, ratio)
				if ratio < 1-within || ratio > 1+within {
					t.Errorf("took %s, predicted %s", took, predicted.Took)
				}
				if vault := predicted.Reads + predicted.Writes; w.store.requests != vault {
					t.Errorf("%d requests to Vault, %d predicted", w.store.requests, vault)
				}
				if w.requests-w.refused != predicted.PAIStrike-predicted.Refused ||
					(w.refused > 0) != (predicted.Refused > 0) {
					t.Errorf("%d requests to PAIStrike, %d of them refused; predicted %+v", w.requests, w.refused, predicted)
				}
			})
		})
	}
}

func inShards(n int, f fleetmodel.Fleet) fleetmodel.Fleet {
	f.Shards = n
	return f
}

// walk is a fleet that was provisioned a month ago, and a PAIStrike that is some way off.
type walk struct {
	*testing.T
	fleetmodel.Fleet
	account *testparts.Account
	store   *farStore
	far     bool

	mu                sync.Mutex
	requests, refused int
}

func newWalk(t *testing.T, f fleetmodel.Fleet) *walk {
	t.Helper()
	w := &walk{T: t, Fleet: f, account: testparts.NewAccount(t, "Management", time.Time{}), store: &farStore{entries: map[string]*stored{}}}
	engine := w.engine()
	group, ctx := errgroup.WithContext(t.Context())
	group.SetLimit(f.Concurrency)
	for i := range f.Entries {
		text := schedule.Schedule{Period: "60d", Overlap: "24h", ExpiresIn: "90d"}
		if i*f.Due/f.Entries != (i+1)*f.Due/f.Entries {
			text.Period = "30d"
		}
		policy, err := text.Policy(time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		group.Go(func() error {
			_, err := engine.Run(ctx, rotation.Request{
				At: entry.Location{Mount: "secret", Path: fmt.Sprintf("ci/%d/%d", i%f.Folders, i)}, Label: "Integration " + strconv.Itoa(i),
				Policy: policy, Schedule: text, Wish: rotation.Rotate, Reason: schedule.ReasonCreated,
			})
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	return w
}

// engine is that of a new process.
func (w *walk) engine() *rotation.Engine {
	w.Helper()
	client, err := paistrike.New(paistrike.Config{Endpoint: "http://127.0.0.1:1", Token: secret.New(w.account.Management), Transport: w})
	if err != nil {
		w.Fatal(err)
	}
	return rotation.New(rotation.PAIStrike{Client: client}, w.store)
}

// rotate is the walk a month later, and how long it takes.
func (w *walk) rotate() time.Duration {
	w.Helper()
	time.Sleep(31 * 24 * time.Hour)
	policy := sandbox.Policy{RatePerMinute: w.Limit}
	if w.Announced {
		policy.RateHeaders = sandbox.RateStructured
	}
	w.account.SetPolicy(policy)
	w.far, w.store.distance, w.store.requests, w.requests = true, w.Vault, 0, 0
	began := time.Now()
	var rotated, failed atomic.Int64
	group, ctx := errgroup.WithContext(w.Context())
	for number := 1; number <= max(w.Shards, 1); number++ {
		group.Go(func() error {
			report, err := w.rotateShard(ctx, fleet.Shard{Number: number, Of: w.Shards})
			rotated.Add(int64(report.Rotated))
			failed.Add(int64(report.Failed))
			return err
		})
	}
	if err := group.Wait(); err != nil || int(rotated.Load()) != w.Due || failed.Load() > 0 {
		w.Fatalf("%d rotated, %d failed: %v", rotated.Load(), failed.Load(), err)
	}
	return time.Since(began)
}

// rotateShard is one process.
func (w *walk) rotateShard(ctx context.Context, shard fleet.Shard) (fleet.Report, error) {
	w.Helper()
	engine := w.engine()
	entries, err := fleet.Walk(ctx, w.store, entry.Location{Mount: "secret", Path: "ci"}, w.Concurrency)
	if err != nil {
		return fleet.Report{}, err
	}
	return fleet.Rotate(ctx, engine, shard.Pick(entries), fleet.Options{Concurrency: w.Concurrency})
}

// RoundTrip is the way to PAIStrike.
func (w *walk) RoundTrip(r *http.Request) (*http.Response, error) {
	if w.far {
		time.Sleep(w.PAIStrike)
	}
	answer, err := w.account.RoundTrip(r)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.requests++
	if err == nil && answer.StatusCode == http.StatusTooManyRequests {
		w.refused++
	}
	return answer, err
}
