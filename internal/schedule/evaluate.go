package schedule

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
	"time"
)

// Reason says in one stable word why a token is replaced.
type Reason string

// The reasons. They stand in plans, so policies may match on them.
const (
	ReasonNone     Reason = ""
	ReasonCreated  Reason = "created"          // there was none yet
	ReasonPeriod   Reason = "period"           // older than rotation.period
	ReasonSchedule Reason = "schedule"         // inside a window of rotation.schedule, or none left before expiry
	ReasonBefore   Reason = "before_expiry"    // closer to expiry than rotation.before_expiry
	ReasonExpired  Reason = "expired"          // its life is over
	ReasonRevoked  Reason = "revoked"          // revoked or deleted elsewhere
	ReasonNotFound Reason = "not_found"        // PAIStrike does not know it
	ReasonDeleted  Reason = "secret_deleted"   // the current version was deleted or destroyed
	ReasonGone     Reason = "secret_missing"   // the entry is not there
	ReasonChanged  Reason = "secret_changed"   // the entry was written by someone else
	ReasonName     Reason = "name_changed"     // another name is wanted
	ReasonExpiry   Reason = "expiry_changed"   // another expiry is wanted
	ReasonTriggers Reason = "triggers_changed" // rotation.triggers changed
	ReasonMoved    Reason = "secret_moved"     // another place is wanted
	ReasonImported Reason = "imported"         // imported, and the store does not hold its secret
	ReasonForced   Reason = "forced"           // asked for, outside Terraform
	ReasonIncident Reason = "revoke_previous"  // the current token is declared compromised
)

// Facts are what [Evaluate] needs to know of the current token.
type Facts struct {
	// Unhealthy is the reason to replace the token whatever the time, or
	// [ReasonNone] if consumers can work with it.
	Unhealthy Reason
	CreatedAt time.Time
	ExpiresAt time.Time // zero: never
	// Slot is the entry that the jitter is for; see [Slot].
	Slot string
}

// Verdict is the answer of [Evaluate].
type Verdict struct {
	Due    bool
	Reason Reason
	// Next is the first moment after now at which the token is due; if it is due,
	// since when the reason holds, for a schedule since its latest fire. Zero if no time
	// makes it due: with Manual, with a fixed end, for an unhealthy token.
	Next time.Time
	// Deadline is when before_expiry makes it due; zero if nothing does.
	Deadline time.Time
	// MissedWindows counts the windows of a schedule that passed without a
	// rotation, up to 100.
	MissedWindows int
}

// Evaluate decides from now, the current token and the policy alone whether the
// token is due, why, and when it will be. In order: an unhealthy token is due;
// inside before_expiry it is due whatever the window; then the period, or the
// window of the schedule. A missed window waits for the next fire, unless that
// comes after the deadline.
func Evaluate(now time.Time, f Facts, p Policy) Verdict {
	v := Verdict{Deadline: deadline(f, p)}
	if !p.ExpiresAt.IsZero() && !now.Before(p.ExpiresAt) {
		return v // nothing can be minted with an end in the past
	}
	if f.Unhealthy != ReasonNone {
		return v.due(time.Time{}, f.Unhealthy)
	}
	if !f.ExpiresAt.IsZero() && !now.Before(f.ExpiresAt) {
		return v.due(f.ExpiresAt, ReasonExpired)
	}
	if p.Manual {
		return v
	}
	if !v.Deadline.IsZero() && !now.Before(v.Deadline) {
		v.MissedWindows = missedWindows(now, f, p)
		return v.due(v.Deadline, ReasonBefore)
	}
	v.Next = earliest(v.Deadline, f.ExpiresAt)
	switch {
	case p.Period > 0:
		at := f.CreatedAt.Add(p.Period + p.delay(f.Slot))
		if !now.Before(at) {
			return v.due(at, ReasonPeriod)
		}
		v.Next = earliest(v.Next, at)
	case !p.Schedule.IsZero():
		v = v.scheduled(now, f, p)
	}
	if !v.Due && !p.ExpiresAt.IsZero() && !v.Next.Before(p.ExpiresAt) {
		v.Next = time.Time{} // the fixed end comes first
	}
	return v
}

func (v Verdict) due(since time.Time, reason Reason) Verdict {
	v.Due, v.Reason, v.Next = true, reason, since
	return v
}

// scheduled decides by the cron expression: due from a fire until its window
// ends.
func (v Verdict) scheduled(now time.Time, f Facts, p Policy) Verdict {
	delay := p.delay(f.Slot)
	last, ok := p.Schedule.Last(now.Add(-delay))
	if ok && last.After(f.CreatedAt) {
		if now.Before(last.Add(p.Window)) {
			return v.due(last.Add(delay), ReasonSchedule)
		}
		v.MissedWindows = missedWindows(now, f, p)
	}
	from := now.Add(-delay)
	if f.CreatedAt.After(from) {
		from = f.CreatedAt // a token is not replaced for a fire before it was made
	}
	next, ok := p.Schedule.Next(from)
	next = next.Add(delay)
	if ok && v.MissedWindows > 0 && !v.Deadline.IsZero() && next.After(v.Deadline) {
		return v.due(last.Add(delay), ReasonSchedule)
	}
	if ok {
		v.Next = earliest(v.Next, next)
	}
	return v
}

// delay is the part of the jitter that an entry has: whole seconds that follow from
// its slot alone, so that every run comes to the same time.
func (p Policy) delay(slot string) time.Duration {
	if p.Jitter < time.Second {
		return 0
	}
	sum := sha256.Sum256([]byte(slot))
	seconds := binary.BigEndian.Uint32(sum[:4]) % uint32(min(p.Jitter/time.Second, math.MaxUint32)) //nolint:gosec // at most 36500 days
	return time.Duration(seconds) * time.Second
}

// deadline is when before_expiry makes a token due. A server that grants less
// life than was asked for must not make every new token due at once, so the
// margin is at most a third of a life that is that short.
func deadline(f Facts, p Policy) time.Time {
	if f.ExpiresAt.IsZero() || p.BeforeExpiry == 0 || p.Manual || !p.ExpiresAt.IsZero() {
		return time.Time{}
	}
	margin := p.BeforeExpiry
	if life := f.ExpiresAt.Sub(f.CreatedAt); !f.CreatedAt.IsZero() && life <= margin {
		margin = (life / 3).Truncate(time.Second)
	}
	return f.ExpiresAt.Add(-margin)
}

// missedWindows counts fires after the token was made whose window is over.
func missedWindows(now time.Time, f Facts, p Policy) int {
	missed := 0
	for fire, ok := p.Schedule.Next(f.CreatedAt); ok && missed < 100; fire, ok = p.Schedule.Next(fire) {
		if fire.Add(p.Window).After(now) {
			break
		}
		missed++
	}
	return missed
}

// earliest returns the earlier of two times; zero means none.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}
