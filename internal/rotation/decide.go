package rotation

import (
	"crypto/sha256"
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
	// Settle retires, sweeps and repairs the mirror, but never mints.
	Settle Wish = iota
	// IfDue rotates when [schedule.Evaluate] says so.
	IfDue
	// Rotate rotates for the given reason, unless what the reason speaks of has
	// been corrected since it was found.
	Rotate
	// Sweep is less than [Settle]: it revokes orphans and repairs the mirror.
	Sweep
)

// Request describes what one entry shall be.
type Request struct {
	// At is the entry. An empty Key is the record's, or that of its mirror.
	At entry.Location
	// Seen is what [Engine.Look] saw of the entry; nil to look now.
	Seen *Sight
	// Label is the user's name for the token; empty keeps that of the current one.
	Label string
	// Policy and Schedule are one policy, evaluated and as the user wrote it. With
	// Stored they are the record's instead, because whoever may write metadata must not
	// decide what is minted.
	Policy   schedule.Policy
	Schedule schedule.Schedule
	Stored   bool
	// Owner is the id of the Terraform resource; empty keeps the record's owner, and
	// what it was minted for.
	Owner string
	// TakeOver lets Owner become the owner of an active entry of another one, without a
	// new token if Wish is [Settle]: the resource was imported from the entry.
	TakeOver bool
	// Triggers is folded into the record's intent: another value is another intent.
	Triggers string
	// Floor is a generation that consumers have seen; the next one exceeds it.
	Floor int
	// Keep names tokens that the caller knows consumers to hold, such as an imported
	// one, whatever the record says. They keep working for one overlap after the
	// rotation.
	Keep []string
	// Imported are the tokens of another name that may be retired, see [Imported].
	Imported []Imported
	// Adopt allows to publish on top of a foreign secret or another label's token, and
	// moves tokens of the slot that this store never published into the overlap.
	Adopt bool
	// RevokePrevious revokes what was current before as soon as the new token is
	// published: it is declared compromised.
	RevokePrevious bool
	// Succeed lets the run go on with the token that it has published, if the replaced one
	// is the token that it makes its calls with: [Request.RevokePrevious] can revoke that
	// one then. The caller makes no further call with it.
	Succeed bool

	Wish   Wish
	Reason schedule.Reason
	// Replaces is the token that the reason was found for. When another run has
	// replaced it meanwhile, a reason of time is settled.
	Replaces string
	// MayRepublish allows [Settle] to write a new version with the same token: to fence
	// off a stale mint, to drop the field of a former key, or for another schedule.
	MayRepublish bool

	kept string // the intent of the record, if its owner is kept
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
	// after is an error that the run ends with although it did what it could.
	after error
	notes []Message
}

// decide is the whole judgement of a run. It is a pure function of what was
// observed and what is asked for.
func decide(o observation, r Request) decision {
	var d decision
	if o.Clock.Skewed() {
		d.notes = append(d.notes, skewed(o.Clock))
	}
	if d.err = mayTouch(o, r); d.err != nil {
		return d
	}
	d.verdict = schedule.Evaluate(o.Clock.Rotate(), o.facts(r.Policy), r.Policy)
	if o.active() && !o.trusted() {
		d.notes = append(d.notes, rolledBack(o))
	}
	if o.active() && endedElsewhere(d.verdict.Reason) && r.Policy.OnRevoked == schedule.OnRevokedError && !r.deliberate() {
		d.err = revokedElsewhere(o)
		return d
	}
	d.rotate, d.reason = wants(o, r, d.verdict)
	d.holdBack(o, r)
	if d.err != nil {
		return d
	}
	if left := o.leftovers(); d.rotate && left > 0 {
		d.notes = append(d.notes, historyReset(o, left))
	}
	if d.rotate && d.verdict.Due && d.verdict.MissedWindows > 0 {
		d.notes = append(d.notes, windowsMissed(o, d.verdict))
	}
	if d.rotate && o.active() && r.Owner != "" && o.record().Owner != "" && o.record().Owner != r.Owner {
		d.notes = append(d.notes, tookOver(o.At, *o.record()))
	}
	d.republish = !d.rotate && (r.MayRepublish || r.TakeOver) && needsRepublish(o, r)
	return d
}

