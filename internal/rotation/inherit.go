package rotation

import (
	"errors"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/vault"
)

// ScheduleIn is the policy that custom metadata speaks of.
func ScheduleIn(m entry.Mirror) schedule.ScheduleText {
	return schedule.ScheduleText{
		Period: m.RotationPeriod, Schedule: m.RotationSchedule, Window: m.RotationWindow,
		BeforeExpiry: m.BeforeExpiry, Overlap: m.Overlap, ExpiresIn: m.ExpiresIn,
		Jitter: m.Jitter, RetireWhenIdle: m.RetireWhenIdle, OnRevoked: m.OnRevoked,
	}
}

// Schedule is what custom metadata of the entry says about rotation. The error is an
// [*Error]: who reads no policy must not act on one.
func (v View) Schedule(at entry.Location) (schedule.ScheduleText, schedule.Policy, error) {
	if _, newer := errors.AsType[*entry.SchemaError](v.Problem); newer {
		return schedule.ScheduleText{}, schedule.Policy{}, newerRelease(observation{at: at, entry: vault.Entry{Version: v.Version, Problem: v.Problem}})
	}
	if v.Problem != nil {
		return schedule.ScheduleText{}, schedule.Policy{}, badSchedule(at, v.Problem)
	}
	text := ScheduleIn(v.Mirror)
	policy, err := text.Policy(v.Mirror.ExpiresAt)
	if err != nil {
		return text, schedule.Policy{}, badSchedule(at, err)
	}
	return text, policy, nil
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
		r.At.Key = entry.DefaultKey
	}
	if r.Label == "" {
		parsed, _ := ParseName(name)
		r.Label = parsed.Label
	}
	return r
}
