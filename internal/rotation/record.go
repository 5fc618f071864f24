package rotation

import (
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
)

// with returns the observation as it is after our own record was published.
func (o observation) with(record entry.Record, revision entry.Revision, current paistrike.Token) observation {
	record.Key = o.At.Key
	o.kind, o.current, o.retiring = kindOurs, current, record.Retiring
	o.version = entry.Version{Revision: revision, Follows: o.Revision, Condition: entry.Live, Record: &record}
	o.Revision, o.Follows, o.Condition = revision, o.Revision, entry.Live
	o.Account = AccountKnown
	return o
}

// minted returns the record to publish for a minted token.
func (e *Engine) minted(o observation, r Request, m mint, adopt []paistrike.Token) entry.Record {
	record := entry.Record{
		State: entry.StateActive, Secret: m.Secret, TokenID: m.ID, TokenName: m.Token.Name,
		CreatedAt: m.CreatedAt, ExpiresAt: m.ExpiresAt,
		Slot: o.Slot(), Inc: m.name.Inc, Gen: m.name.Gen, Base: o.Revision, Op: m.name.Nonce,
		Owner: r.Owner, Intent: r.intent(), Identity: o.Identity, Endpoint: e.tokens.Endpoint(), Schedule: r.Schedule,
		VerifiedAt: o.Clock.Now().UTC().Truncate(time.Second),
		Retiring:   retiringAfter(o, adopt, r.Policy.Overlap),
		Alias:      o.alias(),
	}
	if record.CreatedAt.IsZero() {
		record.CreatedAt = record.VerifiedAt
	}
	return record
}

// alias returns a former data field that also receives the new token, so that consumers of
// that field keep working until the overlap is over.
func (o observation) alias() string {
	if !o.active() {
		return ""
	}
	old := o.record()
	switch {
	case old.Key != o.At.Key:
		return old.Key
	case len(unripe(o)) > 0:
		return old.Alias
	}
	return ""
}
