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

// Result is what a run did and how it left the entry. It never holds the secret.
type Result struct {
	TokenID   string
	TokenName string
	CreatedAt time.Time
	ExpiresAt time.Time // zero: never
	Status    paistrike.Status
	Version   int // KV version that serves the token
	Retiring  []entry.Retiring
	Verdict   schedule.Verdict // when the token is due next
	Clock     schedule.Clock

	Rotated  bool
	Reason   schedule.Reason
	Retired  []string // token ids whose overlap was over
	Swept    []string // token ids of orphans
	Mirrored bool     // custom metadata was written
	Notes    []Message
}

func (r *Result) note(m Message) { r.Notes = append(r.Notes, m) }

// errLost says that another run published first; the entry is looked at again.
var errLost = errors.New("another run published first")

// maxRounds bounds how often a run starts over because others were first.
const maxRounds = 3

// Run brings one entry to what the request asks for. The steps, as numbered in
// the reliability guide:
//
//	S1 preflight  KV v2, permissions, life of the Vault token
//	S2 observe    record and version V, tokens of the slot, both clocks; decide
//	S3 mint       once; the name carries V
//	S4 verify     with the new token
//	S5 publish    check-and-set on V, one attempt, resolved by reading V+1
//	S6 confirm    the version that Vault reports is V+1
//	S7 mirror     custom metadata
//	S8 clean      revoke what is ripe and what is astray
//
// A run that has nothing to mint does S2, S7 and S8 alone. On an error nothing
// that a consumer sees has changed. The error is an [*Error] wherever there is
// something to tell the user.
func (e *Engine) Run(ctx context.Context, r Request) (Result, error) {
	release, err := e.entries.lock(ctx, r.At)
	if err != nil {
		return Result{}, err
	}
	defer release()
	var result Result
	for range maxRounds {
		o, err := e.observe(ctx, r.At)
		if err != nil {
			return result, err
		}
		failpoint("after observe")
		asked := o.inherit(r)
		o.at = asked.At
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
	o, err := e.observe(ctx, r.At)
	if err != nil {
		return result, err
	}
	return result, noProgress(o)
}

// execute carries a decision out.
func (e *Engine) execute(ctx context.Context, o observation, r Request, d decision) (Result, error) {
	result := Result{Notes: d.notes, Clock: o.clock}
	switch {
	case d.rotate:
		err := e.rotate(ctx, o, r, d, &result)
		return result, err
	case d.republish:
		err := e.republish(ctx, o, r, &result)
		return result, err
	case !o.active():
		result.Verdict = d.verdict
		return result, nil
	}
	e.finish(ctx, o, r, strays(o), &result)
	return result, nil
}

// rotate does S1 and S3 to S8. From the mint on it does not stop halfway when the
// caller gives up: Ctrl-C must not leave a token that nobody holds.
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
	if err := e.verify(critical, o, m.Minted); err != nil {
		if e.resolve(critical, o, m.name.Nonce) == fateLost { // whoever was first has swept it
			return e.loseRace(critical, o, m.Token, result)
		}
		return err
	}
	failpoint("after verify")
	o = e.refreshed(o, m.ID)
	adopt, astray := split(o, r.Keep)
	record := o.record(r, m, append(adopt, kept...))
	published, err := e.publish(critical, o, m.Token, record, result)
	if err != nil {
		return err
	}
	failpoint("after publish")
	result.Rotated, result.Reason = true, d.reason
	if !published.DeletionTime.IsZero() && (record.ExpiresAt.IsZero() || published.DeletionTime.Before(record.ExpiresAt)) {
		result.note(versionWillExpire(o.at, published.Version, published.DeletionTime))
	}
	e.finish(critical, o.with(record, published.Version, m.Token), r, astray, result)
	return nil
}

// relist reads the token list anew where the history of the entry is unknown: what
// is adopted rests on the list, so it must not be older than what was read of the
// entry.
func (e *Engine) relist(ctx context.Context, o *observation) error {
	if o.version() == 0 || o.trusted() {
		return nil
	}
	if err := e.reload(ctx, true); err != nil {
		return listFailed(err)
	}
	o.tokens = e.inventory.slot(o.slot)
	return nil
}

// refreshed takes what the mint has ended, to make room, out of an observation, and
// looks at the clock again: the overlap begins now, however long ago the list was
// read.
func (e *Engine) refreshed(o observation, minted string) observation {
	if now, ok := e.tokens.ServerTime(); ok {
		o.clock.PAIStrike = now
	}
	o.tokens = slices.DeleteFunc(e.inventory.slot(o.slot), func(t paistrike.Token) bool { return t.ID == minted })
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
		if token.Usable(o.clock.PAIStrike) && !o.refers(id) {
			tokens = append(tokens, token)
		}
	}
	return tokens, nil
}

// republish does S5 to S8 with the token that is current: a fence against stale
// mints, and the end of a former key's field.
func (e *Engine) republish(ctx context.Context, o observation, r Request, result *Result) error {
	critical, cancel := detached(ctx, criticalBudget)
	defer cancel()
	nonce, err := newNonce(e.random, nonceLength)
	if err != nil {
		return err
	}
	record := *o.entry.Record
	record.Base, record.Op, record.Retiring = o.version(), nonce, o.retiring
	if len(unripe(o)) == 0 {
		record.Alias = ""
	}
	published, err := e.publish(critical, o, paistrike.Token{}, record, result)
	if err != nil {
		return err
	}
	failpoint("after publish")
	after := o.with(record, published.Version, o.current)
	e.finish(critical, after, r, strays(after), result)
	return nil
}

// finish does S7 and S8 and fills in how the entry stands. Where nothing was
// published, cleaning comes first, so that one PATCH tells all.
func (e *Engine) finish(ctx context.Context, o observation, r Request, astray []paistrike.Token, result *Result) {
	facts := o.facts(r.Policy)
	result.Verdict = schedule.Evaluate(o.clock.Rotate(), facts, r.Policy)
	if r.Wish != Sweep {
		e.retire(ctx, o, r.Policy, result)
	}
	e.sweep(ctx, o, astray, result)
	o.retiring = slices.DeleteFunc(slices.Clone(o.retiring), func(t entry.Retiring) bool {
		return slices.Contains(result.Retired, t.ID)
	})
	want := mirrorOf(*o.entry.Record, o.version(), o.retiring, result.Verdict.Next, r.Schedule)
	failpoint("after clean")
	e.mirror(ctx, o, want, result)
	failpoint("after mirror")
	record := o.entry.Record
	result.TokenID, result.TokenName = record.TokenID, record.TokenName
	result.CreatedAt, result.ExpiresAt = record.CreatedAt, record.ExpiresAt
	result.Status, result.Version, result.Retiring = o.current.Status, o.version(), o.retiring
}
