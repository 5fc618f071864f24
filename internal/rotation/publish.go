package rotation

import (
	"context"
	"errors"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
)

// publishTries is how often the same check-and-set write is sent while its revision
// has not moved.
const publishTries = 3

// fate is what the version after ours says about our write.
type fate int

const (
	fateOpen    fate = iota // there is none (yet): the write may still land
	fateOurs                // it carries our nonce
	fateLost                // it was written by another run, on top of the same revision
	fateUnknown             // it cannot be read, or does not say what it was written on
)

// publish is S5 and S6. A write is sent once per attempt, and anything but success
// is resolved by reading exactly the version after the one observed: an error,
// "check-and-set did not match" included, does not mean that the write was lost. While
// the revision has not moved the same write is repeated and nothing is revoked, because
// a delayed one may still land. A minted token is revoked only if it can never be
// published any more. A nil mint stands for a write without one.
func (e *Engine) publish(ctx context.Context, o observation, minted *mint, record entry.Record, result *Result) (entry.Published, error) {
	refused := true // every attempt so far was refused because a permission is missing
	var err error
	for try := range publishTries {
		if try > 0 {
			if waitErr := e.sleep(ctx, time.Second<<(try-1)); waitErr != nil {
				break
			}
		}
		var published entry.Published
		published, err = e.store.Publish(ctx, o.At, o.Revision, record)
		if err == nil {
			return published, nil
		}
		refused = refused && errors.Is(err, entry.ErrRefused)
		if refused {
			break
		}
		next, fate := e.resolveWrite(ctx, o, record.Op)
		switch fate {
		case fateOurs:
			return entry.Published{Revision: next}, nil
		case fateLost:
			return entry.Published{}, e.loseRace(ctx, o, minted, result)
		case fateUnknown:
			return entry.Published{}, publishUndecided(o, minted, record.Gen, err)
		case fateOpen:
		}
	}
	if refused && minted != nil {
		cleanup, cancel := detached(ctx, cleanupBudget)
		defer cancel()
		return entry.Published{}, publishRefused(o, *minted, record.Gen, e.discard(cleanup, *minted), err)
	}
	if refused {
		return entry.Published{}, storeFailed(o.At, err)
	}
	return entry.Published{}, publishUndecided(o, minted, record.Gen, err)
}

// resolveWrite reads exactly the version after the observed one: whoever wrote it won
// the only race there was. Only a record whose base is the revision that was observed
// shows that we lost.
func (e *Engine) resolveWrite(ctx context.Context, o observation, op string) (entry.Revision, fate) {
	for try := range publishTries {
		if try > 0 && e.sleep(ctx, time.Second<<(try-1)) != nil {
			return "", fateUnknown
		}
		next, err := e.store.After(ctx, o.At, o.Revision)
		switch {
		case err != nil:
			continue
		case next.Condition == entry.Absent:
			return "", fateOpen
		case next.Record != nil && next.Record.Op == op:
			return next.Revision, fateOurs
		case next.Follows != o.Revision:
			return "", fateUnknown
		case next.Condition == entry.Live, next.Closed:
			return "", fateLost
		default:
			return "", fateUnknown // deleted or destroyed before it could be read
		}
	}
	return "", fateUnknown
}

// loseRace revokes what was minted in vain. If that fails, the winner's generation lets
// the next run sweep it.
func (e *Engine) loseRace(ctx context.Context, o observation, minted *mint, result *Result) error {
	if minted == nil {
		return errLost
	}
	if err := e.discard(ctx, *minted); err != nil {
		result.note(revokeFailed(minted.ID, minted.Token.Name, minted.ExpiresAt, err))
		return errLost
	}
	result.note(lostRace(o, minted.ID))
	return errLost
}
