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

// AbandonRequest names an entry whose PAIStrike is gone for good.
type AbandonRequest struct {
	At entry.Location
	// Endpoint is the PAIStrike that is gone, as [Tokens] names it. An entry of another one
	// is left alone.
	Endpoint string
	// DryRun decides, and writes nothing.
	DryRun bool
}

// Standing is what an entry is to a run that closes it without PAIStrike.
type Standing string

// The standings. Only the first two are written to.
const (
	StandingOpen       Standing = "open"        // ours, and not closed
	StandingUnfinished Standing = "unfinished"  // a tombstone closes it, and metadata does not say so yet
	StandingClosed     Standing = "closed"      // by this or any other run before
	StandingEmpty      Standing = "empty"       // nothing was ever written
	StandingForeign    Standing = "foreign"     // the current version is someone else's secret
	StandingOtherPlace Standing = "other place" // it belongs to another PAIStrike
)

// Abandoned is what became of an entry whose PAIStrike is gone.
type Abandoned struct {
	Standing Standing // before this run
	// Endpoint is the PAIStrike that the entry belongs to, "" if that is not known.
	Endpoint string
	// Left are the tokens that nobody revoked and that have not expired, whether the run
	// succeeds or not. An expiry that is zero is never, or not known.
	Left  []entry.Retiring
	Notes []Message
}

// errAsks says that the engine has a PAIStrike that it could call.
var errAsks = errors.New("an entry is abandoned by an engine that does without PAIStrike")

// Abandon closes an entry whose PAIStrike is gone for good:
//
//	D1 publish a tombstone, which fences off every run in flight
//	D3 mirror that, and that no token was revoked
//
// It is the end of [Engine.Destroy] without its middle, by the store alone: the engine's
// [Tokens] must be [Unasked]. The versions before the tombstone stay as they are, so that
// nothing is lost if PAIStrike turns out to be there. What is not ours, what is closed, and
// what belongs to another PAIStrike is left alone. A secret that metadata does not call ours
// is still read, if that is allowed: someone may have removed the metadata. Every step may be repeated.
func (e *Engine) Abandon(ctx context.Context, r AbandonRequest) (Abandoned, error) {
	if !e.Unasked() {
		return Abandoned{}, errAsks
	}
	release, err := e.entries.lock(ctx, r.At)
	if err != nil {
		return Abandoned{}, err
	}
	defer release()
	for range maxRounds {
		o, err := e.observe(ctx, r.At, nil)
		switch {
		case errors.Is(err, entry.ErrForbidden) && o.Revision != "" && !o.Managed:
			return Abandoned{Standing: StandingForeign}, nil // the rights are for what is ours
		case err != nil:
			return Abandoned{}, err
		}
		failpoint("after observe")
		result, err := e.abandon(ctx, o, r)
		if !errors.Is(err, errLost) {
			return result, err
		}
	}
	return Abandoned{}, noProgress(r.At)
}

func (e *Engine) abandon(ctx context.Context, o observation, r AbandonRequest) (Abandoned, error) {
	standing, err := o.standing(r.Endpoint)
	result := Abandoned{Standing: standing, Endpoint: o.endpoint(), Left: o.left(standing)}
	if err != nil || r.DryRun || standing != StandingOpen && standing != StandingUnfinished {
		return result, err
	}
	critical, cancel := detached(ctx, criticalBudget)
	defer cancel()
	if err := e.tombstone(critical, &o, o.namedBeside()); err != nil {
		return result, err
	}
	failpoint("after tombstone")
	mirror := o.closingMirror()
	if len(result.Left) > 0 {
		note := notRevoked(o.At, result.Left)
		mirror.LastError, result.Notes = note.Code, []Message{note}
	}
	if err := e.closeEntry(critical, o, mirror, entry.EndKeep); err != nil {
		return result, abandonIncomplete(o.At, err)
	}
	return result, nil
}

// standing judges an entry by what the store alone tells. It is a pure function. What cannot
// be understood, and what was written to another store, is an error.
func (o observation) standing(endpoint string) (Standing, error) {
	switch {
	case o.newerSchema():
		return "", newerRelease(o.At, o.versionProblem())
	case o.kind == kindCopied:
		return "", copiedEntry(o.At, o.Identity, o.record().Identity)
	case o.kind == kindForeign, o.kind == kindBroken && o.version.Condition == entry.Live:
		return StandingForeign, nil // someone's secret is not ours to close
	case o.Revision == "":
		return StandingEmpty, nil
	case o.kind == kindVacant && (o.record() == nil || o.mirrorsTombstone()):
		return StandingClosed, nil
	case o.endpoint() != "" && o.endpoint() != endpoint:
		return StandingOtherPlace, nil
	case o.kind == kindVacant:
		return StandingUnfinished, nil
	}
	return StandingOpen, nil
}

// mirrorsTombstone reports that metadata calls the entry closed by its current version.
func (o observation) mirrorsTombstone() bool {
	return o.Managed && o.Problem == nil && o.Mirror.State == entry.StateTombstone && o.Mirror.Revision == o.Revision
}

// endpoint is the PAIStrike that the entry belongs to, by its record, or by its metadata if
// the record cannot be read.
func (o observation) endpoint() string {
	switch {
	case o.record() != nil:
		return o.record().Endpoint
	case o.ownMirror():
		return o.Mirror.Endpoint
	}
	return ""
}

// left returns the tokens of the entry that nobody revoked: those that its tombstone names
// or will name. A tombstone names tokens of a destroy too, which revokes them afterwards;
// metadata tells which it was.
func (o observation) left(standing Standing) []entry.Retiring {
	switch {
	case standing == StandingOpen:
		return retiringAfter(o, o.namedBeside(), 0)
	case o.record() == nil, standing == StandingClosed && !isNotRevoked(o.Mirror.LastError):
		return nil
	case standing == StandingClosed, standing == StandingUnfinished:
		return slices.DeleteFunc(slices.Clone(o.record().Retiring), func(r entry.Retiring) bool { return ended(r.ExpiresAt, o.Clock) })
	}
	return nil
}

// namedBeside returns the tokens that metadata names and that the record need not: the
// version was deleted, or someone went back to an older one.
func (o observation) namedBeside() []paistrike.Token {
	if !o.ownMirror() || o.Mirror.TokenID == "" {
		return nil
	}
	var beside []paistrike.Token
	if !ended(o.Mirror.ExpiresAt, o.Clock) {
		beside = append(beside, paistrike.Token{ID: o.Mirror.TokenID, Name: o.Mirror.TokenName, ExpiresAt: o.Mirror.ExpiresAt})
	}
	for _, ref := range o.Mirror.Retiring {
		if !o.refers(ref.ID) { // the record knows when it expires
			beside = append(beside, paistrike.Token{ID: ref.ID})
		}
	}
	return beside
}

// ended reports that an expiry, zero for never, has passed.
func ended(expires time.Time, clock schedule.Clock) bool {
	return !expires.IsZero() && !clock.Now().Before(expires)
}
