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

// AbandonRequest names an entry of a PAIStrike service that no longer exists.
type AbandonRequest struct {
	At entry.Location
	// Endpoint is the service that no longer exists, in the form of [Tokens.Endpoint].
	// Abandon does not change an entry of any other endpoint.
	Endpoint string
	// DryRun reports what would be done and writes nothing.
	DryRun bool
}

// Standing is the state of an entry as [Engine.Abandon] found it.
type Standing string

// Abandon writes only to entries that are open or unfinished.
const (
	StandingOpen       Standing = "open"        // ours and not closed
	StandingUnfinished Standing = "unfinished"  // closed by a tombstone that metadata does not show yet
	StandingClosed     Standing = "closed"      // closed by an earlier run
	StandingEmpty      Standing = "empty"       // nothing was ever written
	StandingForeign    Standing = "foreign"     // the current version is someone else's secret
	StandingOtherPlace Standing = "other place" // the entry belongs to another PAIStrike
)

// Abandoned reports what [Engine.Abandon] found and did.
type Abandoned struct {
	Standing Standing // before this run
	// Endpoint is the PAIStrike that the entry belongs to, or "" if it is unknown.
	Endpoint string
	// Left lists the tokens that no one revoked and that have not expired. It is set even
	// if Abandon fails. A zero expiry means that the token never expires, or that its
	// expiry is unknown.
	Left  []entry.Retiring
	Notes []Message
}

// errAsks is returned if the engine could call PAIStrike.
var errAsks = errors.New("an entry is abandoned by an engine that does without PAIStrike")

// Abandon closes an entry of a PAIStrike service that no longer exists:
//
//	D1 publish a tombstone, which fences off every run in flight
//	D3 mirror the tombstone, and record that no token was revoked
//
// It does what [Engine.Destroy] does, except for revoking tokens, and it calls only the
// store: the engine's [Tokens] must be [Unasked]. Earlier versions stay readable, so
// nothing is lost if PAIStrike comes back. Foreign entries, closed entries, and entries of
// another PAIStrike are not changed. If metadata does not mark a secret as ours, Abandon
// still reads it when permitted, because someone may have removed the metadata. Every step
// can be repeated.
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
			return Abandoned{Standing: StandingForeign}, nil // the store grants access to our entries only
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

// standing classifies an entry by what the store reports. It is a pure function. It
// returns an error if the entry cannot be understood, or was written to another store.
func (o observation) standing(endpoint string) (Standing, error) {
	switch {
	case o.newerSchema():
		return "", newerRelease(o.At, o.versionProblem())
	case o.kind == kindCopied:
		return "", copiedEntry(o.At, o.Identity, o.record().Identity)
	case o.kind == kindForeign, o.kind == kindBroken && o.version.Condition == entry.Live:
		return StandingForeign, nil // an unreadable secret of someone else is not ours to close
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

// mirrorsTombstone reports whether metadata marks the current version as closed.
func (o observation) mirrorsTombstone() bool {
	return o.Managed && o.Problem == nil && o.Mirror.State == entry.StateTombstone && o.Mirror.Revision == o.Revision
}

// endpoint returns the PAIStrike that the entry belongs to: from its record, or from
// metadata if the record cannot be read.
func (o observation) endpoint() string {
	switch {
	case o.record() != nil:
		return o.record().Endpoint
	case o.ownMirror():
		return o.Mirror.Endpoint
	}
	return ""
}

// left returns the tokens of the entry that no one revoked: those that its tombstone names
// or will name. Metadata tells a tombstone of Abandon from one of a destroy, which revokes
// the tokens it names.
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

// namedBeside returns the tokens that metadata names and the record may not: the version
// was deleted, or someone rolled back to an older one.
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

// ended reports whether an expiry has passed. A zero expiry never passes.
func ended(expires time.Time, clock schedule.Clock) bool {
	return !expires.IsZero() && !clock.Now().Before(expires)
}
