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

// Wish limits what a run may do.
type Wish int

const (
	// Settle retires, sweeps and repairs the mirror, but never mints.
	Settle Wish = iota
	// IfDue rotates if [schedule.Evaluate] reports the token as due.
	IfDue
	// Rotate rotates for the given reason, unless the condition behind the reason has been
	// resolved since it was found.
	Rotate
	// Sweep does less than [Settle]: it revokes orphans and repairs the mirror.
	Sweep
)

// Request describes the desired state of one entry.
type Request struct {
	// At is the entry. An empty Key means the key of the record, or of the mirror.
	At entry.Location
	// Seen is an earlier result of [Engine.Look]. If it is nil, Run looks itself.
	Seen *Sight
	// Label is the user's name for the token. If it is empty, the current label is kept.
	Label string
	// Policy and Schedule are the same policy, parsed and as the user wrote it. With
	// Stored, Run uses those of the record instead, so that permission to write metadata
	// is not enough to decide what is minted.
	Policy   schedule.Policy
	Schedule schedule.Schedule
	Stored   bool
	// Owner is the ID of the Terraform resource. If it is empty, the record keeps its
	// owner and its intent.
	Owner string
	// TakeOver makes Owner the owner of an active entry that another resource owns,
	// because the resource was imported from the entry. With [Settle], no token is minted.
	TakeOver bool
	// Triggers is part of the record's intent: a different value is a different intent.
	Triggers string
	// Floor is a generation that consumers have seen. The next generation exceeds it.
	Floor int
	// Keep names tokens that consumers use according to the caller, such as an imported
	// token, whatever the record says. They keep working for one overlap after the
	// rotation.
	Keep []string
	// Imported lists tokens with unstructured names that may be retired; see [Imported].
	Imported []Imported
	// Adopt permits publishing over a foreign secret or over a token with another label.
	// It also moves tokens of the slot that this store never published into the overlap.
	Adopt bool
	// RevokePrevious revokes the replaced tokens as soon as the new token is published,
	// because they were declared compromised.
	RevokePrevious bool
	// Succeed continues the run with the newly published token if one of the replaced
	// tokens is the management token of this run. Only then can [Request.RevokePrevious]
	// revoke that one. The caller must not make further calls with it.
	Succeed bool

	Wish   Wish
	Reason schedule.Reason
	// Replaces is the token for which the reason was found. If another run has replaced it
	// since, a time-based reason no longer applies.
	Replaces string
	// MayRepublish permits [Settle] to write a new version with the same token: to fence
	// off a stale mint, to drop the field of a former key, or to store another schedule.
	MayRepublish bool

	kept string // the record's intent, if its owner is kept
}

// intent returns a fingerprint of what a token is minted for. A run that finds its own
// intent in the record knows that its work is done, even if it was killed before it could
// report so.
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

// decision is the plan of a run. It is complete before the run changes anything.
type decision struct {
	rotate    bool
	reason    schedule.Reason
	verdict   schedule.Verdict
	republish bool
	err       error
	// after is an error to return once the rest of the decision has been carried out.
	after error
	notes []Message
}

// decide makes every decision of a run. It is a pure function of the observation and the
// request.
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

// holdBack stops a rotation without sufficient evidence: the account may be another one,
// the clocks disagree, another store may be serving the entry, or the overlap list is
// full. It never stops a rotation that a consumer needs.
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

// vouched reports whether PAIStrike lists the token that metadata names, under the same
// name and usable. If so, the entry served that token until its version was deleted or
// overwritten. Without a record, nothing else distinguishes such an entry from a closed
// one with forged metadata.
func (o observation) vouched() bool {
	return slices.ContainsFunc(o.Tokens, func(t paistrike.Token) bool {
		return t.ID == o.Mirror.TokenID && t.Name == o.Mirror.TokenName && t.Usable(o.Clock.Now())
	})
}

// endedElsewhere reports whether the reason is that someone else ended the token.
func endedElsewhere(reason schedule.Reason) bool {
	return reason == schedule.ReasonRevoked || reason == schedule.ReasonNotFound
}

// isTimed reports whether the reason depends on time alone.
func isTimed(reason schedule.Reason) bool {
	switch reason {
	case schedule.ReasonPeriod, schedule.ReasonSchedule, schedule.ReasonBefore, schedule.ReasonExpired:
		return true
	}
	return false
}

// leftovers counts the usable tokens of an empty entry that were minted for generations
// after the first. Any such token means that someone removed the entry's history.
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

// maxRetiring limits the overlap list of a record. Rotations that can wait stop there.
const maxRetiring = 16

// mayTouch returns an error if the entry belongs to someone else, or was written by a
// newer release.
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

// mayOwn returns an error unless the resource may publish on an active record. It may take
// over an entry of another owner only if it comes to the entry, by a create or a move, and
// only under the same label: a rename, a shifted count index, a lost state, and a second
// workspace look alike.
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

// facts returns the input of [schedule.Evaluate].
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

// wants decides whether to rotate. A plan may be old when it is applied. If another run
// has resolved the reason since, nothing is rotated.
func wants(o observation, r Request, v schedule.Verdict) (bool, schedule.Reason) {
	switch {
	case r.Wish == Sweep, r.Wish == Settle:
		return false, schedule.ReasonNone
	case o.kind == kindVacant && (r.Wish == IfDue || r.Stored):
		// A missing or closed entry is not revived by a schedule, nor by a rotation
		// requested before it was closed.
		return false, v.Reason
	case r.Wish == IfDue:
		return v.Due, v.Reason
	}
	// A token in Keep is one that the caller replaces, so it does not satisfy the request.
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
	default: // the state of the token or entry: what is seen now counts
		return v.Due, r.Reason
	}
}

// deliberate reports whether the user requested the rotation, regardless of the token's
// state.
func (r Request) deliberate() bool {
	switch r.Reason {
	case schedule.ReasonCreated, schedule.ReasonForced, schedule.ReasonName, schedule.ReasonExpiry, schedule.ReasonTriggers,
		schedule.ReasonMoved, schedule.ReasonImported, schedule.ReasonIncident:
		return r.Wish == Rotate
	}
	return false
}

// needsRepublish reports whether the record must change while the token stays: another
// owner or schedule, the end of a former key's field, or a fence against a stale mint. A
// version that the protocol did not write is never republished, because its token may have
// been revoked long ago.
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

// inherit fills in the fields of a request that default to the entry's own values. An
// inherited owner brings the record's intent with it.
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
