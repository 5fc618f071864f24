package rotation

import (
	"context"
	"errors"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
)

// publishTries limits how often the same check-and-set write is sent while the revision
// has not moved.
const publishTries = 3

// fate is the fate of our write, as the next version shows it.
type fate int

const (
	fateOpen    fate = iota // there is no next version yet: the write may still be applied
	fateOurs                // it contains our nonce
	fateLost                // another run wrote it on top of the same revision
	fateUnknown             // it cannot be read, or does not show what it was written on
)

// publish performs S5 and S6. Each attempt sends the write once. Any result but success is
// resolved by reading the version after the observed one, because an error does not mean
// that the write was lost, not even "check-and-set did not match". While the revision has
// not moved, the same write is repeated and nothing is revoked, because a delayed write
// may still be applied. A minted token is revoked only if it can no longer be published.
// minted is nil for a write with the current token.
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

// resolveWrite reads the version after the observed one: whoever wrote it won the race.
// Only a record that was written on the observed revision proves that this run lost.
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

// loseRace revokes the token that was minted in vain. If that fails, the next run
// recognizes the token by the winner's generation and sweeps it.
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
