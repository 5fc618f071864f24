package schedule

import (
	"fmt"
	"time"
)

// Defaults of a policy for settings that the user omitted.
const (
	DefaultOverlap = 24 * time.Hour
	DefaultWindow  = 24 * time.Hour
)

// MinWindow is the shortest rotation window, because scheduled workflows start late.
const MinWindow = time.Hour

// OnRevoked determines what happens if someone revoked the token elsewhere.
type OnRevoked string

// The values of [OnRevoked].
const (
	OnRevokedRotate OnRevoked = "rotate"
	OnRevokedError  OnRevoked = "error"
	OnRevokedIgnore OnRevoked = "ignore"
)

// Policy determines how long a token lives and when it is replaced. Complete it with
// [Policy.WithDefaults] and check it with [Policy.Validate].
type Policy struct {
	// Lifetime is how long a new token lives. It is zero with Never or ExpiresAt.
	Lifetime time.Duration
	// Never is true for a token without an expiry.
	Never bool
	// ExpiresAt is a fixed end instead of a lifetime.
	ExpiresAt time.Time

	// Period and Schedule determine when to rotate. At most one of them is set.
	Period   time.Duration
	Schedule Cron
	// Window is how long after a fire of Schedule a rotation may start.
	Window time.Duration
	// BeforeExpiry is how long before its expiry a token is rotated, regardless of the
	// schedule. Zero disables rotation by expiry.
	BeforeExpiry time.Duration
	// Overlap is how long a replaced token keeps working.
	Overlap time.Duration
	// RetireWhenIdle keeps a replaced token that is still in use, for a second overlap at
	// most.
	RetireWhenIdle bool
	// Jitter spreads rotations that are due at the same time. Each entry has a constant
	// delay below this value.
	Jitter    time.Duration
	OnRevoked OnRevoked
	// Manual disables every time-based rotation. A token that no longer works is still
	// replaced.
	Manual bool
}

// WithDefaults fills in omitted settings. The overlap is 24 hours, or a third of the
// lifetime, of the period, or of the schedule's longest gap if that is shorter.
// BeforeExpiry is the larger of a third of the lifetime and twice the overlap, but at most
// two thirds of the lifetime, so that a token is replaced long before it expires and is
// never due at its creation.
func (p Policy) WithDefaults() Policy {
	if p.Overlap == 0 {
		p.Overlap = DefaultOverlap
		for _, span := range []time.Duration{p.Lifetime, p.Period, p.Schedule.LongestGap(gapReference)} {
			if span > 0 {
				p.Overlap = min(p.Overlap, wholeSeconds(span/3))
			}
		}
	}
	if p.BeforeExpiry == 0 && p.Lifetime > 0 {
		p.BeforeExpiry = wholeSeconds(max(p.Lifetime/3, min(2*p.Overlap, 2*p.Lifetime/3)))
	}
	if p.Window == 0 && !p.Schedule.IsZero() {
		p.Window = DefaultWindow
	}
	if p.OnRevoked == "" {
		p.OnRevoked = OnRevokedRotate
	}
	return p
}

func wholeSeconds(d time.Duration) time.Duration { return max(d.Truncate(time.Second), time.Second) }

// PolicyError names the invalid setting as in the configuration: "rotation.before_expiry",
// "expires_at".
type PolicyError struct {
	Setting string
	Problem string
}

// Error returns the setting and the problem in one line.
func (e *PolicyError) Error() string { return e.Setting + ": " + e.Problem }

// gapReference is the date from which the gaps of a schedule are computed. It is fixed, so
// that the same configuration has the same result every day.
var gapReference = time.Date(2025, time.January, 1, 0, 0, 0, 0, time.UTC)

// Validate checks a policy that [Policy.WithDefaults] completed. The error is a
// [*PolicyError].
func (p Policy) Validate() error {
	if p.Lifetime == 0 && !p.Never && p.ExpiresAt.IsZero() {
		return &PolicyError{Setting: "expires_in", Problem: "a token needs a lifetime such as \"90d\", a fixed end, or \"never\""}
	}
	if p.Manual {
		return nil
	}
	bad := func(setting, format string, args ...any) error {
		return &PolicyError{Setting: "rotation." + setting, Problem: fmt.Sprintf(format, args...)}
	}
	if p.Lifetime > 0 && p.BeforeExpiry >= p.Lifetime {
		return bad("before_expiry", "%s is not shorter than the lifetime of %s: every new token would be due immediately", FormatDuration(p.BeforeExpiry), FormatDuration(p.Lifetime))
	}
	if p.Period > 0 && p.Overlap >= p.Period {
		return bad("overlap", "%s is not shorter than the period of %s: replaced tokens would pile up", FormatDuration(p.Overlap), FormatDuration(p.Period))
	}
	if p.Lifetime > 0 && p.Overlap >= p.Lifetime {
		return bad("overlap", "%s is not shorter than the lifetime of %s: the old token expires before its overlap is over", FormatDuration(p.Overlap), FormatDuration(p.Lifetime))
	}
	if p.Lifetime > 0 && p.Period >= p.Lifetime {
		return bad("period", "%s is not shorter than the lifetime of %s: the token would expire first", FormatDuration(p.Period), FormatDuration(p.Lifetime))
	}
	if p.Lifetime > 0 && p.Period > 0 && p.Period+p.Jitter >= p.Lifetime {
		return bad("jitter", "%s after a period of %s is not shorter than the lifetime of %s: the token could expire first", FormatDuration(p.Jitter), FormatDuration(p.Period), FormatDuration(p.Lifetime))
	}
	if p.Schedule.IsZero() {
		return nil
	}
	if p.Jitter >= p.Window {
		return bad("jitter", "%s is not shorter than the window of %s: some entries would never be due inside it", FormatDuration(p.Jitter), FormatDuration(p.Window))
	}
	gap := p.Schedule.LongestGap(gapReference)
	switch {
	case gap == 0:
		return bad("schedule", "%q never fires", p.Schedule)
	case p.Lifetime > 0 && gap >= p.Lifetime:
		return bad("schedule", "%q pauses for %s, which is not shorter than the lifetime of %s: the token would expire first", p.Schedule, FormatDuration(gap), FormatDuration(p.Lifetime))
	case p.Window < MinWindow:
		return bad("window", "%s is shorter than 1h: a scheduled run that starts late would miss it", FormatDuration(p.Window))
	case p.Overlap >= gap:
		return bad("overlap", "%s is not shorter than the %s between two rotations: replaced tokens would pile up", FormatDuration(p.Overlap), FormatDuration(gap))
	}
	return nil
}

// Expiry returns when a token minted at now expires, or zero if never. It uses whole
// seconds, as PAIStrike does.
func (p Policy) Expiry(now time.Time) time.Time {
	switch {
	case p.Never:
		return time.Time{}
	case !p.ExpiresAt.IsZero():
		return p.ExpiresAt.UTC()
	default:
		return now.Add(p.Lifetime).UTC().Truncate(time.Second)
	}
}
