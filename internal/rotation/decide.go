package rotation

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

// Wish says how much a run may do.
type Wish int

const (
	// Settle retires, sweeps and mends the mirror, but never mints.
	Settle Wish = iota
	// IfDue rotates when [Evaluate] says so.
	IfDue
	// Rotate rotates for the given reason, unless what the reason speaks of has
	// been put right since it was found.
	Rotate
	// Sweep is less than [Settle]: it revokes orphans and mends the mirror.
	Sweep
)

// Request describes what one entry shall be.
type Request struct {
	// At is the entry. An empty Key is the record's, or that of its mirror.
	At entry.Location
	// Label is the user's name for the token; empty keeps that of the current one.
	Label  string
	Policy schedule.Policy
	// Schedule is the policy as the user wrote it, for custom metadata.
	Schedule schedule.ScheduleText
	// Owner is the id of the Terraform resource; empty keeps the record's owner, and
	// what it was minted for.
	Owner string
	// Triggers is folded into the record's intent: another value is another intent.
	Triggers string
	// Keep names tokens that the caller knows consumers to hold, such as an imported
	// one, whatever the record says. They keep working for one overlap after the
	// rotation.
	Keep []string
	// Adopt allows to publish on top of a foreign secret or another label's token.
	Adopt bool

	Wish   Wish
	Reason schedule.Reason
	// Replaces is the token that the reason was found for. When another run has
	// replaced it meanwhile, a reason of time is settled.
	Replaces string
	// MayRepublish allows [Settle] to write a new version with the same token: to
	// fence off a stale mint, or to drop the field of a former key.
	MayRepublish bool

	kept string // the intent of the record, where its owner is kept
}

// intent is a fingerprint of what a token is minted for. A run that finds its own
// intent in the record knows that its work is done, even if it was killed before
// it could say so.
func (r Request) intent() string {
	if r.kept != "" {
		return r.kept
	}
	p := r.Policy
	text := fmt.Sprintf("%q %d %t %d %q", r.Label, p.Lifetime, p.Never, unixOrZero(p.ExpiresAt), r.Triggers)
	sum := sha256.Sum256([]byte(text))
	return lower.EncodeToString(sum[:])[:nonceLength]
}

