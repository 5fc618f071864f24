package rotation_test

import (
	"context"
	"errors"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

// calm checks I6: runs without faults repair everything and leave nothing behind. What
// consumers need is repaired at once; the rest takes an adoption by the next rotation, a
// day for its overlap, and a day for what was in flight.
func (c *chaos) calm() {
	for len(c.pending) > 0 {
		c.lands()
	}
	c.note("from here on nothing goes wrong")
	for _, after := range []time.Duration{0, 31 * day, 25 * time.Hour, 25 * time.Hour} {
		c.paistrike.Clock().Advance(after)
		if err := c.cleanly(false); err != nil {
			c.violate("I6: the clean run failed: %v", err)
			return
		}
	}
	record := c.serving()
	if record == nil || !c.accepts(record.Secret) {
		c.violate("I1: the entry serves no working token in the end")
		return
	}
	for _, token := range c.live() {
		if token.ID != record.TokenID {
			c.violate("I3: token %s is left over in the end", token.ID)
		}
	}
	if record.Schedule != c.request(0, "").Schedule {
		c.violate("I7: the schedule of the record comes from metadata: %+v", record.Schedule)
	}
	c.described(record)
	for _, token := range c.paistrike.Tokens() {
		if !c.named(token) && token.Status != string(paistrike.StatusActive) {
			c.violate("I7: token %s (%q) is revoked, which is not of this entry", token.ID, token.Name)
		}
	}
}

// cleanly runs without faults as the owner of the entry. It uses the user's consent for
// what only a person can know: another store seems to be in use, nothing shows who owns a
// closed entry, or the token was revoked so long ago that the account may be a different
// one.
func (c *chaos) cleanly(consent bool) error {
	request := c.request(rotation.IfDue, schedule.ReasonNone)
	request.MayRepublish, request.Adopt = true, consent
	record := c.serving()
	switch {
	case record == nil:
		request.Wish, request.Reason = rotation.Rotate, schedule.ReasonCreated
	case consent:
		request.Wish, request.Reason, request.Owner = rotation.Rotate, schedule.ReasonTriggers, record.Owner
	case record.Owner != "":
		request.Owner = record.Owner
	}
	result, err := c.engine(roundTripper(c.deliver)).Run(context.Background(), request)
	c.note("clean run: rotated %t (%s), %v", result.Rotated, result.Reason, err)
	if failure, ok := errors.AsType[*rotation.Error](err); ok && !consent {
		unknown := record != nil && c.broken[record.TokenID]
		if failure.Code == "PS215" || failure.Code == "PS208" && record == nil || failure.Code == "PS112" && unknown {
			return c.cleanly(true)
		}
	}
	c.believed(append(result.Retired, result.Swept...), result.Notes, err)
	return err
}

// described checks that metadata agrees with the record.
func (c *chaos) described(record *entry.Record) {
	seen, err := c.backend.open(c.world, c.world.wire()).Look(context.Background(), c.at)
	mirror := seen.Mirror
	if err != nil || !seen.Managed || seen.Problem != nil || mirror.State != entry.StateActive || mirror.Of != record.Gen || mirror.TokenID != record.TokenID ||
		mirror.Owner != record.Owner || mirror.Schedule != record.Schedule {
		c.violate("I6: metadata describes something else in the end: %+v, %v, %v", mirror, seen.Problem, err)
	}
}
