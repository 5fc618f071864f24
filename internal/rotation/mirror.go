package rotation

import (
	"context"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

// mirrorOf is what custom metadata shall say of a record at a version.
func mirrorOf(record entry.Record, version int, live []entry.Retiring, next time.Time, text schedule.ScheduleText) entry.Mirror {
	m := entry.Mirror{
		State: record.State, Of: version, Slot: record.Slot, Key: record.Key,
		TokenID: record.TokenID, TokenName: record.TokenName,
		CreatedAt: record.CreatedAt, ExpiresAt: record.ExpiresAt, NextRotation: next,
		RotationPeriod: text.Period, RotationSchedule: text.Schedule, RotationWindow: text.Window,
		BeforeExpiry: text.BeforeExpiry, Overlap: text.Overlap, ExpiresIn: text.ExpiresIn,
		Jitter: text.Jitter, RetireWhenIdle: text.RetireWhenIdle, OnRevoked: text.OnRevoked,
	}
	for _, r := range live {
		m.Retiring = append(m.Retiring, entry.RetiringRef{ID: r.ID, RevokeAfter: r.RevokeAfter})
	}
	return m
}

// mirror brings custom metadata up to date, with one PATCH, or none where it
// already says what it should. Failing is a note: the record is the truth.
func (e *Engine) mirror(ctx context.Context, o observation, want entry.Mirror, result *Result) {
	have := o.entry.Mirror
	want.LastRun, want.LastError = have.LastRun, have.LastError
	if result.Rotated {
		want.LastRun, want.LastError = o.clock.PAIStrike.UTC().Truncate(time.Second), ""
	}
	encoded := entry.EncodeMirror(want)
	changed := map[string]string{}
	for key, value := range encoded {
		if o.meta.Custom[key] != value {
			changed[key] = value
		}
	}
	if len(changed) == 0 {
		return
	}
	if err := e.store.Patch(ctx, o.at, changed); err != nil {
		result.note(mirrorFailed(o.at, want.Of, err))
		return
	}
	result.Mirrored = true
}