// holdBack stops a rotation for which the evidence is missing: the account may be
// another one, the clocks disagree, another store may be at work on the entry, or the
// overlap list is full. None of it stops what a consumer needs.
func (d *decision) holdBack(o observation, r Request) {
	timed := isTimed(d.reason) && !r.deliberate()
	if d.rotate && r.Stored && o.kind == kindBroken && !o.vouched() {
		d.err = unvouched(o.At)
		return
	}
	if o.active() && o.Account == AccountUnknown {
		switch {
		case d.rotate && r.deliberate():
			d.notes = append(d.notes, leftBehind(o))
		case d.rotate || d.verdict.Due || r.Wish != Sweep:
			d.err = otherAccount(o)
			return
		}
	}
	if d.rotate && timed && !o.Clock.Trusted() {
		d.rotate, d.after = false, clocksDisagree(o)
	}
	if others := o.strangers(); len(others) > 0 && !r.Adopt {
		d.after = strangersAtWork(others)
		if d.rotate && timed && d.reason != schedule.ReasonBefore && d.reason != schedule.ReasonExpired {
			d.rotate = false
		}
	}
	if d.rotate && len(o.retiring) >= maxRetiring && (d.reason == schedule.ReasonPeriod || d.reason == schedule.ReasonSchedule) && !r.deliberate() {
		d.err = retiringFull(o)
	}
}

// vouched reports that PAIStrike lists the token that metadata names, under that name, and
// that it works: the entry served it until its version was deleted or overwritten. Without a
// record nothing else tells it from an entry that was closed and whose metadata was forged.
func (o observation) vouched() bool {
	return slices.ContainsFunc(o.Tokens, func(t paistrike.Token) bool {
		return t.ID == o.Mirror.TokenID && t.Name == o.Mirror.TokenName && t.Usable(o.Clock.Now())
	})
}

// endedElsewhere reports a token that someone else has ended.
func endedElsewhere(reason schedule.Reason) bool {
	return reason == schedule.ReasonRevoked || reason == schedule.ReasonNotFound
}

// isTimed reports a reason that rests on the time alone.
func isTimed(reason schedule.Reason) bool {
	switch reason {
	case schedule.ReasonPeriod, schedule.ReasonSchedule, schedule.ReasonBefore, schedule.ReasonExpired:
		return true
	}
	return false
}

// leftovers counts live tokens that were minted for generations which an empty entry
// has never had: someone removed its history.
func (o observation) leftovers() int {
	if o.Revision != "" {
		return 0
	}
	count := 0
	for _, token := range o.Tokens {
		if name, ok := ParseName(token.Name); ok && name.Gen > 1 && token.Usable(o.Clock.Now()) {
			count++
		}
	}
	return count
}

// maxRetiring bounds the overlap list of a record for rotations that can wait.
const maxRetiring = 16

// mayTouch refuses entries that belong to someone else, or to a newer release.
func mayTouch(o observation, r Request) error {
	switch {
	case o.newerSchema():
		return newerRelease(o.At, o.versionProblem())
	case o.kind == kindForeign && !r.Adopt:
		return foreignEntry(o.At, o.version.Problem)
	case o.kind == kindCopied && !r.Adopt:
		return copiedEntry(o.At, o.Identity, o.record().Identity)
	case !o.active() || r.Adopt || r.Owner == "" || r.TakeOver:
		return nil
	}
	coming := r.Reason == schedule.ReasonCreated || r.Reason == schedule.ReasonMoved
	return mayOwn(o.At, *o.record(), r.Owner, r.Label, coming)
}

// mayOwn says whether a resource may publish on an active record. Only one that comes to
// the entry, by a create or from another place, may take it over from its owner, and only
// under the same label: a rename, a count that is shifted by one, a lost state and a
// second workspace look alike.
func mayOwn(at entry.Location, record entry.Record, owner, label string, coming bool) error {
	name, structured := ParseName(record.TokenName)
	same := structured && name.Label == label
	switch {
	case record.Owner == owner:
		return nil
	case coming && same, record.Owner == "" && same:
		return nil
	}
	return otherOwner(at, record, label)
}

// facts are what Evaluate needs to know.
func (o observation) facts(p schedule.Policy) schedule.Facts {
	switch {
	case o.kind == kindForeign, o.kind == kindCopied:
		return schedule.Facts{Unhealthy: schedule.ReasonChanged}
	case o.kind == kindVacant:
		return schedule.Facts{Unhealthy: schedule.ReasonGone}
	case o.kind == kindBroken && o.version.Condition == entry.Live:
		return schedule.Facts{Unhealthy: schedule.ReasonChanged}
	case o.kind == kindBroken:
		return schedule.Facts{Unhealthy: schedule.ReasonDeleted}
	}
	return schedule.Facts{
		CreatedAt: o.record().CreatedAt, ExpiresAt: o.record().ExpiresAt, Slot: o.record().Slot,
		Unhealthy: unhealthyToken(o.current, o.Account, p),
	}
}

