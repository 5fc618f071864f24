package rotation

import (
	"context"
	"slices"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

// split decides, when a token is minted on top of an observation, what happens to
// the other live tokens of the slot.
//
// A token can become current in one way only: a check-and-set write with its base
// version. Once another token is published on that version, the first can never
// be; if it was never current either, it is a stray and nobody misses it. Tokens
// that may have been current, because the history of the entry is unknown or
// somebody uses them, are kept for a full overlap instead. Those in keep are the
// caller's to name.
func split(o observation, keep []string) (adopt, strays []paistrike.Token) {
	for _, token := range o.tokens {
		name, ok := ParseName(token.Name)
		if !ok || !token.Usable(o.clock.PAIStrike) || o.refers(token.ID) || slices.Contains(keep, token.ID) {
			continue
		}
		switch {
		case name.Base == o.version() && unclaimed(token):
			strays = append(strays, token) // minted for the version that is being published now
		case o.trusted() && name.Base < o.version() && unclaimed(token):
			strays = append(strays, token) // its version was published by another, and the record would name it
		default:
			adopt = append(adopt, token)
		}
	}
	return adopt, strays
}

// strays gives the tokens that a trusted version proves to be orphans: same slot
// and incarnation, minted for an older version, and not named by the record. No
// clock and no lease is asked. One of another incarnation, which a lost first
// create or a purge leaves behind, is an orphan when nobody has claimed it for a
// day: by then no reader holds a version from before. One that somebody uses was
// published once, whatever the record says, as in a backup that was restored; the
// next rotation gives it an overlap.
func strays(o observation) []paistrike.Token {
	if !o.active() || !o.trusted() {
		return nil
	}
	var found []paistrike.Token
	for _, token := range o.tokens {
		name, ok := ParseName(token.Name)
		if !ok || name.Base >= o.version() || !token.Usable(o.clock.PAIStrike) || o.refers(token.ID) {
			continue
		}
		if unclaimed(token) && (name.Inc == o.entry.Record.Inc || o.abandoned(token)) {
			found = append(found, token)
		}
	}
	return found
}

// abandoned reports that a token is older than any run that could still publish it.
func (o observation) abandoned(token paistrike.Token) bool {
	return !token.CreatedAt.Add(orphanAfter).After(o.clock.Revoke())
}

// refers reports whether the record names the token, as current or as retiring.
func (o observation) refers(id string) bool {
	if o.kind != kindOurs {
		return false
	}
	return o.entry.Record.TokenID == id ||
		slices.ContainsFunc(o.entry.Record.Retiring, func(r entry.Retiring) bool { return r.ID == id })
}

// retiringAfter is the overlap list of the record that is published now: what was
// retiring and still lives, the token just replaced if it still works, and what
// was adopted.
func retiringAfter(o observation, adopt []paistrike.Token, overlap time.Duration) []entry.Retiring {
	now := o.clock.PAIStrike.UTC().Truncate(time.Second)
	list := slices.Clone(o.retiring)
	replaced := adopt
	if o.active() && o.current.Usable(now) {
		current := o.current
		current.Name, current.ExpiresAt = o.entry.Record.TokenName, o.entry.Record.ExpiresAt
		replaced = append([]paistrike.Token{current}, adopt...)
	}
	for _, token := range replaced {
		list = append(list, entry.Retiring{
			ID: token.ID, Name: token.Name, SupersededAt: now, RevokeAfter: now.Add(overlap), ExpiresAt: token.ExpiresAt,
		})
	}
	return list
}

// ripe gives the retiring tokens whose overlap is over. An untrusted version
// retires nothing: its list is somebody's memory of another time.
func ripe(o observation) []entry.Retiring {
	if !o.clock.Trusted() || !o.trusted() {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(o.retiring), func(r entry.Retiring) bool {
		return o.clock.Revoke().Before(r.RevokeAfter) || r.ID == o.entry.Record.TokenID
	})
}

// holds reports a token whose overlap is over, but that a consumer still uses: with
// retire_when_idle it lives on for a second overlap at most.
func holds(p schedule.Policy, token paistrike.Token, r entry.Retiring, c schedule.Clock) bool {
	return p.RetireWhenIdle && c.Revoke().Sub(token.LastUsedAt) < usedLateWithin && c.Revoke().Before(r.RevokeAfter.Add(p.Overlap))
}

// usedLateWithin is how short before its end a retiring token's use is remarked.
const usedLateWithin = 15 * time.Minute

// retire revokes what is ripe. A revoke that fails is a note, not an error: the token
// stays in the list and the next run tries again.
func (e *Engine) retire(ctx context.Context, o observation, p schedule.Policy, result *Result) {
	for _, r := range ripe(o) {
		token, _ := e.inventory.get(r.ID)
		if holds(p, token, r, o.clock) {
			result.note(heldBack(token, r.RevokeAfter.Add(p.Overlap)))
			continue
		}
		if err := e.revoke(ctx, r.ID); err != nil {
			result.note(revokeFailed(r.ID, r.Name, r.ExpiresAt, err))
			continue
		}
		result.Retired = append(result.Retired, r.ID)
		if o.clock.Revoke().Sub(token.LastUsedAt) < usedLateWithin {
			result.note(usedLate(token, o.at))
		}
	}
}

// sweep revokes what is astray; what fails is left to the next run.
func (e *Engine) sweep(ctx context.Context, o observation, strays []paistrike.Token, result *Result) {
	if !o.clock.Trusted() {
		return
	}
	for _, token := range strays {
		if err := e.revoke(ctx, token.ID); err != nil {
			result.note(revokeFailed(token.ID, token.Name, token.ExpiresAt, err))
			continue
		}
		result.Swept = append(result.Swept, token.ID)
	}
}

// revoke ends a token and remembers it.
func (e *Engine) revoke(ctx context.Context, id string) error {
	if err := e.tokens.Revoke(ctx, id); err != nil {
		return err
	}
	e.inventory.revoked(id)
	failpoint("after one revoke")
	return nil
}

// detached gives a context that outlives the caller's cancellation, for clean-up.
func detached(ctx context.Context, budget time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), budget)
}
