package rotation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
)

// preflight is S1: everything that can refuse is asked before a token exists.
func (e *Engine) preflight(ctx context.Context, o observation, r Request) error {
	if keeps := o.Lifespan; keeps > 0 && (r.Policy.Lifetime == 0 || keeps < r.Policy.Lifetime) {
		return versionsExpire(o.At, keeps)
	}
	if err := e.store.Check(ctx, o.At, o.Revision, neededLife); err != nil {
		return storeFailed(o.At, err)
	}
	return nil
}

// mint is a token just created, and the name it was given.
type mint struct {
	paistrike.Minted
	name Name
}

// mint is S3. A create is sent once; if its outcome is unknown the token is
// looked for by its unique name, revoked if it is there, because its secret is
// lost, and one more is minted under a new name.
func (e *Engine) mint(ctx context.Context, o observation, r Request, result *Result) (mint, error) {
	var quota bool
	for attempt := 1; ; attempt++ {
		name, err := e.newName(o, r)
		if err != nil {
			return mint{}, err
		}
		expires := r.Policy.Expiry(o.Clock.Now())
		minted, err := paistrike.MintOnce(ctx, minter{e}, name.String(), expires)
		var lost *paistrike.LostError
		switch {
		case err == nil && e.inventory.isAnother(minted.ID, name):
			// Not the new token's id: whoever it belongs to keeps it.
			revoked, cleanErr := e.endNamed(ctx, name)
			return mint{}, createForeign(o, minted.ID, name.String(), revoked, cleanErr)
		case err == nil:
			e.inventory.note(minted.Token)
			if !minted.ExpiresAt.Equal(expires) {
				result.note(otherExpiry(expires, minted.ExpiresAt))
			}
			return mint{Minted: minted, name: name}, nil
		case errors.As(err, &lost):
			if lost.Revoked {
				result.note(createLost(lost.ID, lost.Name))
			}
			var unreadable *paistrike.AnswerError
			switch {
			case errors.As(err, &unreadable):
				return mint{}, createUnreadable(o, *lost) // another would end the same
			case lost.ID != "" && !lost.Revoked, attempt > 1 && lost.MayExist:
				return mint{}, createUnknown(o, *lost, expires)
			case attempt > 2:
				return mint{}, createsLost(o, attempt, err)
			}
		case paistrike.IsLimitReached(err) && !quota:
			quota = true
			before := len(result.Retired) + len(result.Swept)
			e.retire(ctx, o, r, result)
			e.sweep(ctx, o, strays(o), result)
			if len(result.Retired)+len(result.Swept) == before {
				return mint{}, mintFailed(o, name.String(), err)
			}
		default:
			return mint{}, mintFailed(o, name.String(), err)
		}
	}
}

// endNamed revokes the token that was created under a name, if there is one, and returns
// its id.
func (e *Engine) endNamed(ctx context.Context, name Name) (string, error) {
	if err := e.reload(ctx, true); err != nil {
		return "", err
	}
	for _, token := range e.inventory.named([]string{name.Slot}) {
		if token.Name == name.String() {
			return token.ID, e.end(ctx, token.ID, paistrike.Sent(name.String()))
		}
	}
	return "", nil
}

// minter lets a mint use the engine's list and its one way to revoke.
type minter struct{ e *Engine }

// Create sends one create.
func (m minter) Create(ctx context.Context, name string, expiresAt time.Time) (paistrike.Minted, error) {
	return m.e.tokens.Create(ctx, name, expiresAt)
}

// List reads the list anew.
func (m minter) List(ctx context.Context) ([]paistrike.Token, error) {
	if err := m.e.reload(ctx, true); err != nil {
		return nil, err
	}
	return m.e.Tokens(ctx)
}

// End revokes a token.
func (m minter) End(ctx context.Context, id string, by paistrike.Warrant) error {
	return m.e.end(ctx, id, by)
}

// newName names a token for the generation that it is to become. The incarnation is the
// record's, or begins here.
func (e *Engine) newName(o observation, r Request) (Name, error) {
	nonce, err := newNonce(e.random, nonceLength)
	if err != nil {
		return Name{}, err
	}
	inc := nonce[:incLength]
	if o.record() != nil && ours(o.Slots, o.record().Slot) {
		inc = o.record().Inc
	}
	return Name{Label: r.Label, Slot: o.Slot(), Inc: inc, Gen: o.nextGen(r.Floor), Nonce: nonce}, nil
}

// inFlight is how long a token that nobody uses may still be on its way to the store.
const inFlight = 15 * time.Minute

// nextGen exceeds every generation that the record, the mirror, Terraform's state and the
// names of the slot have shown, so that whoever waits for a higher number sees one after
// a restore too. A token that nobody used counts for nothing while it may be in flight:
// check-and-set decides which of the two becomes the next generation.
func (o observation) nextGen(floor int) int {
	gen := max(o.gen(), floor)
	if ours(o.Slots, o.Mirror.Slot) {
		gen = max(gen, o.Mirror.Of)
	}
	for _, token := range o.Tokens {
		name, ok := ParseName(token.Name)
		young := token.CreatedAt.Add(inFlight).After(o.Clock.Now())
		if ok && (Used(token) || token.Status == paistrike.StatusRevoked || !young) {
			gen = max(gen, name.Gen)
		}
	}
	return gen + 1
}

// verifyTries is how often a new token is tried: a service may need a moment to
// know a token everywhere.
const verifyTries = 5

// verify is S4: no token is published that PAIStrike does not accept. A token that
// stays refused is revoked.
func (e *Engine) verify(ctx context.Context, o observation, minted mint) error {
	var err error
	for try := range verifyTries {
		if try > 0 {
			if waitErr := e.sleep(ctx, time.Second<<(try-1)); waitErr != nil {
				break
			}
		}
		if err = e.tokens.Verify(ctx, minted.Secret); err == nil {
			return nil
		}
	}
	cleanup, cancel := detached(ctx, cleanupBudget)
	defer cancel()
	return verifyFailed(o, minted.Token, verifyTries, e.discard(cleanup, minted), err)
}

// discard revokes a token of ours that nobody will get.
// What the answer to the create said of it is not enough for that: it is read again.
func (e *Engine) discard(ctx context.Context, minted mint) error {
	e.inventory.forget(minted.ID)
	err := e.end(ctx, minted.ID, paistrike.Sent(minted.name.String()))
	if err != nil {
		return fmt.Errorf("revoking token %s: %w", minted.ID, err)
	}
	return nil
}
