package rotation_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/proof"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
	"github.com/paistrike/terraform-provider-paistrike/internal/testparts"
)

// consumers use the token of a small world. One reads the store at every poll, the other
// keeps what it read for as long as the overlap.
type consumers struct {
	w       *smallWorld
	kept    secret.Secret
	until   time.Time // when the second one reads again
	polls   int
	refused int
}

// poll makes both consumers call PAIStrike.
func (c *consumers) poll(ctx context.Context) {
	top := c.w.top()
	if top == nil {
		return // before the first token
	}
	if !c.w.now.Before(c.until) {
		c.kept, c.until = top.Secret, c.w.now.Add(smallRequest.Policy.Overlap)
	}
	for _, secret := range []secret.Secret{top.Secret, c.kept} {
		c.polls++
		if (directTokens{c.w}).Verify(ctx, secret) != nil {
			c.refused++
		}
	}
}

// polledTokens and polledStore make the consumers poll after every call that changes
// something, so that they see every state.
type polledTokens struct {
	directTokens
	c *consumers
}

func (p polledTokens) Create(ctx context.Context, name string, expires time.Time) (paistrike.Minted, error) {
	defer p.c.poll(ctx)
	return p.directTokens.Create(ctx, name, expires)
}

func (p polledTokens) Revoke(ctx context.Context, id string) error {
	defer p.c.poll(ctx)
	return p.directTokens.Revoke(ctx, id)
}

type polledStore struct {
	directStore
	c *consumers
}

func (p polledStore) Publish(ctx context.Context, at entry.Location, base entry.Revision, record entry.Record) (entry.Published, error) {
	defer p.c.poll(ctx)
	return p.directStore.Publish(ctx, at, base, record)
}

// TestSoak rotates twice a day for years, in a store with numbered revisions like Vault
// and in one with revision IDs like AWS. No consumer may ever see a refused token, and
// neither the list of tokens nor memory may grow.
//
//nolint:paralleltest // alone, so that memory and goroutines are its own
func TestSoak(t *testing.T) {
	for store, opaque := range map[string]bool{"vault": false, "aws": true} {
		t.Run(store, func(t *testing.T) { soak(t, store, opaque) })
	}
}

func soak(t *testing.T, store string, opaque bool) {
	t.Helper()
	const rotations, warm = 10_000, 1_000
	w := newSmallWorld()
	w.opaque = opaque
	w.cells = make([]cell, 0, rotations)
	c := &consumers{w: w}
	request := smallRequest
	request.Wish, request.Reason = rotation.Rotate, schedule.ReasonCreated
	live, retiring := 0, 0
	var atFirst int64
	goroutines := runtime.NumGoroutine()
	for n := range rotations {
		if n == warm {
			atFirst = testparts.Heap()
		}
		// Every run is a new process, as in a scheduled workflow.
		engine := rotation.New(polledTokens{directTokens{w}, c}, polledStore{directStore{w}, c}, rotation.WithSleep(noSleep), rotation.WithNow(func() time.Time { return w.now }))
		result, err := engine.Run(t.Context(), request)
		if err != nil || !result.Rotated {
			t.Fatalf("rotation %d: %v", n+1, err)
		}
		live, retiring = max(live, w.usable()), max(retiring, len(result.Retiring))
		w.now = w.now.Add(12 * time.Hour)
		c.poll(t.Context())
		w.forget()
		request.Reason = schedule.ReasonForced
	}
	grown := testparts.Heap() - atFirst
	more := runtime.NumGoroutine() - goroutines
	if c.refused > 0 || live > 4 || retiring > 3 || grown > 1<<20 || more > 0 || len(w.found) > 0 {
		t.Errorf("%d refusals, at most %d tokens live and %d retiring, %d bytes and %d goroutines more, %v", c.refused, live, retiring, grown, more, w.found)
	}
	figures := fmt.Sprintf("soak: store=%s rotations=%d years=%d polls=%d refused=%d live<=%d retiring<=%d heap=%+dKiB goroutines=%+d",
		store, rotations, rotations/2/365, c.polls, c.refused, live, retiring, grown>>10, more)
	t.Log(figures)
	proof.Add(t, proof.Tally{Note: figures})
}

// usable counts the tokens that work.
func (w *smallWorld) usable() int {
	count := 0
	for _, token := range w.tokens {
		if token.Usable(w.now) && !slices.Contains(w.victims, token.ID) {
			count++
		}
	}
	return count
}
