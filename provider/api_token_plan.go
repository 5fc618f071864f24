package provider

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

// situation is the complete input of an update's plan: configuration, prior state, and
// what the last refresh observed. It includes no clock, and planning makes no calls.
type situation struct {
	want, have desired
	imported   bool // the state has no entry yet
	claim      bool // imported from its entry, which it does not own yet
	facts      schedule.Facts
	revoked    bool
	previous   []previousTokenModel
	observed   observed
	former     []formerEntry
}

// change describes a planned update.
type change struct {
	rotate bool // mint a new token
	reason schedule.Reason
	retire bool // revoke old tokens whose overlap is over, and strays
	// reschedule writes the schedule to custom metadata, which may also retire tokens.
	// repair does so because someone changed it there.
	reschedule, repair bool
	// republishes is true if a new version is written without a new token.
	republishes bool
	// lost is true if the apply cannot succeed: another resource owns the entry, or the
	// token belongs to another account.
	lost    bool
	verdict schedule.Verdict
	refuse  bool // the token was revoked elsewhere and must not be replaced
}

func (c change) any() bool { return c.rotate || c.retire || c.reschedule || c.republishes || c.lost }

// planChange decides. Reasons that the user caused come first, then the state of the token
// and the entry, then the time.
func planChange(s situation) change {
	var c change
	facts := s.facts
	facts.Unhealthy = s.observed.Unhealthy
	if facts.Unhealthy == schedule.ReasonNone && s.revoked && s.observed.Taken == nil && s.want.policy.OnRevoked != schedule.OnRevokedIgnore {
		facts.Unhealthy = schedule.ReasonRevoked
	}
	if facts.Unhealthy == schedule.ReasonNotFound && s.want.policy.OnRevoked == schedule.OnRevokedIgnore {
		facts.Unhealthy = schedule.ReasonNone
	}
	c.verdict = schedule.Evaluate(s.observed.Rotate, facts, s.want.policy)
	c.reason = s.userReason()
	if c.reason == schedule.ReasonNone && c.verdict.Due {
		c.reason = c.verdict.Reason
	}
	if c.reason == schedule.ReasonNone && s.observed.Stale {
		c.reason = schedule.ReasonChanged
	}
	user := s.userReason() != schedule.ReasonNone
	c.lost = s.observed.Taken != nil && s.want.at.Entry() == s.have.at.Entry() || s.observed.Elsewhere && !user
	if c.lost {
		return change{lost: true, verdict: schedule.Verdict{Reason: c.verdict.Reason}}
	}
	c.rotate = c.reason != schedule.ReasonNone
	c.refuse = (c.reason == schedule.ReasonRevoked || c.reason == schedule.ReasonNotFound) && s.want.policy.OnRevoked == schedule.OnRevokedError
	c.retire = s.ripe() || s.observed.Strays > 0
	c.repair = s.observed.Repair
	c.reschedule = c.repair || s.want.schedule != s.have.schedule
	c.republishes = s.formerKeyRipe() || c.reschedule || s.claim
	return c
}

// userReason returns the reason why the configuration requests a new token, or
// [schedule.ReasonNone].
func (s situation) userReason() schedule.Reason {
	w, h := s.want, s.have
	switch {
	case s.claim && w.triggers != h.triggers && w.label == h.label && w.at == h.at && w.sameExpiry(h):
		return schedule.ReasonNone // the mirror does not contain the record's triggers
	case s.imported && s.observed.Unhealthy == schedule.ReasonImported:
		return schedule.ReasonImported
	case s.imported && w.label != h.label:
		return schedule.ReasonName
	case s.imported:
		return schedule.ReasonNone
	case w.at != h.at, w.settings.Format != h.settings.Format:
		return schedule.ReasonMoved
	case w.label != h.label:
		return schedule.ReasonName
	case !w.sameExpiry(h):
		return schedule.ReasonExpiry
	case w.incident != h.incident && w.incident != "" && !s.claim:
		return schedule.ReasonIncident
	case w.triggers != h.triggers:
		return schedule.ReasonTriggers
	}
	return schedule.ReasonNone
}