// wants decides whether to rotate. A plan may be old when it is applied: a reason
// that no longer holds, because another run saw to it, rotates nothing.
func wants(o observation, r Request, v schedule.Verdict) (bool, schedule.Reason) {
	switch {
	case r.Wish == Sweep, r.Wish == Settle:
		return false, schedule.ReasonNone
	case o.kind == kindVacant && (r.Wish == IfDue || r.Stored):
		// An entry that is gone, or closed by a tombstone, is not for a schedule to revive,
		// nor for whoever asked for a rotation before it was closed.
		return false, v.Reason
	case r.Wish == IfDue:
		return v.Due, v.Reason
	}
	// A token that the caller held before is not the one it asks for now.
	done := o.active() && o.trusted() && !v.Due && o.record().Intent == r.intent() && o.record().Owner == r.Owner &&
		!slices.Contains(r.Keep, o.record().TokenID)
	switch r.Reason {
	case schedule.ReasonForced:
		return true, r.Reason
	case schedule.ReasonCreated, schedule.ReasonName, schedule.ReasonExpiry, schedule.ReasonTriggers, schedule.ReasonMoved, schedule.ReasonImported, schedule.ReasonIncident:
		return !done, r.Reason
	case schedule.ReasonPeriod, schedule.ReasonSchedule, schedule.ReasonBefore:
		same := o.active() && o.record().TokenID == r.Replaces
		return v.Due || same, r.Reason
	default: // the state of token or entry: what is seen now counts
		return v.Due, r.Reason
	}
}

// deliberate reports a rotation that the user asks for, whatever state the token is
// in.
func (r Request) deliberate() bool {
	switch r.Reason {
	case schedule.ReasonCreated, schedule.ReasonForced, schedule.ReasonName, schedule.ReasonExpiry, schedule.ReasonTriggers,
		schedule.ReasonMoved, schedule.ReasonImported, schedule.ReasonIncident:
		return r.Wish == Rotate
	}
	return false
}

// needsRepublish reports that the record has to say something else with the same token:
// another owner or schedule, the end of a former key's field, or a fence against a stale
// mint. A version that the protocol did not write is never republished: it may carry a
// token that is long revoked.
func needsRepublish(o observation, r Request) bool {
	if !o.active() || !o.trusted() || o.current.Status == paistrike.StatusRevoked {
		return false
	}
	record := o.record()
	switch {
	case r.Owner != record.Owner, record.Schedule != r.Schedule, record.Slot != o.Slot():
		return true
	case record.Alias != "" && len(unripe(o)) == 0:
		return true
	}
	return slices.ContainsFunc(o.Tokens, func(token paistrike.Token) bool {
		name, ok := ParseName(token.Name)
		return ok && name.Gen > o.gen() && token.Usable(o.Clock.Now()) && !Used(token) && abandoned(token, o.Clock) && !o.refers(token.ID)
	})
}

// inherit fills in what a request leaves to the entry. What the current token was
// minted for is kept with its owner.
func (o observation) inherit(r Request) (Request, error) {
	name := o.Mirror.TokenName
	if r.At.Key == "" {
		r.At.Key = o.Mirror.Key
	}
	text, end := o.Mirror.Schedule, o.Mirror.ExpiresAt
	if o.kind == kindOurs {
		record := o.record()
		name, text, end = record.TokenName, record.Schedule, record.ExpiresAt
		if o.At.Key == "" {
			r.At.Key = record.Key
		}
		if r.Owner == "" {
			r.Owner = record.Owner
			r.kept = record.Intent
		}
	}
	if r.At.Key == "" {
		r.At.Key = entry.DefaultKey
	}
	if r.Label == "" {
		parsed, _ := ParseName(name)
		r.Label = parsed.Label
	}
	if !r.Stored {
		return r, nil
	}
	policy, err := text.Checked(end)
	if err != nil {
		return r, badSchedule(o.At, err)
	}
	r.Schedule, r.Policy = text, policy
	return r, nil
}
