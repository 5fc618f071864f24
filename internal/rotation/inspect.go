package rotation

import (
	"context"
	"errors"
	"slices"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/vault"
)

// View is what a plan may know of an entry: custom metadata and PAIStrike's list.
// It needs no right to read the secret, and nothing is written to get it.
type View struct {
	Slot    string
	Version int
	Mirror  entry.Mirror
	Custom  map[string]string
	Clock   schedule.Clock
	// Unhealthy says why the entry cannot serve its token, as far as metadata
	// shows.
	Unhealthy schedule.Reason
	// Stale says that custom metadata does not describe the current version, so
	// that a run must read the record to know.
	Stale bool
	// Foreign says that the entry belongs to somebody else.
	Foreign bool
	// Problem says why custom metadata that calls the entry ours cannot be read: a
	// [*entry.MirrorError] or a [*entry.SchemaError].
	Problem error
	// Token is the token that the mirror names; zero where it names none.
	Token    paistrike.Token
	Retiring []entry.Retiring // those that still work
	// Strays counts live tokens of the slot that nothing names and that were minted
	// for an older version.
	Strays int

	used map[string]paistrike.Token // the retiring tokens, with their last use
}

// Inspect looks at an entry for a plan: one read of metadata, beside what the run
// shares (the token list, the mount, Vault's clock).
func (e *Engine) Inspect(ctx context.Context, at entry.Location) (View, error) {
	if err := e.load(ctx); err != nil {
		return View{}, listFailed(err)
	}
	mount, err := e.store.Mount(ctx, at.Namespace, at.Mount)
	if err != nil {
		return View{}, vaultFailed(at, err)
	}
	if mount.KVVersion != 2 {
		return View{}, notVersioned(at)
	}
	meta, err := e.store.Metadata(ctx, at)
	if err != nil {
		return View{}, vaultFailed(at, err)
	}
	e.glances.leave(at, meta)
	v := View{Slot: Slot(mount.UUID, at.Namespace, at.Path), Version: meta.CurrentVersion, Mirror: meta.Mirror, Custom: meta.Custom, Problem: meta.MirrorProblem}
	if v.Clock, err = e.clock(ctx); err != nil {
		return View{}, clockFailed(at, err)
	}
	v.judge(meta, e.mintedFor(v.Slot, meta.CurrentVersion))
	return v, e.resolveView(ctx, &v)
}

// mintedFor reports that a token was minted to be this version of a slot.
func (e *Engine) mintedFor(slot string, version int) bool {
	return slices.ContainsFunc(e.inventory.slot(slot), func(token paistrike.Token) bool {
		name, ok := ParseName(token.Name)
		return ok && name.Base+1 == version
	})
}

// judge says from metadata alone how the entry is. A first run that ended between
// publication and mirror leaves an entry without a mark of ours; that a token was
// minted for its version tells it from somebody else's, and the run that reads the
// record has the last word.
func (v *View) judge(meta vault.Metadata, minted bool) {
	ours := meta.Managed && meta.Mirror.Slot == v.Slot
	switch {
	case meta.CurrentVersion == 0:
		v.Unhealthy = schedule.ReasonGone
	case !meta.Managed && minted && meta.Condition == entry.Live:
		v.Stale = true
	case meta.Condition == entry.Live && unreadable(meta.MirrorProblem):
		v.Stale = true // somebody changed it by hand, and the record is the truth
	case !ours:
		v.Foreign, v.Unhealthy = true, schedule.ReasonChanged
	case meta.Mirror.State == entry.StateTombstone && meta.Mirror.Of == meta.CurrentVersion:
		v.Unhealthy = schedule.ReasonGone
	case meta.Condition != entry.Live:
		v.Unhealthy = schedule.ReasonDeleted
	case meta.Mirror.Of != meta.CurrentVersion:
		v.Stale = true
	}
}

func unreadable(problem error) bool {
	_, ok := errors.AsType[*entry.MirrorError](problem)
	return ok
}

