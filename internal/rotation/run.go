package rotation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

// Result reports what a run did and how it left the entry. It never contains the secret.
type Result struct {
	TokenID   string
	TokenName string
	CreatedAt time.Time
	ExpiresAt time.Time // zero if it never expires
	Status    paistrike.Status
	Gen       int // the generation that serves the token
	Retiring  []entry.Retiring
	Verdict   schedule.Verdict // when the token is due next
	Schedule  schedule.Schedule
	Clock     schedule.Clock

	Rotated   bool
	Published bool // a new version was written, with a new token or the same
	Reason    schedule.Reason
	Retired   []string // IDs of tokens whose overlap was over
	Swept     []string // IDs of orphans
	Mirrored  bool     // metadata was written
	Closed    bool     // the entry is vacant: it serves no token
	Notes     []Message
}

func (r *Result) note(m Message) { r.Notes = append(r.Notes, m) }

// errLost is returned if another run published first. The entry is then observed again.
var errLost = errors.New("another run published first")

// maxRounds limits how often a run starts over because another run published first.
const maxRounds = 3

// Run brings one entry to the state that the request describes. Its steps have the numbers
// of the reliability guide:
//
//	S1 preflight  permissions, remaining life of the store's credential
//	S2 observe    record and revision, tokens of the slot, the clocks; decide
//	S3 mint       once; the name contains the generation
//	S4 verify     with the new token
//	S5 publish    check-and-set on the revision, resolved by reading the next version
//	S6 confirm    what was published is ours
//	S7 mirror     metadata
//	S8 clean      revoke tokens whose overlap is over, and strays
//
// A run that has nothing to mint performs only S2, S7 and S8. If Run returns an error,
// nothing that a consumer sees has changed, unless the result reports a rotation. The
// error is an [*Error] if there is anything to tell the user.
func (e *Engine) Run(ctx context.Context, r Request) (Result, error) {
	release, err := e.entries.lock(ctx, r.At)
	if err != nil {
		return Result{}, err
	}
	defer release()
	var result Result
	for range maxRounds {
		o, err := e.observe(ctx, r.At, r.Seen)
		if err != nil {
			return result, err
		}
		r.Seen = nil
		failpoint("after observe")
		asked, err := o.inherit(r)
		if err != nil {
			return result, err
		}
		o.At = asked.At
		d := decide(o, asked)
		if d.err != nil {
			return result, d.err
		}
		notes := result.Notes
		result, err = e.execute(ctx, o, asked, d)
		result.Notes = append(notes, result.Notes...)
		if !errors.Is(err, errLost) {
			return result, err
		}
	}
	return result, noProgress(r.At)
}

// execute carries out a decision.
func (e *Engine) execute(ctx context.Context, o observation, r Request, d decision) (Result, error) {
	result := Result{Notes: d.notes, Clock: o.Clock}
	var err error
	switch {
	case d.rotate:
		err = e.rotate(ctx, o, r, d, &result)
	case d.republish:
		err = e.republish(ctx, o, r, &result)
	case !o.active():
		result.Verdict, result.Closed = d.verdict, o.kind == kindVacant
	default:
		e.finish(ctx, o, r, strays(o), &result)
	}
	if err == nil {
		err = d.after
	}
	return result, err
}

