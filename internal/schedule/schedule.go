package schedule

import (
	"cmp"
	"time"
)

// Schedule is a policy as the user wrote it: how long a token lives and when it is
// replaced. Configurations, records and mirrors contain it in this form. Empty strings
// represent omitted settings.
type Schedule struct {
	ExpiresIn    string // "90d" or "never"; empty with a fixed end
	Period       string // "30d"
	Cron         string // a 5-field expression
	Timezone     string // IANA time zone of Cron; empty for UTC
	Window       string
	BeforeExpiry string
	Overlap      string
	Jitter       string
	OnRevoked    string // empty for [OnRevokedRotate]
	RetireIdle   string // "true" or empty
}

// Field is one setting of a schedule in its stored form.
type Field struct {
	Key   string // as in a record and, with a prefix, in a mirror
	Value *string
}

// Fields lists every setting, so that encoding, decoding, clearing and comparing share one
// table. The values point into s.
func (s *Schedule) Fields() []Field {
	return []Field{
		{"expires_in", &s.ExpiresIn},
		{"rotation_period", &s.Period},
		{"rotation_schedule", &s.Cron},
		{"rotation_timezone", &s.Timezone},
		{"rotation_window", &s.Window},
		{"before_expiry", &s.BeforeExpiry},
		{"overlap", &s.Overlap},
		{"jitter", &s.Jitter},
		{"on_revoked", &s.OnRevoked},
		{"retire_when_idle", &s.RetireIdle},
	}
}

// Scheduled reports whether tokens are rotated by time at all. Without that, a person or
// Terraform decides.
func (s Schedule) Scheduled() bool {
	return cmp.Or(s.Period, s.Cron, s.BeforeExpiry, s.Overlap) != ""
}

// Timing returns the settings that determine when a token is due, without those about what
// is minted or how long the old token overlaps.
func (s Schedule) Timing() Schedule {
	return Schedule{Period: s.Period, Cron: s.Cron, Timezone: s.Timezone, Window: s.Window, BeforeExpiry: s.BeforeExpiry, Jitter: s.Jitter}
}

// Policy parses the settings and fills in the defaults. It does not check whether they
// make sense together; see [Policy.Validate]. A schedule without a lifetime belongs to a
// token with the fixed end end. The error is a [*PolicyError] with the name of the setting
// as in the configuration.
func (s Schedule) Policy(end time.Time) (Policy, error) {
	p, err := s.read(end, !s.Scheduled())
	if err != nil {
		return Policy{}, err
	}
	return p.WithDefaults(), nil
}

// Complete parses the settings of a configuration with rotation and returns them with
// every default written out, so that a later release with other defaults reads the same
// policy.
func (s Schedule) Complete(end time.Time) (Schedule, Policy, error) {
	p, err := s.read(end, false)
	if err != nil {
		return s, Policy{}, err
	}
	p = p.WithDefaults()
	return p.text(s), p, nil
}

func (s Schedule) read(end time.Time, manual bool) (Policy, error) {
	p := Policy{Manual: manual, RetireWhenIdle: s.RetireIdle == "true", OnRevoked: OnRevoked(s.OnRevoked)}
	switch s.ExpiresIn {
	case Never:
		p.Never = true
	case "":
		p.ExpiresAt, p.Never = end, end.IsZero() && p.Manual
	default:
		if err := readDuration(&p.Lifetime, "expires_in", s.ExpiresIn); err != nil {
			return Policy{}, err
		}
	}
	for _, span := range []struct {
		into          *time.Duration
		setting, text string
	}{
		{&p.Period, "period", s.Period},
		{&p.Window, "window", s.Window},
		{&p.BeforeExpiry, "before_expiry", s.BeforeExpiry},
		{&p.Overlap, "overlap", s.Overlap},
		{&p.Jitter, "jitter", s.Jitter},
	} {
		if err := readDuration(span.into, "rotation."+span.setting, span.text); err != nil {
			return Policy{}, err
		}
	}
	switch p.OnRevoked {
	case "", OnRevokedRotate, OnRevokedError, OnRevokedIgnore:
	default:
		return Policy{}, &PolicyError{Setting: "rotation.on_revoked", Problem: "is not one of rotate, error, ignore"}
	}
	if s.Cron != "" {
		var err error
		if p.Schedule, err = ParseCron(s.Cron); err != nil {
			return Policy{}, &PolicyError{Setting: "rotation.schedule", Problem: err.Error()}
		}
		if p.Schedule, err = p.Schedule.In(s.Timezone); err != nil {
			return Policy{}, &PolicyError{Setting: "rotation.timezone", Problem: err.Error()}
		}
	}
	return p, nil
}

// Checked combines [Schedule.Policy] and [Policy.Validate].
func (s Schedule) Checked(end time.Time) (Policy, error) {
	p, err := s.Policy(end)
	if err == nil {
		err = p.Validate()
	}
	return p, err
}

// text fills the omitted settings of user with the defaults in the policy.
func (p Policy) text(user Schedule) Schedule {
	fill := func(text *string, value time.Duration) {
		if *text == "" && value > 0 {
			*text = FormatDuration(value)
		}
	}
	user.Cron = p.Schedule.String()
	fill(&user.Window, p.Window)
	fill(&user.BeforeExpiry, p.BeforeExpiry)
	fill(&user.Overlap, p.Overlap)
	if user.OnRevoked == string(OnRevokedRotate) {
		user.OnRevoked = ""
	}
	return user
}

// readDuration parses a duration that may be omitted.
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
