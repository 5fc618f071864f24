package rotation

import (
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
)

// with is the observation after our own record was published.
func (o observation) with(record entry.Record, version int, current paistrike.Token) observation {
	record.Key = o.at.Key
	o.kind, o.current, o.retiring = kindOurs, current, record.Retiring
	o.entry.Version, o.entry.Condition, o.entry.Record = version, entry.Live, &record
	return o
}

// record is what is published for a minted token.
func (o observation) record(r Request, m mint, adopt []paistrike.Token) entry.Record {
	record := entry.Record{
		State: entry.StateActive, Secret: m.Secret, TokenID: m.ID, TokenName: m.Token.Name,
		CreatedAt: m.CreatedAt, ExpiresAt: m.ExpiresAt,
		Slot: o.slot, Inc: m.name.Inc, Base: o.version(), Op: m.name.Nonce,
		Owner: r.Owner, Intent: r.intent(),
		VerifiedAt: o.clock.PAIStrike.UTC().Truncate(time.Second),
		Retiring:   retiringAfter(o, adopt, r.Policy.Overlap),
	}
	if record.CreatedAt.IsZero() {
		record.CreatedAt = record.VerifiedAt
	}
	record.Alias = o.alias()
	return record
}

// alias is a former data field that carries the new token too, so that consumers of
// that field lose nothing until the overlap is over.
func (o observation) alias() string {
	if !o.active() {
		return ""
	}
	old := o.entry.Record
	switch {
	case old.Key != o.at.Key:
		return old.Key
	case len(unripe(o)) > 0:
		return old.Alias
	}
	return ""
}
