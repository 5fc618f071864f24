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

// kind classifies the current version of an entry.
type kind int

const (
	kindVacant  kind = iota // absent, or closed by our tombstone: free to publish on
	kindOurs                // a readable record of this entry
	kindBroken              // our entry, but its current version is deleted, destroyed or overwritten
	kindForeign             // someone else's secret
	kindCopied              // our own record, but of an entry of another store
)

// observation is everything that a decision depends on. It is read before anything is
// changed.
type observation struct {
	Sight
	version entry.Version
	kind    kind

	// current is the token that the record names, or zero without a record.
	current paistrike.Token
	// retiring is the record's overlap list without tokens that have ended.
	retiring []entry.Retiring
}

// record returns the record of the current version, or nil if there is none.
func (o observation) record() *entry.Record { return o.version.Record }

// active reports whether the entry serves a token.
func (o observation) active() bool {
	return o.kind == kindOurs && o.record().State == entry.StateActive
}

// trusted reports whether the protocol itself wrote the current version on top of the
// previous one. A manual rollback, undelete or restore, or a staging label that someone
// moved back, proves nothing about the tokens that the record names.
func (o observation) trusted() bool { return o.kind == kindOurs && o.proven() }

// proven is like trusted, but also accepts a tombstone.
func (o observation) proven() bool {
	return o.record() != nil && ours(o.Slots, o.record().Slot) && o.record().Base == o.version.Follows
}

// gen returns the generation of the record, or 0 without one.
func (o observation) gen() int {
	if o.record() == nil {
		return 0
	}
	return o.record().Gen
}

// observe reads the record of an entry. It writes nothing. It uses seen unless another run
// has worked on the entry since, and otherwise looks again.
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

// stillRetiring reports whether a replaced token stays in the overlap list. It leaves the
// list when it has expired or is revoked, or when it is absent after its overlap. Absence
// from PAIStrike's list never shortens an overlap.
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

// classify returns the kind of the current version. The record is authoritative. Metadata
// counts only if the data cannot be read or is not a record.
func classify(found entry.Version, glance entry.Glance) kind {
	mirrored := glance.Managed && ours(glance.Slots, glance.Mirror.Slot)
	switch record := found.Record; {
	case found.Revision == "":
		return kindVacant
	case record != nil && !ours(glance.Slots, record.Slot):
		return kindCopied // its tokens belong to an entry that we must not touch
	case record != nil && record.State == entry.StateTombstone:
		return kindVacant
	case record != nil:
		return kindOurs
	case found.Condition != entry.Live && mirrored && found.Closed:
		return kindVacant // closed, perhaps since the look
	case mirrored:
		return kindBroken
	default:
		return kindForeign
	}
}

// claimGrace is how long after its creation the use of a token may be that of the run that
// minted and verified it. Any later use is a consumer's.
const claimGrace = 5 * time.Minute

// Used reports whether PAIStrike shows that someone other than the minting run has used
// the token.
func Used(token paistrike.Token) bool {
	return !token.Untold.Has(paistrike.LastUsed) && token.LastUsedAt.After(token.CreatedAt.Add(claimGrace))
}

// Unused reports whether PAIStrike shows that no one but the minting run has used the
// token. It is not the opposite of [Used]: if the service does not report the last use,
// both are false.
func Unused(token paistrike.Token) bool {
	return !token.Untold.Has(paistrike.LastUsed) && !token.LastUsedAt.After(token.CreatedAt.Add(claimGrace))
}

// strangers returns the usable tokens of the slot that someone uses and that this store
// never published according to its record: the store was restored to an earlier state, or
// a copy of it is in use. While there is one, nothing of the slot is revoked. A version
// that the protocol did not write is a different case: its history is known to be broken,
// and the next rotation adopts such tokens.
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

// versionProblem returns the reason why the entry cannot be read, or nil.
func (o observation) versionProblem() error { return cmp.Or(o.version.Problem, o.Problem) }

// newerSchema reports whether a newer release wrote the entry.
func (o observation) newerSchema() bool {
	_, record := errors.AsType[*entry.SchemaError](o.version.Problem)
	_, mirror := errors.AsType[*entry.SchemaError](o.Problem)
	return record || mirror && o.version.Record == nil
}
