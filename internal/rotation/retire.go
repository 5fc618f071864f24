package rotation

import (
	"context"
	"slices"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

// orphanAfter is the age from which an unpublished token counts as abandoned rather than
// in flight.
const orphanAfter = schedule.Day

// abandoned reports whether a token is older than any run that could still publish it.
func abandoned(token paistrike.Token, clock schedule.Clock) bool {
	return !token.CreatedAt.IsZero() && !token.CreatedAt.Add(orphanAfter).After(clock.Revoke())
}

// lineage is the evidence of the current version about other tokens of its slot.
type lineage struct {
	inc     string
	gen     int
	rewinds bool // see [entry.Glance]
}

// astray reports whether a token can no longer become current and no one misses it.
// Generations only grow, so a token that was minted for a published generation has lost
// the race for it, whatever any clock says. A token of another incarnation, which a lost
// first create or a purge leaves behind, is an orphan after a day. A token that someone
// uses, or whose use the service does not report, is never astray: the next rotation
// grants it an overlap.
func (l lineage) astray(token paistrike.Token, clock schedule.Clock) bool {
	name, ok := ParseName(token.Name)
	if !ok || !token.Usable(clock.Now()) || !Unused(token) {
		return false
	}
	beaten := name.Inc == l.inc && name.Gen <= l.gen
	if beaten && !l.rewinds {
		return true
	}
	return abandoned(token, clock) && (beaten || name.Inc != l.inc)
}

// strays returns the tokens that a trusted version proves to be orphans.
func strays(o observation) []paistrike.Token {
	if !o.active() || !o.trusted() || len(o.strangers()) > 0 {
		return nil
	}
	current := lineage{inc: o.record().Inc, gen: o.gen(), rewinds: o.Rewinds}
	return slices.DeleteFunc(slices.Clone(o.Tokens), func(t paistrike.Token) bool {
		return o.refers(t.ID) || !current.astray(t, o.Clock)
	})
}

// split decides what happens to the other usable tokens of the slot when a token is minted
// on top of an observation.
//
// A token can become current only by a check-and-set write on the revision that was
// current when it was minted. Once another token is published on that revision, the first
// can no longer become current. If it never was current, it is a stray and no one misses
// it. A token that may have been current is kept for a full overlap instead: the history
// of the entry is unknown, someone uses the token, or the service does not report its use.
// The tokens in keep are left to the caller.
func split(o observation, next Name, keep []string) (adopt, strays []paistrike.Token) {
	for _, token := range o.Tokens {
		name, ok := ParseName(token.Name)
		if !ok || !token.Usable(o.Clock.Now()) || o.refers(token.ID) || slices.Contains(keep, token.ID) {
			continue
		}
		switch {
		case !Unused(token), o.Rewinds && o.Revision != "":
			adopt = append(adopt, token)
		case o.Revision == "" && name.Gen == 1:
			strays = append(strays, token) // of a first create, which this one beats
		case o.proven() && name.Inc == next.Inc && name.Gen <= next.Gen:
			strays = append(strays, token) // another token has its generation, and the record would name it
		default:
			adopt = append(adopt, token)
		}
	}
	return adopt, strays
}

// retiringAfter returns the overlap list of the record that is about to be published: the
// retiring tokens that still work, the replaced token unless PAIStrike shows it as
// revoked, and the adopted tokens.
func retiringAfter(o observation, adopt []paistrike.Token, overlap time.Duration) []entry.Retiring {
	now := o.Clock.Now().UTC().Truncate(time.Second)
	list := slices.Clone(o.retiring)
	for i := range list {
		// The list of a version that a person restored is out of date: any of its tokens
		// may have been current since.
		if end := now.Add(overlap); !o.trusted() && list[i].RevokeAfter.Before(end) {
			list[i].RevokeAfter = end
		}
	}
	replaced := adopt
	if o.active() && o.current.Status != paistrike.StatusRevoked && (o.record().ExpiresAt.IsZero() || now.Before(o.record().ExpiresAt)) {
		current := paistrike.Token{ID: o.record().TokenID, Name: o.record().TokenName, ExpiresAt: o.record().ExpiresAt}
		replaced = append([]paistrike.Token{current}, adopt...)
	}
	for _, token := range replaced {
		if slices.ContainsFunc(list, func(r entry.Retiring) bool { return r.ID == token.ID }) {
			continue
		}
		list = append(list, entry.Retiring{
			ID: token.ID, Name: token.Name, SupersededAt: now, RevokeAfter: now.Add(overlap), ExpiresAt: token.ExpiresAt,
		})
	}
	return list
}

// isRipe reports whether an overlap is over.
func isRipe(r entry.Retiring, c schedule.Clock) bool { return !c.Revoke().Before(r.RevokeAfter) }

// ripe returns the retiring tokens whose overlap is over. An untrusted version retires
// nothing, because its list may be out of date.
func ripe(o observation) []entry.Retiring {
	if !o.Clock.Trusted() || !o.trusted() || len(o.strangers()) > 0 {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(o.retiring), func(r entry.Retiring) bool {
		return !isRipe(r, o.Clock) || r.ID == o.record().TokenID
	})
}

// unripe returns the retiring tokens whose overlap is not over.
func unripe(o observation) []entry.Retiring {
	return slices.DeleteFunc(slices.Clone(o.retiring), func(r entry.Retiring) bool { return isRipe(r, o.Clock) })
}

// holds reports whether a token is kept although its overlap is over, because a consumer
// still uses it. With retire_when_idle it is kept for a second overlap at most.
func holds(p schedule.Policy, token paistrike.Token, r entry.Retiring, c schedule.Clock) bool {
	return p.RetireWhenIdle && usedLately(token, c) && c.Revoke().Before(r.RevokeAfter.Add(p.Overlap))
}

// usedLateWithin is how recent the last use of a retiring token must be to hold its
// revocation back or to warn about it.
const usedLateWithin = 15 * time.Minute

func usedLately(token paistrike.Token, c schedule.Clock) bool {
	return !token.Untold.Has(paistrike.LastUsed) && !token.LastUsedAt.IsZero() && c.Revoke().Sub(token.LastUsedAt) < usedLateWithin
}

// retire revokes the tokens whose overlap is over. A failed revocation is a note, not an
// error: the token stays in the list and the next run tries again.
func (e *Engine) retire(ctx context.Context, o observation, r Request, result *Result) {
	for _, old := range ripe(o) {
		token, _ := e.inventory.get(old.ID)
		if holds(r.Policy, token, old, o.Clock) {
			result.note(heldBack(token, old.RevokeAfter.Add(r.Policy.Overlap)))
			continue
		}
		switch err := e.end(ctx, old.ID, entryTokens(o.Slots, r.Imported)); {
		case err != nil:
			result.note(revokeFailed(old.ID, old.Name, old.ExpiresAt, err))
		default:
			result.Retired = append(result.Retired, old.ID)
			if usedLately(token, o.Clock) {
				result.note(usedLate(token, o.At))
			}
		}
	}
}

// sweep revokes the strays. A failed revocation is a note, and the next run tries again.
func (e *Engine) sweep(ctx context.Context, o observation, strays []paistrike.Token, result *Result) {
	if !o.Clock.Trusted() {
		return
	}
	for _, token := range strays {
		if err := e.end(ctx, token.ID, entryTokens(o.Slots, nil)); err != nil {
			result.note(revokeFailed(token.ID, token.Name, token.ExpiresAt, err))
			continue
		}
		result.Swept = append(result.Swept, token.ID)
	}
}