func unixOrZero(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

// decision is what a run does, decided before it does anything.
type decision struct {
	rotate    bool
	reason    schedule.Reason
	verdict   schedule.Verdict
	republish bool
	err       error
	notes     []Message
}

// decide is the whole judgement of a run. It is a pure function of what was
// observed and what is asked for.
func decide(o observation, r Request) decision {
	var d decision
	if skew := o.clock.Skew(); skew > schedule.SkewWarning {
		d.notes = append(d.notes, skewed(o.clock))
	}
	if d.err = mayTouch(o, r); d.err != nil {
		return d
	}
	d.verdict = schedule.Evaluate(o.clock.Rotate(), o.facts(r.Policy), r.Policy)
	if o.active() && !o.trusted() {
		d.notes = append(d.notes, rolledBack(o))
	}
	if o.active() && d.verdict.Reason == schedule.ReasonRevoked && r.Policy.OnRevoked == schedule.OnRevokedError && !r.deliberate() {
		d.err = revokedElsewhere(o)
		return d
	}
	d.rotate, d.reason = wants(o, r, d.verdict)
	if left := o.leftovers(); d.rotate && left > 0 {
		d.notes = append(d.notes, historyReset(o, left))
	}
	if d.rotate && d.verdict.Due && d.verdict.MissedWindows > 0 {
		d.notes = append(d.notes, windowsMissed(o, d.verdict))
	}
	if d.rotate && len(o.retiring) >= maxRetiring {
		d.err = retiringFull(o)
	}
	d.republish = !d.rotate && r.MayRepublish && needsRepublish(o)
	return d
}

// leftovers counts live tokens that were minted for versions which an empty entry
// has never had: somebody removed its history.
func (o observation) leftovers() int {
	if o.version() > 0 {
		return 0
	}
	count := 0
	for _, token := range o.tokens {
		if name, ok := ParseName(token.Name); ok && name.Base > 0 && token.Usable(o.clock.PAIStrike) {
			count++
		}
	}
	return count
}

// maxRetiring bounds the overlap list of a record.
const maxRetiring = 16

// mayTouch refuses entries that belong to somebody else, or to a newer release.
func mayTouch(o observation, r Request) error {
	if _, newer := errors.AsType[*entry.SchemaError](o.entry.Problem); newer {
		return newerRelease(o)
	}
	if o.kind == kindForeign && !r.Adopt {
		return foreignEntry(o)
	}
	if o.active() && !r.Adopt && r.Owner != "" && o.entry.Record.Owner != r.Owner && o.entry.Record.TokenID != r.Replaces {
		if name, ok := ParseName(o.entry.Record.TokenName); !ok || name.Label != r.Label {
			return otherOwner(o, r.Label)
		}
	}
	return nil
}

// facts are what Evaluate needs to know.
func (o observation) facts(p schedule.Policy) schedule.Facts {
	switch {
	case o.kind == kindForeign:
		return schedule.Facts{Unhealthy: schedule.ReasonChanged}
	case o.kind == kindVacant:
		return schedule.Facts{Unhealthy: schedule.ReasonGone}
	case o.kind == kindBroken && o.entry.Condition == entry.Live:
		return schedule.Facts{Unhealthy: schedule.ReasonChanged}
	case o.kind == kindBroken:
		return schedule.Facts{Unhealthy: schedule.ReasonDeleted}
	}
	f := schedule.Facts{CreatedAt: o.entry.Record.CreatedAt, ExpiresAt: o.entry.Record.ExpiresAt, Slot: o.slot}
	if o.current.Status == paistrike.StatusRevoked && p.OnRevoked != schedule.OnRevokedIgnore {
		f.Unhealthy = schedule.ReasonRevoked
	}
	return f
}

// wants decides whether to rotate. A plan may be old when it is applied: a reason
// that no longer holds, because another run saw to it, rotates nothing.
func wants(o observation, r Request, v schedule.Verdict) (bool, schedule.Reason) {
	switch r.Wish {
	case Sweep, Settle:
		return false, schedule.ReasonNone
	case IfDue:
		// An entry that is gone, or closed by a tombstone, is not for a schedule to revive.
		return v.Due && o.kind != kindVacant, v.Reason
	}
	// A token that the caller held before is not the one it asks for now.
	done := o.active() && o.trusted() && !v.Due && o.entry.Record.Intent == r.intent() && o.entry.Record.Owner == r.Owner &&
		!slices.Contains(r.Keep, o.entry.Record.TokenID)
	switch r.Reason {
	case schedule.ReasonForced:
		return true, r.Reason
	case schedule.ReasonCreated, schedule.ReasonName, schedule.ReasonExpiry, schedule.ReasonTriggers, schedule.ReasonMoved, schedule.ReasonImported:
		return !done, r.Reason
	case schedule.ReasonPeriod, schedule.ReasonSchedule, schedule.ReasonBefore:
		same := o.active() && o.entry.Record.TokenID == r.Replaces
		return v.Due || same, r.Reason
	default: // the state of token or entry: what is seen now counts
		return v.Due, r.Reason
	}
}

// deliberate reports a rotation that the user asks for, whatever state the token is
// in.
func (r Request) deliberate() bool {
	switch r.Reason {
	case schedule.ReasonCreated, schedule.ReasonForced, schedule.ReasonName, schedule.ReasonExpiry, schedule.ReasonTriggers, schedule.ReasonMoved, schedule.ReasonImported:
		return r.Wish == Rotate
	}
	return false
}

// orphanAfter is how old an unpublished token of the current version must be
// before it counts as abandoned and not as in flight.
const orphanAfter = schedule.Day

// needsRepublish reports a stale mint to fence off, or a former key's field whose
// overlap is over. A version that the protocol did not write is never republished:
// it may carry a token that is long revoked.
func needsRepublish(o observation) bool {
	if !o.active() || !o.trusted() || o.current.Status == paistrike.StatusRevoked {
		return false
	}
	if o.entry.Record.Alias != "" && len(unripe(o)) == 0 {
		return true
	}
	return slices.ContainsFunc(o.tokens, func(token paistrike.Token) bool {
		name, ok := ParseName(token.Name)
		return ok && name.Base == o.version() && token.Usable(o.clock.PAIStrike) && unclaimed(token) && o.abandoned(token) && !o.refers(token.ID)
	})
}

// unripe gives the retiring tokens whose overlap is not over.
func unripe(o observation) []entry.Retiring {
	return slices.DeleteFunc(slices.Clone(o.retiring), func(r entry.Retiring) bool {
		return !o.clock.Revoke().Before(r.RevokeAfter)
	})
}
