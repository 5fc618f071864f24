package rotation

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

// Sight is an entry as it can be seen without its secret: metadata, PAIStrike's list and
// the clocks. A plan is based on it, and [Engine.Run] accepts it as its first observation.
type Sight struct {
	At entry.Location
	entry.Glance
	Clock schedule.Clock
	// Tokens are the tokens whose names contain this entry's slot, in any state.
	Tokens []paistrike.Token
	// Current is the token that the mirror names, or zero if it names none.
	Current paistrike.Token
	// Account states whether the entry belongs to the PAIStrike account in use.
	Account Account
	// Retiring lists the replaced tokens that still work.
	Retiring []entry.Retiring

	listed map[string]paistrike.Token // the tokens that the mirror names
	turn   int                        // the turn of the entry's lock at the time of the look
}

// Look looks at an entry without reading its secret: one read of metadata, in addition to
// what the run shares (the token list, the store's clock). It writes nothing.
func (e *Engine) Look(ctx context.Context, at entry.Location) (Sight, error) {
	turn := e.entries.turn(at)
	var glance entry.Glance
	var there time.Time
	err := e.gather(ctx,
		func(ctx context.Context) error {
			if err := e.load(ctx); err != nil {
				return listFailed(err)
			}
			return nil
		},
		func(ctx context.Context) (err error) {
			if glance, err = e.store.Look(ctx, at); err != nil {
				return storeFailed(at, err)
			}
			return nil
		},
		func(ctx context.Context) (err error) {
			if there, err = e.storeTime(ctx); err != nil {
				return storeFailed(at, err)
			}
			return nil
		},
	)
	if err != nil {
		return Sight{At: at}, err
	}
	return e.sight(ctx, at, glance, turn, there)
}

// Hearsay is a store whose list calls describe many entries at once. Their answers may be
// minutes old.
type Hearsay interface {
	// Listed returns what the last list showed of an entry, and false if it showed
	// nothing.
	Listed(ctx context.Context, at entry.Location) (entry.Glance, bool, error)
}

// Glimpse returns an entry as the store's last list showed it, and false if it showed
// nothing. The list may be out of date, so a Glimpse can only establish that an entry
// needs no work.
func (e *Engine) Glimpse(ctx context.Context, at entry.Location) (Sight, bool, error) {
	store, ok := e.store.(Hearsay)
	if !ok {
		return Sight{}, false, nil
	}
	turn := e.entries.turn(at)
	if err := e.load(ctx); err != nil {
		return Sight{At: at}, false, listFailed(err)
	}
	glance, ok, err := store.Listed(ctx, at)
	if !ok || err != nil {
		return Sight{At: at}, false, err
	}
	there, err := e.storeTime(ctx)
	if err != nil {
		return Sight{At: at}, false, storeFailed(at, err)
	}
	s, err := e.sight(ctx, at, glance, turn, there)
	return s, err == nil, err
}

// sight adds the tokens and the clocks to what a store reports about an entry.
func (e *Engine) sight(ctx context.Context, at entry.Location, glance entry.Glance, turn int, there time.Time) (Sight, error) {
	s := Sight{At: at, Glance: glance, turn: turn}
	var err error
	if s.Clock, err = e.clock(there); err != nil {
		return s, storeFailed(at, err)
	}
	s.Tokens = e.inventory.named(s.Slots)
	return s, e.resolve(ctx, &s)
}

// resolve looks up the tokens that the mirror names.
func (e *Engine) resolve(ctx context.Context, s *Sight) error {
	s.listed = map[string]paistrike.Token{}
	if s.Foreign() || s.Mirror.TokenID == "" {
		return nil
	}
	for _, id := range s.namedInMirror() {
		token, err := e.lookup(ctx, id)
		if err != nil {
			return listFailed(err)
		}
		s.listed[id] = token
	}
	s.Current = s.listed[s.Mirror.TokenID]
	s.Account = accountOf(s.Current, s.Tokens, s.Mirror.ExpiresAt, s.Clock, e.tokens)
	for _, ref := range s.Mirror.Retiring {
		if token := s.listed[ref.ID]; stillRetiring(token, token.ExpiresAt, ref.RevokeAfter, s.Clock) {
			s.Retiring = append(s.Retiring, entry.Retiring{ID: ref.ID, Name: token.Name, RevokeAfter: ref.RevokeAfter, ExpiresAt: token.ExpiresAt})
		}
	}
	return nil
}

func (s *Sight) namedInMirror() []string {
	ids := []string{s.Mirror.TokenID}
	for _, ref := range s.Mirror.Retiring {
		ids = append(ids, ref.ID)
	}
	return ids
}

// clock returns the three clocks. The store's time has been read already, and is zero if it
// is unknown. If neither server's clock is known, clock returns an error.
func (e *Engine) clock(there time.Time) (schedule.Clock, error) {
	c := schedule.Clock{Machine: e.now(), Store: there}
	c.PAIStrike, _ = e.tokens.ServerTime()
	if c.IsZero() {
		return c, timeless()
	}
	return c, nil
}

// storeTime asks the store for its clock. It returns the zero time if the store refuses,
// because the other clocks may be sufficient.
func (e *Engine) storeTime(ctx context.Context) (time.Time, error) {
	there, err := e.store.Now(ctx)
	switch {
	case errors.Is(err, entry.ErrUnavailable):
		return time.Time{}, err
	case err != nil:
		return time.Time{}, ctx.Err()
	}
	return there, nil
}

