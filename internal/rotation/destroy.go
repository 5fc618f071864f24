package rotation

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
)

// DestroyRequest names the entry and the tokens to end.
type DestroyRequest struct {
	At entry.Location
	// Owner is the ID of the Terraform resource. Destroy leaves alone an entry that
	// another resource manages, and its tokens.
	Owner string
	// TokenIDs are the caller's own tokens. They are revoked if PAIStrike lists them under
	// a name of this entry, or if they were imported.
	TokenIDs []string
	// TokenName is the name of the caller's token. If the mount or region of the entry no
	// longer exists, the slot in this name identifies the entry's tokens.
	TokenName string
	Imported  []Imported
	Ending    entry.Ending
	// Adopt also ends tokens of the slot that this store never published.
	Adopt bool
}

// DestroyResult reports what a destroy did.
type DestroyResult struct {
	Revoked []string
	Closed  bool
	Notes   []Message
}

// Destroy ends an entry and its tokens:
//
//	D1 publish a tombstone, which fences off every run in flight
//	D2 revoke every token of the slot
//	D3 mirror the tombstone, then end the versions as requested, if it is still current
//
// An entry that another resource owns is left alone. If Destroy returns an error, the
// caller keeps its state and runs it again. Every step can be repeated.
func (e *Engine) Destroy(ctx context.Context, r DestroyRequest) (DestroyResult, error) {
	release, err := e.entries.lock(ctx, r.At)
	if err != nil {
		return DestroyResult{}, err
	}
	defer release()
	var result DestroyResult
	for range maxRounds {
		o, err := e.observe(ctx, r.At, nil)
		if errors.Is(err, entry.ErrNoPlace) {
			return result, e.destroyPlaceless(ctx, r, &result)
		}
		if err != nil {
			return result, err
		}
		failpoint("after observe")
		err = e.destroy(ctx, o, r, &result)
		if !errors.Is(err, errLost) {
			return result, err
		}
	}
	return result, noProgress(r.At)
}

func (e *Engine) destroy(ctx context.Context, o observation, r DestroyRequest, result *DestroyResult) error {
	if o.newerSchema() {
		return newerRelease(o.At, o.versionProblem())
	}
	if !o.ownedBy(r.Owner) {
		result.Notes = append(result.Notes, leftAlone(o))
		if o.active() {
			return nil // its owner keeps its tokens too
		}
		return e.revokeAll(ctx, o, r, o.doomedAlone(r), result)
	}
	if o.Revision == "" && len(o.doomed(r)) == 0 {
		return nil
	}
	if err := e.mayEnd(ctx, o, r); err != nil {
		return err
	}
	critical, cancel := detached(ctx, criticalBudget)
	defer cancel()
	if err := e.tombstone(critical, &o, nil); err != nil {
		return err
	}
	failpoint("after tombstone")
	if err := e.revokeAll(critical, o, r, o.doomed(r), result); err != nil {
		return err
	}
	failpoint("after all revokes")
	if err := e.closeEntry(critical, o, o.closingMirror(), r.Ending); err != nil {
		return deleteFailed(o.At, err)
	}
	result.Closed = true
	return nil
}

// mayEnd returns an error if the tokens of the entry could not, or must not, be revoked
// after it is closed: a consumer would lose its secret for nothing.
func (e *Engine) mayEnd(ctx context.Context, o observation, r DestroyRequest) error {
	if o.active() && o.Account == AccountUnknown {
		return otherAccount(o)
	}
	if others := o.strangers(); len(others) > 0 && !r.Adopt {
		return strangersAtWork(others)
	}
	for _, id := range o.doomed(r) {
		own, err := e.tokens.MayBeOwn(ctx, id)
		switch {
		case err != nil:
			return listFailed(err)
		case own:
			return ownToken(o.At, id)
		}
	}
	return nil
}

// ownedBy reports whether the caller may end the entry: the record names it as the owner,
// or names no owner; or the version is broken and metadata names no other owner. Of a
// tombstone or an absent entry, only the tokens are left to own.
func (o observation) ownedBy(owner string) bool {
	switch o.kind {
	case kindVacant:
		return o.record() == nil || o.record().Owner == "" || o.record().Owner == owner
	case kindBroken:
		// Someone else's live secret is not ours to close.
		return o.version.Condition != entry.Live && (o.Mirror.Owner == "" || o.Mirror.Owner == owner)
	case kindOurs:
		return o.record().Owner == "" || o.record().Owner == owner
	}
	return false
}

// doomed returns the IDs to revoke with an entry: those that the record and the caller
// name, and every usable token of the slot.
func (o observation) doomed(r DestroyRequest) []string {
	ids := slices.Clone(r.TokenIDs)
	if o.kind == kindOurs {
		for _, retiring := range o.retiring {
			ids = append(ids, retiring.ID)
		}
		if o.active() {
			ids = append(ids, o.record().TokenID)
		}
	}
	for _, token := range o.Tokens {
		if token.Usable(o.Clock.Now()) && !o.inFlight(token) {
			ids = append(ids, token.ID)
		}
	}
	return unique(ids)
}

// inFlight reports whether a token was minted for a generation after the tombstone, so
// that another run is creating the entry again.
func (o observation) inFlight(token paistrike.Token) bool {
	name, _ := ParseName(token.Name)
	last := o.gen()
	if ours(o.Slots, o.Mirror.Slot) {
		last = max(last, o.Mirror.Of)
	}
	return last > 0 && name.Gen > last && !Used(token) && !abandoned(token, o.Clock)
}

