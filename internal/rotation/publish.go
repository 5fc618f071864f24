package rotation

import (
	"context"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/vault"
)

// publishTries is how often the same check-and-set write is sent while its version
// has not moved.
const publishTries = 3

// fate is what reading version V+1 says about our write.
type fate int

const (
	fateOpen    fate = iota // V+1 does not exist (yet): the write may still land
	fateOurs                // V+1 carries our nonce
	fateLost                // V+1 was written by another run
	fateUnknown             // V+1 cannot be read
)

// publish is S5 and S6. A write is sent once per attempt, and anything but success
// is resolved by reading exactly version V+1: an error, "check-and-set did not
// match" included, does not mean that the write was lost. While the version has
// not moved the same write is repeated and nothing is revoked, because a delayed
// one may still land. A minted token is revoked only where it can never be
// published any more. The zero token stands for a write without a mint.
func (e *Engine) publish(ctx context.Context, o observation, minted paistrike.Token, record entry.Record, result *Result) (vault.Published, error) {
	refused := true // every attempt so far was refused for want of permission
	var err error
	for try := range publishTries {
		if try > 0 {
			if waitErr := e.sleep(ctx, time.Second<<(try-1)); waitErr != nil {
				break
			}
		}
		var published vault.Published
		published, err = e.store.Publish(ctx, o.at, o.version(), record)
		if err == nil && published.Version == o.version()+1 {
			return published, nil
		}
		refused = refused && vault.IsForbidden(err)
		if refused {
			break
		}
		switch e.resolve(ctx, o, record.Op) {
		case fateOurs:
			return vault.Published{Version: o.version() + 1}, nil
		case fateLost:
			return vault.Published{}, e.loseRace(ctx, o, minted, result)
		case fateUnknown:
			return vault.Published{}, publishUndecided(o, minted, err)
		case fateOpen:
		}
	}
	if refused && minted.ID != "" {
		cleanup, cancel := detached(ctx, cleanupBudget)
		defer cancel()
		return vault.Published{}, publishRefused(o, minted, e.revoke(cleanup, minted.ID), err)
	}
	if refused {
		return vault.Published{}, vaultFailed(o.at, err)
	}
	return vault.Published{}, publishUndecided(o, minted, err)
}

// resolve reads exactly version V+1: whoever wrote it won the only race there was.
func (e *Engine) resolve(ctx context.Context, o observation, op string) fate {
	for try := range publishTries {
		if try > 0 && e.sleep(ctx, time.Second<<(try-1)) != nil {
			return fateUnknown
		}
		next, err := e.store.Read(ctx, o.at, o.version()+1)
		switch {
		case err != nil:
			continue
		case next.Condition == entry.Absent:
			return fateOpen
		case next.Record != nil && next.Record.Op == op:
			return fateOurs
		case next.Condition == entry.Live, closed(next, o):
			return fateLost
		default:
			return fateUnknown // deleted or destroyed before it could be read
		}
	}
	return fateUnknown
}

// closed reports that a tombstone has ended the entry meanwhile: its data may be
// deleted already, but custom metadata tells.
func closed(next vault.Entry, o observation) bool {
	m := next.Mirror
	return next.Managed && m.State == entry.StateTombstone && m.Slot == o.slot && m.Of > o.version()
}

// loseRace revokes what was minted in vain. Where that fails, the winner's version
// lets the next run sweep it.
func (e *Engine) loseRace(ctx context.Context, o observation, minted paistrike.Token, result *Result) error {
	if minted.ID == "" {
		return errLost
	}
	if err := e.revoke(ctx, minted.ID); err != nil {
		result.note(revokeFailed(minted.ID, minted.Name, minted.ExpiresAt, err))
		return errLost
	}
	result.note(lostRace(o, minted.ID))
	return errLost
}