// ours reports whether a slot is this entry's, under the store's current identity or a
// former one.
func ours(slots []string, slot string) bool { return slot != "" && slices.Contains(slots, slot) }

// ownMirror reports whether metadata marks the entry as ours, under this store's identity.
func (s Sight) ownMirror() bool { return s.Managed && ours(s.Slots, s.Mirror.Slot) }

// Foreign reports whether the entry is someone else's, as far as metadata shows.
func (s Sight) Foreign() bool {
	return s.Revision != "" && !s.ownMirror() && !s.Stale()
}

// Copied reports whether metadata was written to another store: this one is a copy of it,
// or is reached at another address.
func (s Sight) Copied() bool { return s.Managed && s.Problem == nil && !ours(s.Slots, s.Mirror.Slot) }

// Stale reports whether metadata does not describe the current version, so that only the
// record is reliable. A first run that ended between publication and mirror leaves an
// entry without our mark; a token that was minted for the entry distinguishes it from
// someone else's. Only the record is trusted to be a tombstone while its data can be read.
func (s Sight) Stale() bool {
	if s.Condition != entry.Live {
		return false
	}
	_, unreadable := errors.AsType[*entry.MirrorError](s.Problem)
	switch {
	case !s.Managed:
		return s.mintedHere()
	case unreadable:
		return true // someone changed it manually, and the record is authoritative
	case !ours(s.Slots, s.Mirror.Slot):
		return false
	}
	return s.Mirror.Revision != s.Revision || s.Mirror.State == entry.StateTombstone
}

// mintedHere reports whether a token that is not revoked was minted for this entry.
func (s Sight) mintedHere() bool {
	return slices.ContainsFunc(s.Tokens, func(t paistrike.Token) bool { return t.Status != paistrike.StatusRevoked })
}

// Unhealthy returns the reason why the entry cannot serve its token, as far as metadata
// shows, or [schedule.ReasonNone].
func (s Sight) Unhealthy() schedule.Reason {
	switch {
	case s.Revision == "":
		return schedule.ReasonGone
	case s.Stale():
		return schedule.ReasonNone
	case s.Foreign():
		return schedule.ReasonChanged
	case s.Mirror.State == entry.StateTombstone && s.Mirror.Revision == s.Revision:
		return schedule.ReasonGone
	case s.Condition != entry.Live:
		return schedule.ReasonDeleted
	}
	return schedule.ReasonNone
}

// Serves reports whether the entry serves the token that the mirror names, as far as
// metadata shows.
func (s Sight) Serves() bool {
	return s.Unhealthy() == schedule.ReasonNone && !s.Stale() && s.Mirror.TokenID != ""
}

// OwnedByOther reports whether a different resource than owner manages the entry.
func (s Sight) OwnedByOther(owner string) bool {
	return s.Serves() && s.Mirror.Owner != "" && s.Mirror.Owner != owner
}

// Verdict returns what [schedule.Evaluate] decides for the entry, as far as metadata and
// the token list show.
func (s Sight) Verdict(p schedule.Policy) schedule.Verdict {
	f := schedule.Facts{Unhealthy: s.Unhealthy(), CreatedAt: s.Mirror.CreatedAt, ExpiresAt: s.Mirror.ExpiresAt, Slot: s.Mirror.Slot}
	if f.Unhealthy == schedule.ReasonNone && s.Serves() {
		f.Unhealthy = unhealthyToken(s.Current, s.Account, p)
	}
	return schedule.Evaluate(s.Clock.Rotate(), f, p)
}

// Ripe counts the retiring tokens whose overlap is over and that a run with this policy
// and these imported tokens would revoke.
func (s Sight) Ripe(p schedule.Policy, imported ...Imported) int {
	if !s.Clock.Trusted() || s.Stale() {
		return 0
	}
	count, may := 0, entryTokens(s.Slots, imported)
	for _, r := range s.Retiring {
		if isRipe(r, s.Clock) && may.Covers(s.listed[r.ID]) && !holds(p, s.listed[r.ID], r, s.Clock) {
			count++
		}
	}
	return count
}

// Strays counts the tokens of the slot that a run would sweep, as far as metadata shows.
func (s Sight) Strays() int {
	if !s.Clock.Trusted() || !s.Serves() {
		return 0
	}
	current := lineage{inc: incOf(s.Mirror.TokenName), gen: s.Mirror.Of, rewinds: s.Rewinds}
	count := 0
	for _, token := range s.Tokens {
		if _, named := s.listed[token.ID]; !named && current.astray(token, s.Clock) {
			count++
		}
	}
	return count
}

func incOf(tokenName string) string {
	name, _ := ParseName(tokenName)
	return name.Inc
}

// Token looks up a token by its ID. A token that PAIStrike does not know has no name and
// no status.
func (e *Engine) Token(ctx context.Context, id string) (paistrike.Token, schedule.Clock, error) {
	if err := e.load(ctx); err != nil {
		return paistrike.Token{}, schedule.Clock{}, listFailed(err)
	}
	token, err := e.lookup(ctx, id)
	if err != nil {
		return token, schedule.Clock{}, listFailed(err)
	}
	now, _ := e.tokens.ServerTime()
	return token, schedule.Clock{PAIStrike: now, Machine: e.now()}, nil
}

// ServerTime returns PAIStrike's clock, and false before its first response.
func (e *Engine) ServerTime() (time.Time, bool) { return e.tokens.ServerTime() }