// doomedAlone returns the IDs to revoke if the caller may not close the entry: the
// caller's own tokens. If someone overwrote our entry with their secret, every token of
// the slot is added.
func (o observation) doomedAlone(r DestroyRequest) []string {
	ids := slices.Clone(r.TokenIDs)
	if o.kind == kindBroken && (o.Mirror.Owner == "" || o.Mirror.Owner == r.Owner) {
		for _, token := range o.Tokens {
			if token.Usable(o.Clock.Now()) {
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

// tombstone performs D1. If the entry seems to be absent, the write proves it: its
// check-and-set fails if a lagging server answered. The tombstone names the tokens that
// the record named, and those in beside. On success, o is as if the tombstone had been
// read.
func (e *Engine) tombstone(ctx context.Context, o *observation, beside []paistrike.Token) error {
	if o.kind == kindVacant && o.Revision != "" {
		return nil // an earlier destroy got this far
	}
	nonce, err := newNonce(e.random, nonceLength)
	if err != nil {
		return err
	}
	record := entry.Record{
		State: entry.StateTombstone, Slot: o.Slot(), Inc: nonce[:incLength], Gen: o.nextGen(0), Base: o.Revision, Op: nonce,
		Identity: o.Identity, Endpoint: cmp.Or(e.tokens.Endpoint(), o.endpoint()), VerifiedAt: o.Clock.Now().UTC().Truncate(time.Second),
		Retiring: retiringAfter(*o, beside, 0),
	}
	if o.kind == kindOurs {
		record.Inc, record.Owner = o.record().Inc, o.record().Owner
	}
	var notes Result
	published, err := e.publish(ctx, *o, nil, record, &notes)
	switch {
	case errors.Is(err, errLost):
		return err
	case err != nil:
		return destroyUndecided(*o, record.Gen, err)
	}
	*o = o.with(record, published.Revision, paistrike.Token{})
	return nil
}

// revokeAll performs D2. It tries every token, and its error names those that still work.
// A token that PAIStrike lists under another name does not belong to this entry. It is
// left alone, with a note.
func (e *Engine) revokeAll(ctx context.Context, o observation, r DestroyRequest, ids []string, result *DestroyResult) error {
	var left []string
	var first error
	for _, id := range ids {
		before, _ := e.inventory.get(id)
		err := e.end(ctx, id, entryTokens(o.Slots, r.Imported))
		switch {
		case errors.Is(err, paistrike.ErrNotOurs):
			result.Notes = append(result.Notes, tokenLeftAlone(id, before.Name))
		case errors.Is(err, paistrike.ErrUnknown) && o.Account != AccountUnknown:
			// Neither listed nor found: there is nothing to revoke.
		case err != nil:
			left = append(left, id)
			first = errors.Join(first, err)
		case before.Status != paistrike.StatusRevoked:
			result.Revoked = append(result.Revoked, id)
		}
	}
	if len(left) > 0 {
		return destroyIncomplete(o.At, left, first)
	}
	return nil
}

// closingMirror returns the metadata of an entry that a tombstone closed.
func (o observation) closingMirror() entry.Mirror {
	mirror := entry.Mirror{State: entry.StateTombstone, Of: o.gen(), Revision: o.Revision, Slot: o.Slot(), Identity: o.Identity}
	if o.record() != nil {
		mirror.Owner = o.record().Owner
	} else if o.Mirror.State == entry.StateTombstone {
		mirror = o.Mirror
	}
	return mirror
}

// closeEntry performs D3. The mirror is written before the delete: once the tombstone's
// data is deleted, only metadata tells the entry from a broken one. If someone has created
// the entry again since, it is left to them.
func (e *Engine) closeEntry(ctx context.Context, o observation, mirror entry.Mirror, how entry.Ending) error {
	err := e.store.Close(ctx, o.At, o.Revision, mirror, how)
	if err != nil && !errors.Is(err, entry.ErrSuperseded) {
		return err
	}
	failpoint("after delete")
	return nil
}

// destroyPlaceless revokes the tokens of an entry whose mount or region no longer exists,
// as far as the name of the caller's token identifies them.
func (e *Engine) destroyPlaceless(ctx context.Context, r DestroyRequest, result *DestroyResult) error {
	o := observation{Sight: Sight{At: r.At}}
	if name, ok := ParseName(r.TokenName); ok {
		o.Slots = []string{name.Slot}
		o.Tokens = e.inventory.named(o.Slots)
	}
	there, err := e.storeTime(ctx)
	if err != nil {
		return storeFailed(r.At, err)
	}
	if o.Clock, err = e.clock(there); err != nil {
		return storeFailed(r.At, err)
	}
	result.Notes = append(result.Notes, placeGone(r.At))
	return e.revokeAll(ctx, o, r, o.doomed(r), result)
}

// RevokeOnly revokes the caller's own tokens and does not touch the store. It is for a
// token that never reached an entry of ours.
func (e *Engine) RevokeOnly(ctx context.Context, r DestroyRequest) (DestroyResult, error) {
	var result DestroyResult
	if err := e.load(ctx); err != nil {
		return result, listFailed(err)
	}
	return result, e.revokeAll(ctx, observation{Sight: Sight{At: r.At}}, r, unique(slices.Clone(r.TokenIDs)), &result)
}
