package rotation_test

import (
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
)

// goBack makes an older version current: by a new version with its content, or by moving
// the label. A person cannot make a token work again that is revoked, or was about to be.
func (x *execution) goBack(number int) {
	old := x.world.cells[number-1].record
	token, until := x.world.token(old.TokenID), x.world.safe[old.TokenID]
	if token == nil || token.Status == paistrike.StatusRevoked || (!until.IsZero() && !x.world.now.Before(until)) {
		x.world.broken[old.TokenID] = true
	}
	if !x.world.opaque {
		x.world.put(old)
		return
	}
	for id, until := range x.world.safe {
		if until.IsZero() {
			x.world.safe[id] = x.world.now.Add(day)
		}
	}
	x.world.from, x.world.at = x.world.revision(), number
	x.world.safe[old.TokenID] = time.Time{}
}

// forgeries returns what someone with access to metadata alone could write.
func forgeries(w *smallWorld) []choice {
	say := func(change func(*entry.Mirror)) func() {
		return func() {
			mirror, err := entry.DecodeMirror(w.custom)
			if err != nil {
				mirror = entry.MirrorOf(*w.top(), w.revision(), nil, time.Time{})
			}
			change(&mirror)
			w.describe(mirror)
		}
	}
	return []choice{
		{"a victim is retiring", say(func(m *entry.Mirror) {
			m.Retiring = []entry.RetiringRef{{ID: w.victims[0], RevokeAfter: firstDay}}
		})},
		{"a life without an end and no overlap", say(func(m *entry.Mirror) { m.Schedule.ExpiresIn, m.Schedule.Overlap = "never", "1s" })},
		{"a tombstone", say(func(m *entry.Mirror) { m.State = entry.StateTombstone })},
		{"another owner", say(func(m *entry.Mirror) { m.Owner = "resource-2" })},
		{"nothing", func() { w.custom = map[string]string{} }},
	}
}
