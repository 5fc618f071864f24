package rotation

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
)

// OnDestroy says what becomes of the Vault entry when its token ends.
type OnDestroy string

// What becomes of the entry. In each case its current version is closed by a
// tombstone and every token of it is revoked.
const (
	OnDestroyDelete OnDestroy = "delete" // soft-delete every version
	OnDestroyKeep   OnDestroy = "keep"   // keep the older versions readable
	OnDestroyPurge  OnDestroy = "purge"  // remove the entry with its history
)

// DestroyRequest names what shall end.
type DestroyRequest struct {
	At entry.Location
	// Owner is the id of the Terraform resource. An entry that another resource
	// took over is left alone.
	Owner string
	// TokenIDs are the tokens that the caller knows to be its own.
	TokenIDs  []string
	OnDestroy OnDestroy
}

// DestroyResult is what a destroy did.
type DestroyResult struct {
	Revoked []string
	Notes   []Message
}

// Destroy ends an entry and its tokens:
//
//	D1 publish a tombstone, which fences off every run in flight
//	D2 revoke every token of the slot
//	D3 mirror, then delete the versions as asked
//
// An entry that does not name our token is left alone. On an error the caller
// keeps its state and runs again; every step may be repeated.
func (e *Engine) Destroy(ctx context.Context, r DestroyRequest) (DestroyResult, error) {
	release, err := e.entries.lock(ctx, r.At)
	if err != nil {
		return DestroyResult{}, err
	}
	defer release()
	var result DestroyResult
	for range maxRounds {
		o, err := e.observe(ctx, r.At)
		if err != nil {
			return result, err
		}
		failpoint("after observe")
		err = e.destroy(ctx, o, r, &result)
		if !errors.Is(err, errLost) {
			return result, err
		}
	}
	return result, noProgress(observation{at: r.At})
}

func (e *Engine) destroy(ctx context.Context, o observation, r DestroyRequest, result *DestroyResult) error {
	if !o.ownedBy(r) {
		result.Notes = append(result.Notes, leftAlone(o.at, o.version()))
		return e.revokeAll(ctx, o.at, o.doomedAlone(r), result)
	}
	if o.version() == 0 && len(o.doomed(r)) == 0 {
		return nil
	}
	critical, cancel := detached(ctx, criticalBudget)
	defer cancel()
	if err := e.tombstone(critical, &o); err != nil {
		return err
	}
	failpoint("after tombstone")
	if err := e.revokeAll(critical, o.at, o.doomed(r), result); err != nil {
		return err
	}
	failpoint("after all revokes")
	return e.closeEntry(critical, o, r.OnDestroy)
}

// ownedBy reports whether the entry is the caller's to end: the record names it as
// the owner, or serves one of its tokens; or the version is broken and nobody
// else's. A tombstone or an absent entry has nothing left to own but
// its tokens.
func (o observation) ownedBy(r DestroyRequest) bool {
	switch {
	case o.kind == kindVacant:
		return true
	case o.kind == kindBroken:
		return o.entry.Condition != entry.Live // somebody else's live secret is not ours to close
	case o.kind == kindForeign:
		return false
	}
	return (r.Owner != "" && o.entry.Record.Owner == r.Owner) ||
		slices.Contains(r.TokenIDs, o.entry.Record.TokenID)
}

// doomed gives the ids to revoke with an entry: what the record and the caller
// name, and every live token of the slot.
func (o observation) doomed(r DestroyRequest) []string {
	ids := slices.Clone(r.TokenIDs)
	if o.kind == kindOurs {
		for _, retiring := range o.retiring {
			ids = append(ids, retiring.ID)
		}
		if o.active() {
			ids = append(ids, o.entry.Record.TokenID)
		}
	}
	for _, token := range o.tokens {
		if name, ok := ParseName(token.Name); ok && (name.Base < o.version() || o.version() == 0) && token.Usable(o.clock.PAIStrike) {
			ids = append(ids, token.ID)
		}
	}
	return unique(ids)
}

