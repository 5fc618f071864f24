package rotation

import (
	"context"
	"slices"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

// orphanAfter is how old an unpublished token must be before it counts as abandoned and
// not as in flight.
const orphanAfter = schedule.Day

// abandoned reports that a token is older than any run that could still publish it.
func abandoned(token paistrike.Token, clock schedule.Clock) bool {
	return !token.CreatedAt.IsZero() && !token.CreatedAt.Add(orphanAfter).After(clock.Revoke())
}

// lineage is what the current version proves about other tokens of its slot.
type lineage struct {
	inc     string
	gen     int
	rewinds bool // see [entry.Glance]
}

// astray reports that a token can never become current any more, and that nobody misses
// it. Generations only grow, so one that was minted for a generation that is published
// was beaten to it: no clock and no lease is asked. A token of another incarnation,
// which a lost first create or a purge leaves behind, is an orphan when it is a day old.
// One that someone uses, or of which the service does not tell, is never astray: the next
// rotation grants it an overlap.
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

// split decides, when a token is minted on top of an observation, what happens to the
// other live tokens of the slot.
//
// A token can become current in one way only: a check-and-set write on the revision
// that was current when it was minted. Once another token is published on that
// revision, the first can never be; if it was never current either, it is a stray and
// nobody misses it. Tokens that may have been current, because the history of the entry
// is unknown, someone uses them, or the service does not tell, are kept for a full
// overlap instead. Those in keep are the caller's to name.
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
			strays = append(strays, token) // its generation is published by another, and the record would name it
		default:
			adopt = append(adopt, token)
		}
	}
	return adopt, strays
}

// retiringAfter is the overlap list of the record that is published now: what was
// retiring and still lives, the token just replaced unless PAIStrike itself shows it as
// revoked, and what was adopted.
func retiringAfter(o observation, adopt []paistrike.Token, overlap time.Duration) []entry.Retiring {
	now := o.Clock.Now().UTC().Truncate(time.Second)
	list := slices.Clone(o.retiring)
	for i := range list {
		// A version that a person wrote remembers ends of another time: since then any token
		// of its list may have been current.
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

// isRipe reports that an overlap is over.
func isRipe(r entry.Retiring, c schedule.Clock) bool { return !c.Revoke().Before(r.RevokeAfter) }

// ripe returns the retiring tokens whose overlap is over. An untrusted version retires
// nothing: its list is someone's memory of another time.
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

// holds reports a token whose overlap is over, but that a consumer still uses: with
// retire_when_idle it lives on for a second overlap at most.
func holds(p schedule.Policy, token paistrike.Token, r entry.Retiring, c schedule.Clock) bool {
	return p.RetireWhenIdle && usedLately(token, c) && c.Revoke().Before(r.RevokeAfter.Add(p.Overlap))
}

// usedLateWithin is how short before its end a retiring token's use is worth a warning.
const usedLateWithin = 15 * time.Minute

func usedLately(token paistrike.Token, c schedule.Clock) bool {
	return !token.Untold.Has(paistrike.LastUsed) && !token.LastUsedAt.IsZero() && c.Revoke().Sub(token.LastUsedAt) < usedLateWithin
}

// retire revokes what is ripe. A revocation that fails is a note, not an error: the
// token stays in the list and the next run tries again.
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

// sweep revokes what is astray; what fails is left to the next run.
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