// sameExpiry reports whether both request the same lifetime.
func (d desired) sameExpiry(other desired) bool {
	a, b := d.policy, other.policy
	return a.Lifetime == b.Lifetime && a.Never == b.Never && a.ExpiresAt.Equal(b.ExpiresAt)
}

// ripe reports whether the overlap of a previous token or a former entry is over, and
// nothing holds its revocation back.
func (s situation) ripe() bool {
	for _, p := range s.previous {
		if after := timeOf(p.RevokeAfter); !after.IsZero() && !s.observed.Revoke.Before(after) && !s.observed.Held {
			return true
		}
	}
	return len(s.ripeFormer(s.observed.Revoke)) > 0
}

// ripeFormer returns the former entries whose overlap is over.
func (s situation) ripeFormer(now time.Time) []formerEntry {
	var ripe []formerEntry
	for _, f := range s.former {
		if !now.Before(f.Token.RevokeAfter) {
			ripe = append(ripe, f)
		}
	}
	return ripe
}

// formerKeyRipe reports whether the data field of a former key must be removed.
func (s situation) formerKeyRipe() bool {
	for _, f := range s.ripeFormer(s.observed.Revoke) {
		if f.At.Entry() == s.want.at.Entry() {
			return true
		}
	}
	return false
}

// keepComputed copies every computed attribute from the prior state, because the framework
// marks all of them as unknown when anything differs.
func (m *apiTokenModel) keepComputed(state apiTokenModel) {
	m.ID, m.TokenID, m.TokenName, m.CreatedAt = state.ID, state.TokenID, state.TokenName, state.CreatedAt
	m.Status, m.RotateAt, m.RotationReason = state.Status, state.RotateAt, state.RotationReason
	m.SecretVersion, m.PreviousTokens = state.SecretVersion, state.PreviousTokens
	if m.ExpiresAt.IsUnknown() {
		m.ExpiresAt = state.ExpiresAt
	}
}

// show writes a change into the plan: the attributes that it affects become unknown, and
// the reason is known.
func (m *apiTokenModel) show(c change, config apiTokenModel) {
	if c.rotate {
		m.TokenID, m.TokenName, m.CreatedAt = types.StringUnknown(), types.StringUnknown(), types.StringUnknown()
		m.Status, m.RotateAt = types.StringUnknown(), types.StringUnknown()
		m.RotationReason = types.StringValue(string(c.reason))
		m.SecretVersion = types.Int64Unknown()
		if config.ExpiresAt.IsNull() {
			m.ExpiresAt = types.StringUnknown()
		}
	} else if next := c.verdict.Next; c.verdict.Reason == schedule.ReasonNone {
		m.RotateAt = timeValue(next)
	}
	if c.repair {
		m.RotateAt = types.StringUnknown() // otherwise there would be no difference, and no update
	}
	if c.republishes || c.lost {
		m.SecretVersion = types.Int64Unknown()
	}
	if c.rotate || c.retire || (c.reschedule && len(m.PreviousTokens.Elements()) > 0) {
		m.PreviousTokens = types.ListUnknown(previousTokenType)
	}
}

// unknownAll marks everything as unknown that depends on an unknown configuration.
func (m *apiTokenModel) unknownAll(config apiTokenModel) {
	m.show(change{rotate: true, retire: true}, config)
	m.RotationReason = types.StringUnknown()
}

// newSituation collects what planChange needs from the models.
func newSituation(ctx context.Context, plan, state apiTokenModel, seen observed, former []formerEntry, from imports) (situation, error) {
	s := situation{observed: seen.or(state), former: former, claim: from.Claim, imported: !state.hasPlace(), previous: state.previous(ctx)}
	var err error
	if s.want, err = first(plan.desired(ctx)); err != nil {
		return s, err
	}
	if s.have, err = first(state.desired(ctx)); err != nil {
		return s, err
	}
	s.facts = schedule.Facts{CreatedAt: timeOf(state.CreatedAt), ExpiresAt: timeOf(state.ExpiresAt)}
	if s.claim {
		s.facts.ExpiresAt = from.ExpiresAt
	}
	if name, ok := rotation.ParseName(state.TokenName.ValueString()); ok {
		s.facts.Slot = name.Slot
	}
	s.revoked = state.Status.ValueString() == "revoked"
	return s, nil
}
