package schedule

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
	"time"
)

// Reason is a stable word for why a token is replaced.
type Reason string

// The reasons appear in plans, so policies may match on them.
const (
	ReasonNone     Reason = ""
	ReasonCreated  Reason = "created"          // there was none yet
	ReasonPeriod   Reason = "period"           // older than rotation.period
	ReasonSchedule Reason = "schedule"         // inside a window of rotation.schedule, or no window is left before expiry
	ReasonBefore   Reason = "before_expiry"    // closer to expiry than rotation.before_expiry
	ReasonExpired  Reason = "expired"          // past its expiry
	ReasonRevoked  Reason = "revoked"          // revoked or deleted elsewhere
	ReasonNotFound Reason = "not_found"        // PAIStrike does not know the token
	ReasonDeleted  Reason = "secret_deleted"   // the current version was deleted or destroyed
	ReasonGone     Reason = "secret_missing"   // the entry does not exist
	ReasonChanged  Reason = "secret_changed"   // the entry was written by someone else
	ReasonName     Reason = "name_changed"     // the configured name changed
	ReasonExpiry   Reason = "expiry_changed"   // the configured expiry changed
	ReasonTriggers Reason = "triggers_changed" // rotation.triggers changed
	ReasonMoved    Reason = "secret_moved"     // the configured location changed
	ReasonImported Reason = "imported"         // imported, and the store does not contain its secret
	ReasonForced   Reason = "forced"           // requested outside Terraform
	ReasonIncident Reason = "revoke_previous"  // the current token was declared compromised
)

// Facts contains the data about the current token that [Evaluate] needs.
type Facts struct {
	// Unhealthy is the reason to replace the token at any time, or [ReasonNone] if
	// consumers can use it.
	Unhealthy Reason
	CreatedAt time.Time
	ExpiresAt time.Time // zero if it never expires
	// Slot identifies the entry. Its share of the jitter is derived from it.
	Slot string
}

// Verdict is the result of [Evaluate].
type Verdict struct {
	Due    bool
	Reason Reason
	// Next is the first moment after now at which the token is due. If the token is due,
	// it is the moment since which the reason applies; for a schedule, the latest fire.
	// Zero if no time makes the token due: with Manual, with a fixed end, or if the token
	// is unhealthy.
	Next time.Time
	// Deadline is the moment at which before_expiry makes the token due, or zero.
	Deadline time.Time
	// MissedWindows counts the windows of a schedule that passed without a rotation, up to
	// 100.
	MissedWindows int
}

// Evaluate decides whether the token is due, why, and when it will be due. The decision
// depends only on now, the current token and the policy. In this order: an unhealthy token
// is due; inside before_expiry the token is due regardless of the window; then the period,
// or the window of the schedule, decides. After a missed window the token waits for the
// next fire, unless that comes after the deadline.
func Evaluate(now time.Time, f Facts, p Policy) Verdict {
	v := Verdict{Deadline: deadline(f, p)}
	if !p.ExpiresAt.IsZero() && !now.Before(p.ExpiresAt) {
		return v // a new token would have expired already
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

// scheduled decides by the cron expression: the token is due from a fire until the end of
// its window.
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
		from = f.CreatedAt // a token is not replaced for a fire before its creation
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

// delay returns the entry's share of the jitter, in whole seconds. It depends only on the
// slot, so every run computes the same time.
func (p Policy) delay(slot string) time.Duration {
	if p.Jitter < time.Second {
		return 0
	}
	sum := sha256.Sum256([]byte(slot))
	seconds := binary.BigEndian.Uint32(sum[:4]) % uint32(min(p.Jitter/time.Second, math.MaxUint32)) //nolint:gosec // at most 36500 days
	return time.Duration(seconds) * time.Second
}

// deadline returns the moment at which before_expiry makes a token due. If the server
// grants a shorter life than requested, new tokens must not be due at once, so the margin
// is then at most a third of that life.
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

// missedWindows counts the fires since the token's creation whose window is over.
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

// earliest returns the earlier of two times. Zero means none.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}