// resolveView looks up the tokens that the mirror names.
func (e *Engine) resolveView(ctx context.Context, v *View) error {
	if v.Foreign || v.Mirror.TokenID == "" {
		return nil
	}
	var err error
	if v.Token, err = e.lookup(ctx, v.Mirror.TokenID); err != nil {
		return listFailed(err)
	}
	v.used = map[string]paistrike.Token{}
	named := map[string]bool{v.Mirror.TokenID: true}
	for _, ref := range v.Mirror.Retiring {
		named[ref.ID] = true
		token, err := e.lookup(ctx, ref.ID)
		if err != nil {
			return listFailed(err)
		}
		if token.Usable(v.Clock.PAIStrike) {
			v.used[ref.ID] = token
			v.Retiring = append(v.Retiring, entry.Retiring{ID: ref.ID, Name: token.Name, RevokeAfter: ref.RevokeAfter, ExpiresAt: token.ExpiresAt})
		}
	}
	current, ok := ParseName(v.Mirror.TokenName)
	for _, token := range e.inventory.slot(v.Slot) {
		name, _ := ParseName(token.Name)
		older := ok && !v.Stale && name.Inc == current.Inc && name.Base < v.Version && current.Base+1 == v.Version
		if older && !named[token.ID] && unclaimed(token) && token.Usable(v.Clock.PAIStrike) {
			v.Strays++
		}
	}
	return nil
}

// Ripe counts the retiring tokens whose overlap is over and that a run with this
// policy would revoke.
func (v View) Ripe(p schedule.Policy) int {
	if !v.Clock.Trusted() {
		return 0
	}
	count := 0
	for _, r := range v.Retiring {
		if !v.Clock.Revoke().Before(r.RevokeAfter) && !holds(p, v.used[r.ID], r, v.Clock) {
			count++
		}
	}
	return count
}

// Token looks a token up by id; a token that is nowhere has status revoked.
func (e *Engine) Token(ctx context.Context, id string) (paistrike.Token, schedule.Clock, error) {
	if err := e.load(ctx); err != nil {
		return paistrike.Token{}, schedule.Clock{}, listFailed(err)
	}
	token, err := e.lookup(ctx, id)
	if err != nil {
		return token, schedule.Clock{}, listFailed(err)
	}
	now, _ := e.tokens.ServerTime()
	return token, schedule.Clock{PAIStrike: now}, nil
}

// Unschedule takes the schedule out of an entry's custom metadata, so that no
// scheduled run replaces the token of an entry that is being given up.
func (e *Engine) Unschedule(ctx context.Context, at entry.Location) error {
	if err := e.store.Patch(ctx, at, entry.WithoutSchedule()); err != nil {
		return vaultFailed(at, err)
	}
	return nil
}

// MayPublish refuses an entry that belongs to somebody else: a foreign secret, or
// the token of another label.
func (v View) MayPublish(at entry.Location, label string, adopt bool) error {
	if adopt {
		return nil
	}
	o := observation{at: at, kind: kindForeign, entry: vault.Entry{Version: v.Version}}
	if v.Foreign {
		return foreignEntry(o)
	}
	name, ok := ParseName(v.Mirror.TokenName)
	if v.Unhealthy == schedule.ReasonNone && v.Mirror.TokenID != "" && (!ok || name.Label != label) {
		o.entry.Record = &entry.Record{TokenID: v.Mirror.TokenID, TokenName: v.Mirror.TokenName}
		return otherOwner(o, label)
	}
	return nil
}

// Verdict is what [Evaluate] says of the entry, as far as metadata and the token list
// show.
func (v View) Verdict(p schedule.Policy) schedule.Verdict {
	f := schedule.Facts{Unhealthy: v.Unhealthy, CreatedAt: v.Mirror.CreatedAt, ExpiresAt: v.Mirror.ExpiresAt, Slot: v.Slot}
	if f.Unhealthy == schedule.ReasonNone && v.Token.Status == paistrike.StatusRevoked && p.OnRevoked != schedule.OnRevokedIgnore {
		f.Unhealthy = schedule.ReasonRevoked
	}
	return schedule.Evaluate(v.Clock.Rotate(), f, p)
}
