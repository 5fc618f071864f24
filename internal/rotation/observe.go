package rotation

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

// kind says whose the current version of an entry is.
type kind int

const (
	kindVacant  kind = iota // nothing there, or our own tombstone: free to publish on
	kindOurs                // a readable record of this entry
	kindBroken              // our entry, but its current version is deleted, destroyed or overwritten
	kindForeign             // someone else's
	kindCopied              // our own record, but of an entry of another store
)

// observation is everything a decision rests on, read before anything is done.
type observation struct {
	Sight
	version entry.Version
	kind    kind

	// current is the token that the record names; zero without a record.
	current paistrike.Token
	// retiring is the record's list without tokens that have ended.
	retiring []entry.Retiring
}

// record is the record of the current version; nil if there is none.
func (o observation) record() *entry.Record { return o.version.Record }

// active reports whether the entry serves a token.
func (o observation) active() bool {
	return o.kind == kindOurs && o.record().State == entry.StateActive
}

// trusted reports whether the protocol itself wrote the current version on top of the
// one before. A human rollback, undelete or restore, or a label moved back by hand,
// proves nothing about the tokens that the record names.
func (o observation) trusted() bool { return o.kind == kindOurs && o.proven() }

// proven is trusted of a tombstone too.
func (o observation) proven() bool {
	return o.record() != nil && ours(o.Slots, o.record().Slot) && o.record().Base == o.version.Follows
}

// gen is the generation of the record, 0 without one.
func (o observation) gen() int {
	if o.record() == nil {
		return 0
	}
	return o.record().Gen
}

// observe reads the record of an entry that was looked at. It writes nothing. A sight
// from before another run had its turn at the entry is taken anew.
func (e *Engine) observe(ctx context.Context, at entry.Location, seen *Sight) (observation, error) {
	var o observation
	var err error
	if seen != nil && seen.At.Entry() == at.Entry() && seen.turn == e.entries.turn(at) {
		o.Sight = *seen
	} else if o.Sight, err = e.Look(ctx, at); err != nil {
		return o, err
	}
	o.At = at
	o.version = entry.Version{Revision: o.Revision, Follows: o.Follows, Condition: o.Condition, Closed: o.Managed && o.Mirror.State == entry.StateTombstone && o.Mirror.Revision == o.Revision}
	if o.Condition == entry.Live {
		if o.version, err = e.store.Read(ctx, at); err != nil {
			return o, storeFailed(at, err)
		}
		o.Revision, o.Follows, o.Condition = o.version.Revision, o.version.Follows, o.version.Condition
	}
	o.kind = classify(o.version, o.Glance)
	return o, e.resolveRecord(ctx, &o)
}

// resolveRecord looks up the tokens that the record names.
func (e *Engine) resolveRecord(ctx context.Context, o *observation) error {
	o.Account = AccountKnown
	if o.kind != kindOurs {
		return nil
	}
	var err error
	if o.active() {
		if o.current, err = e.lookup(ctx, o.record().TokenID); err != nil {
			return listFailed(err)
		}
		o.Account = accountOf(o.current, o.Tokens, o.record().ExpiresAt, o.Clock, e.tokens)
	}
	for _, r := range o.record().Retiring {
		token, err := e.lookup(ctx, r.ID)
		if err != nil {
			return listFailed(err)
		}
		if stillRetiring(token, r.ExpiresAt, r.RevokeAfter, o.Clock) {
			o.retiring = append(o.retiring, r)
		}
	}
	return nil
}

// stillRetiring reports whether a replaced token has to be kept in mind: it leaves the
// list when it has expired, is revoked, or is absent after its overlap. That PAIStrike
// does not show it never shortens an overlap.
func stillRetiring(token paistrike.Token, expires, revokeAfter time.Time, clock schedule.Clock) bool {
	switch {
	case token.Status == paistrike.StatusRevoked:
		return false
	case !expires.IsZero() && !clock.Revoke().Before(expires):
		return false
	case !token.Known():
		return clock.Revoke().Before(revokeAfter)
	}
	return true
}

// classify says whose the current version is. Data is the truth; metadata counts only
// if the data cannot be read or is not a record.
func classify(found entry.Version, glance entry.Glance) kind {
	mirrored := glance.Managed && ours(glance.Slots, glance.Mirror.Slot)
	switch record := found.Record; {
	case found.Revision == "":
		return kindVacant
	case record != nil && !ours(glance.Slots, record.Slot):
		return kindCopied // its tokens are another entry's, which we must not touch
	case record != nil && record.State == entry.StateTombstone:
		return kindVacant
	case record != nil:
		return kindOurs
	case found.Condition != entry.Live && mirrored && found.Closed:
		return kindVacant // closed, perhaps since we looked
	case mirrored:
		return kindBroken
	default:
		return kindForeign
	}
}

// claimGrace is how long after its creation a token may have been used by the run
// that minted and verified it. A later use is a consumer's.
const claimGrace = 5 * time.Minute

// Used reports that someone beside the run that minted it has used a token; what a
// service does not tell is not so.
func Used(token paistrike.Token) bool {
	return !token.Untold.Has(paistrike.LastUsed) && token.LastUsedAt.After(token.CreatedAt.Add(claimGrace))
}

// Unused reports that PAIStrike says that nobody but the run that minted it has used a
// token. It is not the opposite of [Used]: a service may tell neither.
func Unused(token paistrike.Token) bool {
	return !token.Untold.Has(paistrike.LastUsed) && !token.LastUsedAt.After(token.CreatedAt.Add(claimGrace))
}

// strangers returns the tokens of the slot that live, that someone uses, and that this
// store never published, as far as its record shows: the store was set back, or a copy
// of it is at work. Nothing of the slot is revoked while there is one. A version that
// the protocol did not write is another case: there the history is known to be broken,
// and the next rotation adopts them.
func (o observation) strangers() []paistrike.Token {
	if !o.active() || !o.trusted() {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(o.Tokens), func(t paistrike.Token) bool {
		return !Used(t) || !t.Usable(o.Clock.Now()) || o.refers(t.ID)
	})
}

// refers reports whether the record names the token, as current or as retiring.
func (o observation) refers(id string) bool {
	if o.kind != kindOurs {
		return false
	}
	return o.record().TokenID == id ||
		slices.ContainsFunc(o.record().Retiring, func(r entry.Retiring) bool { return r.ID == id })
}

// versionProblem says why the entry cannot be read.
func (o observation) versionProblem() error { return cmp.Or(o.version.Problem, o.Problem) }

// newerSchema reports that a newer release wrote the entry.
func (o observation) newerSchema() bool {
	_, record := errors.AsType[*entry.SchemaError](o.version.Problem)
	_, mirror := errors.AsType[*entry.SchemaError](o.Problem)
	return record || mirror && o.version.Record == nil
}
