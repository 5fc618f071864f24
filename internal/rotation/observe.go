package rotation

import (
	"context"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/vault"
)

// kind says whose the current version of an entry is.
type kind int

const (
	kindVacant  kind = iota // nothing there, or our own tombstone: free to publish on
	kindOurs                // a readable record of this entry
	kindBroken              // our entry, but its current version is deleted, destroyed or overwritten
	kindForeign             // somebody else's
)

// observation is everything a decision rests on, read before anything is done.
type observation struct {
	at    entry.Location
	slot  string
	mount vault.Mount
	meta  vault.Metadata
	entry vault.Entry
	kind  kind
	clock schedule.Clock

	// tokens are the tokens named for this slot, whatever their state.
	tokens []paistrike.Token
	// current is the token that the record names; zero without a record.
	current paistrike.Token
	// retiring is the record's list without tokens that have ended.
	retiring []entry.Retiring
}

func (o observation) version() int { return o.entry.Version }

// active reports whether the entry serves a token.
func (o observation) active() bool {
	return o.kind == kindOurs && o.entry.Record.State == entry.StateActive
}

// trusted reports whether the protocol itself wrote the current version. A human
// rollback, undelete or restore proves nothing about the tokens it names.
func (o observation) trusted() bool {
	return o.kind == kindOurs && o.entry.Record.Base+1 == o.version() && !o.restored()
}

// restored reports tokens minted for versions that Vault does not have yet: its
// history was set back.
func (o observation) restored() bool {
	for _, token := range o.tokens {
		name, ok := ParseName(token.Name)
		if ok && name.Base > o.version() && token.Usable(o.clock.PAIStrike) && o.kind == kindOurs && name.Inc == o.entry.Record.Inc {
			return true
		}
	}
	return false
}

// observe reads the entry, the token list and both clocks. It writes nothing.
func (e *Engine) observe(ctx context.Context, at entry.Location) (observation, error) {
	o := observation{at: at}
	if err := e.load(ctx); err != nil {
		return o, listFailed(err)
	}
	var err error
	if o.mount, err = e.store.Mount(ctx, at.Namespace, at.Mount); err != nil {
		return o, vaultFailed(at, err)
	}
	if o.mount.KVVersion != 2 {
		return o, notVersioned(at)
	}
	o.slot = Slot(o.mount.UUID, at.Namespace, at.Path)
	var known bool
	if o.meta, known = e.glances.take(at); !known {
		if o.meta, err = e.store.Metadata(ctx, at); err != nil {
			return o, vaultFailed(at, err)
		}
	}
	o.entry = vault.Entry{Version: o.meta.CurrentVersion, Condition: o.meta.Condition, Mirror: o.meta.Mirror, Managed: o.meta.Managed}
	if o.meta.Condition == entry.Live {
		if o.entry, err = e.store.Read(ctx, at, 0); err != nil {
			return o, vaultFailed(at, err)
		}
	}
	if o.clock, err = e.clock(ctx); err != nil {
		return o, clockFailed(at, err)
	}
	o.tokens = e.inventory.slot(o.slot)
	o.kind = classify(o.entry, o.slot)
	return o, e.resolveTokens(ctx, &o)
}

// resolveTokens looks up the tokens that the record names.
func (e *Engine) resolveTokens(ctx context.Context, o *observation) error {
	if o.kind != kindOurs {
		return nil
	}
	var err error
	if o.active() {
		if o.current, err = e.lookup(ctx, o.entry.Record.TokenID); err != nil {
			return listFailed(err)
		}
	}
	for _, r := range o.entry.Record.Retiring {
		token, err := e.lookup(ctx, r.ID)
		if err != nil {
			return listFailed(err)
		}
		if token.Usable(o.clock.PAIStrike) {
			o.retiring = append(o.retiring, r)
		}
	}
	return nil
}

// clock asks both servers. Vault's answer is a second opinion: where its health
// page is closed, PAIStrike's clock stands alone. A PAIStrike whose answers carry no
// date leaves Vault's; with neither there is no time to decide by.
func (e *Engine) clock(ctx context.Context) (schedule.Clock, error) {
	var c schedule.Clock
	c.PAIStrike, _ = e.tokens.ServerTime()
	there, err := e.store.ServerTime(ctx)
	switch {
	case vault.IsSealed(err):
		return c, err
	case err == nil:
		c.Vault = there
	}
	if c.PAIStrike.IsZero() {
		c.PAIStrike = c.Vault
	}
	if c.PAIStrike.IsZero() {
		return c, timeless()
	}
	return c, ctx.Err()
}

// classify says whose the current version is. Data is the truth; custom metadata
// counts only where the data cannot be read or is not a record.
func classify(found vault.Entry, slot string) kind {
	ours := found.Managed && found.Mirror.Slot == slot
	switch {
	case found.Version == 0:
		return kindVacant
	case found.Record != nil && found.Record.Slot != slot:
		return kindForeign // a copy of another entry's record: its tokens are not ours to touch
	case found.Record != nil && found.Record.State == entry.StateTombstone:
		return kindVacant
	case found.Record != nil:
		return kindOurs
	case found.Condition != entry.Live && ours && found.Mirror.State == entry.StateTombstone && found.Mirror.Of == found.Version:
		return kindVacant
	case ours:
		return kindBroken
	default:
		return kindForeign
	}
}

// claimGrace is how long after its creation a token may have been used by the run
// that minted and verified it. A later use is a consumer's.
const claimGrace = 5 * time.Minute

// Unclaimed reports that nobody but the run that minted a token has used it: to be
// verified counts as no use.
func Unclaimed(token paistrike.Token) bool { return unclaimed(token) }

// unclaimed reports that nobody but the run that minted it has used the token.
func unclaimed(token paistrike.Token) bool {
	return !token.LastUsedAt.After(token.CreatedAt.Add(claimGrace))
}
