package fleet_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/fleet"
	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
	"github.com/paistrike/terraform-provider-paistrike/internal/testparts"
)

// crowd is an account and a store with many entries, none of them due. It generates all data
// on demand, so that the test measures only what a run keeps.
type crowd struct {
	rotation.Tokens
	rotation.Store
	size int
}

func (c crowd) name(i int) rotation.Name {
	return rotation.Name{Label: "App", Slot: entry.Slot("crowd", fmt.Sprintf("ci/%06d", i)), Inc: "aaaaaa", Gen: 1, Nonce: "aaaaaaaa"}
}

func (c crowd) token(i int) paistrike.Token {
	return paistrike.Token{
		ID: fmt.Sprintf("tok_%06d", i), Name: c.name(i).String(), Status: paistrike.StatusActive,
		CreatedAt: firstDay, ExpiresAt: firstDay.Add(90 * day), LastUsedAt: firstDay.Add(time.Hour),
	}
}

func (c crowd) List(context.Context) ([]paistrike.Token, error) {
	tokens := make([]paistrike.Token, c.size)
	for i := range tokens {
		tokens[i] = c.token(i)
	}
	return tokens, nil
}

func (crowd) ServerTime() (time.Time, bool)          { return firstDay.Add(day), true }
func (crowd) DropsRevoked() bool                     { return false }
func (crowd) Now(context.Context) (time.Time, error) { return firstDay.Add(day), nil }
func (crowd) clock() time.Time                       { return firstDay.Add(day) }

func (crowd) at(i int) entry.Location {
	return entry.Location{Mount: "secret", Path: fmt.Sprintf("ci/%06d", i)}
}

func (c crowd) entries() (all []entry.Location) {
	for i := range c.size {
		all = append(all, c.at(i))
	}
	return all
}

func (c crowd) Look(_ context.Context, at entry.Location) (entry.Glance, error) {
	var i int
	if _, err := fmt.Sscanf(at.Path, "ci/%d", &i); err != nil {
		return entry.Glance{}, err
	}
	token, name := c.token(i), c.name(i)
	return entry.Glance{
		Slots: []string{name.Slot}, Identity: "crowd", Revision: "1", Condition: entry.Live, Managed: true,
		Mirror: entry.Mirror{
			State: entry.StateActive, Of: 1, Revision: "1", Slot: name.Slot, Owner: "resource", Identity: "crowd", TokenID: token.ID, TokenName: token.Name,
			CreatedAt: token.CreatedAt, ExpiresAt: token.ExpiresAt, Schedule: schedule.Schedule{ExpiresIn: "90d", Period: "30d", Overlap: "24h"},
		},
	}, nil
}

// A scheduled rotation keeps little data about an entry that is not due: its location, and
// its token in the account's list. With OnlyDue it keeps nothing more.
func TestARunKeepsLittleOfEachEntry(t *testing.T) { //nolint:paralleltest // it measures the heap of the process
	c := crowd{size: 10_000}
	kept := func(o fleet.Options) int64 {
		before := testparts.Heap()
		engine, entries := rotation.New(c, c, rotation.WithNow(c.clock)), c.entries()
		o.Concurrency = 8
		report, err := fleet.Rotate(t.Context(), engine, entries, o)
		if err != nil || report.Current != c.size || report.Total() != c.size {
			t.Fatalf("%d of %d entries are current: %v", report.Current, report.Total(), err)
		}
		after := testparts.Heap()
		runtime.KeepAlive(report)
		runtime.KeepAlive(engine)
		runtime.KeepAlive(entries)
		return (after - before) / int64(c.size)
	}
	if each := kept(fleet.Options{OnlyDue: true}); each > 500 {
		t.Errorf("%d bytes are kept of each entry that needs nothing, want 500 at most", each)
	}
	if each := kept(fleet.Options{}); each > 680 {
		t.Errorf("%d bytes are kept of each entry in the report, want 680 at most", each)
	}
}

// An audit compares all entries with all tokens, and keeps only the data needed for that.
func TestAnAuditKeepsLittleOfEachEntry(t *testing.T) { //nolint:paralleltest // it measures the heap of the process
	c := crowd{size: 10_000}
	before := testparts.Heap()
	engine, entries := rotation.New(c, c, rotation.WithNow(c.clock)), c.entries()
	var kept int64
	report, err := fleet.Audit(t.Context(), engine, entries, fleet.AuditOptions{Concurrency: 8, Progress: func(done, total int) {
		if done == total {
			kept = testparts.Heap() - before
		}
	}})
	if err != nil || report.Tokens != c.size {
		t.Fatalf("%d tokens: %v", report.Tokens, err)
	}
	runtime.KeepAlive(engine)
	if each := kept / int64(c.size); each > 680 {
		t.Errorf("%d bytes are kept of each entry, want 680 at most", each)
	}
}
