package schedule

import (
	"cmp"
	"time"
)

// ScheduleText is a policy in the user's own words, for custom metadata; empty
// strings are left out.
type ScheduleText struct {
	Period, Schedule, Window, BeforeExpiry, Overlap, Jitter, ExpiresIn string

	RetireWhenIdle bool
	OnRevoked      string // empty for [OnRevokedRotate]
}

// Scheduled reports whether tokens shall be replaced at all: without a schedule, a
// person or Terraform decides.
func (t ScheduleText) Scheduled() bool {
	return cmp.Or(t.Period, t.Schedule, t.BeforeExpiry, t.Overlap) != ""
}

// Policy reads the words. A text without a lifetime belongs to tokens with a fixed
// end, which is then that of the current one. The error is a [*PolicyError]; its
// setting is named as in the configuration.
func (t ScheduleText) Policy(end time.Time) (Policy, error) {
	p := Policy{Manual: !t.Scheduled(), RetireWhenIdle: t.RetireWhenIdle, OnRevoked: OnRevoked(t.OnRevoked)}
	switch t.ExpiresIn {
	case Never:
		p.Never = true
	case "":
		p.ExpiresAt, p.Never = end, end.IsZero() && p.Manual
	default:
		if err := readDuration(&p.Lifetime, "expires_in", t.ExpiresIn); err != nil {
			return Policy{}, err
		}
	}
	for _, span := range []struct {
		into          *time.Duration
		setting, text string
	}{
		{&p.Period, "period", t.Period},
		{&p.Window, "window", t.Window},
		{&p.BeforeExpiry, "before_expiry", t.BeforeExpiry},
		{&p.Overlap, "overlap", t.Overlap},
		{&p.Jitter, "jitter", t.Jitter},
	} {
		if err := readDuration(span.into, "rotation."+span.setting, span.text); err != nil {
			return Policy{}, err
		}
	}
	switch p.OnRevoked {
	case "", OnRevokedRotate, OnRevokedError, OnRevokedIgnore:
	default:
		return Policy{}, &PolicyError{Setting: "rotation.on_revoked", Problem: "is none of rotate, error, ignore"}
	}
	if t.Schedule != "" {
		var err error
		if p.Schedule, err = ParseCron(t.Schedule); err != nil {
			return Policy{}, &PolicyError{Setting: "rotation.schedule", Problem: err.Error()}
		}
	}
	p = p.WithDefaults()
	return p, p.Validate()
}

// readDuration reads a duration that may be left out.
func readDuration(into *time.Duration, setting, text string) error {
	if text == "" {
		return nil
	}
	d, err := ParseDuration(text)
	if err != nil {
		return &PolicyError{Setting: setting, Problem: err.Error()}
	}
	*into = d
	return nil
}