// rotate performs S1 and S3 to S8. From the mint on, it ignores the caller's cancellation:
// Ctrl-C must not leave a token that no one uses.
func (e *Engine) rotate(ctx context.Context, o observation, r Request, d decision, result *Result) error {
	if err := e.preflight(ctx, o, r); err != nil {
		return err
	}
	if err := e.relist(ctx, &o); err != nil {
		return err
	}
	kept, err := e.kept(ctx, o, r)
	if err != nil {
		return err
	}
	critical, cancel := detached(ctx, criticalBudget)
	defer cancel()
	failpoint("before mint")
	m, err := e.mint(critical, o, r, result)
	if err != nil {
		return err
	}
	failpoint("after mint")
	if err := e.verify(critical, o, m); err != nil {
		if _, fate := e.resolveWrite(critical, o, m.name.Nonce); fate == fateLost { // whoever was first has swept it
			return e.loseRace(critical, o, &m, result)
		}
		return err
	}
	failpoint("after verify")
	if e.now().Sub(o.Clock.Machine) > inFlight {
		// The machine slept, so the observation is out of date. If revisions can come
		// back, check-and-set does not detect that.
		return e.loseRace(critical, o, &m, result)
	}
	o = e.refreshed(o, m.ID)
	adopt, astray := split(o, m.name, r.Keep)
	if others := o.strangers(); len(others) > 0 && !r.Adopt {
		adopt, astray = nil, nil // another store may serve them
	}
	record := e.minted(o, r, m, append(adopt, kept...))
	published, err := e.publish(critical, o, &m, record, result)
	if err != nil {
		return err
	}
	failpoint("after publish")
	result.Rotated, result.Published, result.Reason = true, true, d.reason
	if !published.Deletion.IsZero() && (record.ExpiresAt.IsZero() || published.Deletion.Before(record.ExpiresAt)) {
		result.note(versionWillExpire(o.At, record.Gen, published.Deletion))
	}
	after := o.with(record, published.Revision, m.Token)
	if r.RevokePrevious {
		if r.Succeed {
			e = e.successor(critical, after, m)
		}
		e.endPrevious(critical, after, r, result)
	}
	e.finish(critical, after, r, astray, result)
	return nil
}

// successor returns an engine that calls with the new token if one of the replaced tokens
// is the management token of this run, because a token does not revoke itself here.
func (e *Engine) successor(ctx context.Context, after observation, m mint) *Engine {
	for _, old := range after.record().Retiring {
		if own, err := e.tokens.MayBeOwn(ctx, old.ID); err == nil && own {
			next := *e
			next.tokens = e.tokens.As(m.Secret)
			return &next
		}
	}
	return e
}

// endPrevious revokes the replaced token and every token in its overlap, because the user
// declared them compromised.
func (e *Engine) endPrevious(ctx context.Context, after observation, r Request, result *Result) {
	for _, old := range after.record().Retiring {
		err := e.end(ctx, old.ID, entryTokens(after.Slots, r.Imported))
		if err != nil {
			result.note(previousStillWorks(old.ID, old.Name, err))
			continue
		}
		result.Retired = append(result.Retired, old.ID)
		result.note(previousEnded(old.ID, old.Name, e.now()))
	}
}

// relist fetches the token list again if the history of the entry is unknown: adoption
// depends on the list, so the list must not be older than the record. A list is too old if
// it lacks the record's token although PAIStrike finds that token by its ID.
func (e *Engine) relist(ctx context.Context, o *observation) error {
	if o.Revision == "" || o.trusted() {
		return nil
	}
	if err := e.reload(ctx, true); err != nil {
		return listFailed(err)
	}
	if _, listed := e.inventory.get(o.current.ID); !listed && o.current.Known() && !e.tokens.DropsRevoked() {
		return listFailed(fmt.Errorf("token %s is found by its id, and the list lacks it; if the service drops revoked tokens from its list, set api_routes.list.drops_revoked = true", o.current.ID))
	}
	o.Tokens = e.inventory.named(o.Slots)
	return nil
}

// refreshed removes the tokens that the mint revoked to make room from an observation, and
// updates its clock: the overlap begins now, however long ago the list was read.
func (e *Engine) refreshed(o observation, minted string) observation {
	machine := e.now()
	if passed := machine.Sub(o.Clock.Machine); !o.Clock.Store.IsZero() && passed > 0 {
		o.Clock.Store = o.Clock.Store.Add(passed)
	}
	o.Clock.Machine = machine
	if now, ok := e.tokens.ServerTime(); ok {
		o.Clock.PAIStrike = now
	}
	o.Tokens = slices.DeleteFunc(e.inventory.named(o.Slots), func(t paistrike.Token) bool { return t.ID == minted })
	o.retiring = slices.DeleteFunc(slices.Clone(o.retiring), func(r entry.Retiring) bool {
		token, known := e.inventory.get(r.ID)
		return known && token.Status == paistrike.StatusRevoked
	})
	return o
}