// doomedAlone gives the ids to revoke where the entry is not ours: the caller's
// own tokens, unless the entry still serves or retires them; and where somebody
// else's secret stands on our entry, every token of the slot.
func (o observation) doomedAlone(r DestroyRequest) []string {
	var ids []string
	for _, id := range r.TokenIDs {
		if !o.refers(id) {
			ids = append(ids, id)
		}
	}
	if o.kind == kindBroken {
		for _, token := range o.tokens {
			if token.Usable(o.clock.PAIStrike) {
				ids = append(ids, token.ID)
			}
		}
	}
	return unique(ids)
}

func unique(ids []string) []string {
	slices.Sort(ids)
	return slices.DeleteFunc(slices.Compact(ids), func(id string) bool { return id == "" })
}

// tombstone is D1. Where nothing seems to be there the tombstone proves it: its
// check-and-set fails if a lagging server answered. It leaves the observation as if the tombstone had been read.
func (e *Engine) tombstone(ctx context.Context, o *observation) error {
	if o.kind == kindVacant && o.version() > 0 {
		return nil // an earlier destroy got this far
	}
	nonce, err := newNonce(e.random, nonceLength)
	if err != nil {
		return err
	}
	record := entry.Record{
		State: entry.StateTombstone, Slot: o.slot, Inc: nonce[:incLength], Base: o.version(), Op: nonce,
		VerifiedAt: o.clock.PAIStrike.UTC().Truncate(time.Second),
	}
	if o.kind == kindOurs {
		old := o.entry.Record
		record.Inc, record.Owner = old.Inc, old.Owner
		record.Retiring = retiringAfter(*o, nil, 0)
	}
	var notes Result
	published, err := e.publish(ctx, *o, paistrike.Token{}, record, &notes)
	switch {
	case errors.Is(err, errLost):
		return err
	case err != nil:
		return destroyUndecided(*o, err)
	}
	closed := o.with(record, published.Version, paistrike.Token{})
	closed.meta.Versions = append(slices.Clone(o.meta.Versions), published.Version)
	*o = closed
	return nil
}

// revokeAll is D2. Every token is tried; what is left is named in the error.
func (e *Engine) revokeAll(ctx context.Context, at entry.Location, ids []string, result *DestroyResult) error {
	var left []string
	var first error
	for _, id := range ids {
		if token, ok := e.inventory.get(id); ok && token.Status == paistrike.StatusRevoked {
			continue
		}
		if err := e.revoke(ctx, id); err != nil {
			left = append(left, id)
			first = errors.Join(first, err)
			continue
		}
		result.Revoked = append(result.Revoked, id)
	}
	if len(left) > 0 {
		return destroyIncomplete(at, left, first)
	}
	return nil
}

// closeEntry is D3. The mirror comes before the delete: once the tombstone's data
// is deleted, custom metadata alone tells it from an entry that broke.
func (e *Engine) closeEntry(ctx context.Context, o observation, how OnDestroy) error {
	if how == OnDestroyPurge {
		if err := e.store.Purge(ctx, o.at); err != nil {
			return deleteFailed(o.at, err)
		}
		return nil
	}
	want := entry.Mirror{State: entry.StateTombstone, Of: o.version(), Slot: o.slot}
	if o.entry.Mirror.State != want.State || o.entry.Mirror.Of != want.Of || o.entry.Mirror.Slot != want.Slot {
		if err := e.store.Patch(ctx, o.at, entry.EncodeMirror(want)); err != nil {
			return tombstoneNotMirrored(o.at, err)
		}
	}
	failpoint("after tombstone mirror")
	if how == OnDestroyKeep || len(o.meta.Versions) == 0 {
		return nil
	}
	if err := e.store.Delete(ctx, o.at, o.meta.Versions); err != nil {
		return deleteFailed(o.at, err)
	}
	failpoint("after delete")
	return nil
}

// RevokeOnly revokes the caller's own tokens and leaves Vault alone: what is left
// to do for a token that never reached an entry of ours.
func (e *Engine) RevokeOnly(ctx context.Context, r DestroyRequest) (DestroyResult, error) {
	var result DestroyResult
	if err := e.load(ctx); err != nil {
		return result, listFailed(err)
	}
	return result, e.revokeAll(ctx, r.At, unique(r.TokenIDs), &result)
}
