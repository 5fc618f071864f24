package provider

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

// situation is all that the plan of an update rests on: configuration, prior state,
// and what the last refresh observed. No clock, no call.
type situation struct {
	want, have desired
	imported   bool // the state has no Vault entry yet
	facts      schedule.Facts
	revoked    bool
	previous   []previousTokenModel
	observed   observed
	former     []formerEntry
}

// change is what an update will do.
type change struct {
	rotate bool // mint a new token
	reason schedule.Reason
	retire bool // revoke old tokens whose overlap is over, and strays
	// reschedule writes the schedule into custom metadata, which may retire as well;
	// mend does so because somebody changed it there.
	reschedule, mend bool
	// republishes says that the Vault version moves without a new token.
	republishes bool
	verdict     schedule.Verdict
	refuse      bool // the token was revoked elsewhere and must not be replaced
}

func (c change) any() bool { return c.rotate || c.retire || c.reschedule }

// planChange decides. Reasons that the user gave come first, then the state of
// token and entry, then the time.
func planChange(s situation) change {
	var c change
	facts := s.facts
	facts.Unhealthy = s.observed.Unhealthy
	if facts.Unhealthy == schedule.ReasonNone && s.revoked && s.want.policy.OnRevoked != schedule.OnRevokedIgnore {
		facts.Unhealthy = schedule.ReasonRevoked
	}
	c.verdict = schedule.Evaluate(s.observed.Rotate, facts, s.want.policy)
	c.reason = s.userReason()
	if c.reason == schedule.ReasonNone && c.verdict.Due {
		c.reason = c.verdict.Reason
	}
	if c.reason == schedule.ReasonNone && s.observed.Stale {
		c.reason = schedule.ReasonChanged
	}
	c.rotate = c.reason != schedule.ReasonNone
	c.refuse = c.reason == schedule.ReasonRevoked && s.want.policy.OnRevoked == schedule.OnRevokedError
	c.retire = s.ripe() || s.observed.Strays > 0
	c.republishes = s.formerKeyRipe()
	c.mend = s.observed.Mend
	c.reschedule = c.mend || s.want.schedule != s.have.schedule
	return c
}

// userReason is why the configuration asks for a new token.
func (s situation) userReason() schedule.Reason {
	w, h := s.want, s.have
	switch {
	case s.imported && s.observed.Unhealthy == schedule.ReasonImported:
		return schedule.ReasonImported
	case s.imported && w.label != h.label:
		return schedule.ReasonName
	case s.imported:
		return schedule.ReasonNone
	case w.at != h.at:
		return schedule.ReasonMoved
	case w.label != h.label:
		return schedule.ReasonName
	case w.policy.Lifetime != h.policy.Lifetime || w.policy.Never != h.policy.Never || !w.policy.ExpiresAt.Equal(h.policy.ExpiresAt):
		return schedule.ReasonExpiry
	case w.triggers != h.triggers:
		return schedule.ReasonTriggers
	}
	return schedule.ReasonNone
}

// ripe reports a previous token whose overlap is over, and that nobody holds back.
func (s situation) ripe() bool {
	for _, p := range s.previous {
		if after := timeOf(p.RevokeAfter); !after.IsZero() && !s.observed.Revoke.Before(after) && !s.observed.Held {
			return true
		}
	}
	return len(s.ripeFormer(s.observed.Revoke)) > 0
}

// ripeFormer gives the entries moved away from whose overlap is over.
func (s situation) ripeFormer(now time.Time) []formerEntry {
	var ripe []formerEntry
	for _, f := range s.former {
		if !now.Before(f.Token.RevokeAfter) {
			ripe = append(ripe, f)
		}
	}
	return ripe
}

// formerKeyRipe reports that the data field of a former key shall go.
func (s situation) formerKeyRipe() bool {
	for _, f := range s.ripeFormer(s.observed.Revoke) {
		if sameEntry(f.At, s.want.at) {
			return true
		}
	}
	return false
}

// sameEntry reports that two locations differ in the key at most.
func sameEntry(a, b entry.Location) bool {
	a.Key, b.Key = "", ""
	return a == b
}

// keepComputed copies every computed attribute from the prior state: the framework
// has marked them all unknown because something differs.
func (m *apiTokenModel) keepComputed(state apiTokenModel) {
	m.ID, m.TokenID, m.TokenName, m.CreatedAt = state.ID, state.TokenID, state.TokenName, state.CreatedAt
	m.Status, m.RotateAt, m.RotationReason = state.Status, state.RotateAt, state.RotationReason
	m.VaultVersion, m.PreviousTokens = state.VaultVersion, state.PreviousTokens
	if m.ExpiresAt.IsUnknown() {
		m.ExpiresAt = state.ExpiresAt
	}
}

// show writes a change into the plan: exactly the attributes that it touches become
// unknown, and the reason is known.
func (m *apiTokenModel) show(c change, config apiTokenModel) {
	if c.rotate {
		m.TokenID, m.TokenName, m.CreatedAt = types.StringUnknown(), types.StringUnknown(), types.StringUnknown()
		m.Status, m.RotateAt = types.StringUnknown(), types.StringUnknown()
		m.RotationReason = types.StringValue(string(c.reason))
		m.VaultVersion = types.Int64Unknown()
		if config.ExpiresAt.IsNull() {
			m.ExpiresAt = types.StringUnknown()
		}
	} else if next := c.verdict.Next; c.verdict.Reason == schedule.ReasonNone {
		m.RotateAt = timeValue(next)
	}
	if c.mend {
		m.RotateAt = types.StringUnknown() // or there would be nothing to see, and no update
	}
	if c.republishes {
		m.VaultVersion = types.Int64Unknown()
	}
	if c.rotate || c.retire || (c.reschedule && len(m.PreviousTokens.Elements()) > 0) {
		m.PreviousTokens = types.ListUnknown(previousTokenType)
	}
}

// unknownAll marks everything that is not known before the configuration is.
func (m *apiTokenModel) unknownAll(config apiTokenModel) {
	m.show(change{rotate: true, retire: true}, config)
	m.RotationReason = types.StringUnknown()
}

// situation gathers what planChange needs from the models.
func newSituation(ctx context.Context, plan, state apiTokenModel, seen observed, former []formerEntry) (situation, error) {
	s := situation{observed: seen, former: former, imported: state.Vault.IsNull(), previous: state.previous(ctx)}
	var err error
	if s.want, err = first(plan.desired(ctx)); err != nil {
		return s, err
	}
	if s.have, err = first(state.desired(ctx)); err != nil {
		return s, err
	}
	s.facts = schedule.Facts{CreatedAt: timeOf(state.CreatedAt), ExpiresAt: timeOf(state.ExpiresAt)}
	if name, ok := rotation.ParseName(state.TokenName.ValueString()); ok {
		s.facts.Slot = name.Slot
	}
	s.revoked = state.Status.ValueString() == "revoked"
	return s, nil
}