// kept looks up the tokens that the caller wants to keep for one overlap.
func (e *Engine) kept(ctx context.Context, o observation, r Request) ([]paistrike.Token, error) {
	var tokens []paistrike.Token
	for _, id := range r.Keep {
		token, err := e.lookup(ctx, id)
		if err != nil {
			return nil, listFailed(err)
		}
		if token.Usable(o.Clock.Now()) && !o.refers(id) {
			tokens = append(tokens, token)
		}
	}
	return tokens, nil
}

// republish performs S5 to S8 with the current token: for another owner or schedule, as a
// fence against stale mints, or at the end of a former key's field.
func (e *Engine) republish(ctx context.Context, o observation, r Request, result *Result) error {
	critical, cancel := detached(ctx, criticalBudget)
	defer cancel()
	nonce, err := newNonce(e.random, nonceLength)
	if err != nil {
		return err
	}
	record := *o.record()
	record.Gen, record.Base, record.Op, record.Retiring = o.nextGen(r.Floor), o.Revision, nonce, o.retiring
	record.Slot, record.Identity = o.Slot(), o.Identity
	record.Owner, record.Schedule = r.Owner, r.Schedule
	if record.Endpoint == "" || o.Account == AccountKnown {
		record.Endpoint = e.tokens.Endpoint()
	}
	if r.TakeOver {
		record.Intent = r.intent()
	}
	if len(unripe(o)) == 0 {
		record.Alias = ""
	}
	published, err := e.publish(critical, o, nil, record, result)
	if err != nil {
		return err
	}
	failpoint("after publish")
	result.Published = true
	after := o.with(record, published.Revision, o.current)
	e.finish(critical, after, r, strays(after), result)
	return nil
}

// finish performs S7 and S8 and completes the result. It cleans up first, so that a single
// write of metadata shows everything.
func (e *Engine) finish(ctx context.Context, o observation, r Request, astray []paistrike.Token, result *Result) {
	result.Verdict = schedule.Evaluate(o.Clock.Rotate(), o.facts(r.Policy), r.Policy)
	if r.Wish != Sweep {
		e.retire(ctx, o, r, result)
	}
	e.sweep(ctx, o, astray, result)
	o.retiring = slices.DeleteFunc(slices.Clone(o.retiring), func(t entry.Retiring) bool {
		return slices.Contains(result.Retired, t.ID)
	})
	failpoint("after clean")
	e.mirror(ctx, o, result)
	failpoint("after mirror")
	record := o.record()
	result.TokenID, result.TokenName = record.TokenID, record.TokenName
	result.CreatedAt, result.ExpiresAt = record.CreatedAt, record.ExpiresAt
	result.Status, result.Gen, result.Retiring, result.Schedule = o.current.Status, record.Gen, o.retiring, record.Schedule
}

// mirror performs S7: it writes every key of the metadata at once, or nothing if the
// metadata is up to date. A failure is a note, because the record is authoritative.
func (e *Engine) mirror(ctx context.Context, o observation, result *Result) {
	want := entry.MirrorOf(*o.record(), o.Revision, o.retiring, result.Verdict.Next)
	want.LastRun, want.LastError = o.Mirror.LastRun, o.Mirror.LastError
	if result.Rotated {
		want.LastRun, want.LastError = o.Clock.Now().UTC().Truncate(time.Second), ""
	}
	if o.Managed && o.Problem == nil && o.Mirror.Says(want) {
		return
	}
	if err := e.store.Describe(ctx, o.At, want); err != nil {
		result.note(mirrorFailed(o.At, o.record().Gen, err))
		return
	}
	result.Mirrored = true
}
