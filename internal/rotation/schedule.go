package rotation

import (
	"cmp"
	"errors"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/vaultkv"
)

// ScheduleText is a policy in the user's own words, for custom metadata; empty
// strings are left out.
type ScheduleText struct {
	Period, Schedule, Window, BeforeExpiry, Overlap, Jitter, ExpiresIn string

	RetireWhenIdle bool
	OnRevoked      string // empty for [OnRevokedRotate]
}

// ScheduleIn is the policy that custom metadata speaks of.
func ScheduleIn(m vaultkv.Mirror) ScheduleText {
	return ScheduleText{
		Period: m.RotationPeriod, Schedule: m.RotationSchedule, Window: m.RotationWindow,
		BeforeExpiry: m.BeforeExpiry, Overlap: m.Overlap, ExpiresIn: m.ExpiresIn,
		Jitter: m.Jitter, RetireWhenIdle: m.RetireWhenIdle, OnRevoked: m.OnRevoked,
	}
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

// Schedule is what custom metadata of the entry says about rotation. The error is an
// [*Error]: who reads no policy must not act on one.
func (v View) Schedule(at vaultkv.Location) (ScheduleText, Policy, error) {
	if _, newer := errors.AsType[*vaultkv.SchemaError](v.Problem); newer {
		return ScheduleText{}, Policy{}, newerRelease(observation{at: at, entry: vaultkv.Entry{Version: v.Version, Problem: v.Problem}})
	}
	if v.Problem != nil {
		return ScheduleText{}, Policy{}, badSchedule(at, v.Problem)
	}
	text := ScheduleIn(v.Mirror)
	policy, err := text.Policy(v.Mirror.ExpiresAt)
	if err != nil {
		return text, Policy{}, badSchedule(at, err)
	}
	return text, policy, nil
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

// inherit fills in what a request leaves to the entry. What the current token was
// minted for is kept only where custom metadata, from which such a request has its
// policy, describes that very token.
func (o observation) inherit(r Request) Request {
	name := o.entry.Mirror.TokenName
	if r.At.Key == "" {
		r.At.Key = o.entry.Mirror.Key
	}
	if o.kind == kindOurs {
		record := o.entry.Record
		name = record.TokenName
		if o.at.Key == "" {
			r.At.Key = record.Key
		}
		if r.Owner == "" {
			r.Owner = record.Owner
			if o.entry.Mirror.Of == o.version() {
				r.kept = record.Intent
			}
		}
	}
	if r.At.Key == "" {
		r.At.Key = vaultkv.DefaultKey
	}
	if r.Label == "" {
		parsed, _ := ParseName(name)
		r.Label = parsed.Label
	}
	return r
}
