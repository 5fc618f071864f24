package rotation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
)

// preflight performs S1: it checks everything that could refuse the rotation before a
// token exists.
func (e *Engine) preflight(ctx context.Context, o observation, r Request) error {
	if keeps := o.Lifespan; keeps > 0 && (r.Policy.Lifetime == 0 || keeps < r.Policy.Lifetime) {
		return versionsExpire(o.At, keeps)
	}
	if err := e.store.Check(ctx, o.At, o.Revision, neededLife); err != nil {
		return storeFailed(o.At, err)
	}
	return nil
}

// mint is a newly created token with the name that was sent.
type mint struct {
	paistrike.Minted
	name Name
}

// mint performs S3. Each create is sent once. If its outcome is unknown, the token is
// looked up by its unique name and revoked, because its secret is lost. Then one more
// token is minted, under a new name.
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
			// Do not revoke the ID in the response: that token belongs to someone else.
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
				return mint{}, createUnreadable(o, *lost) // another attempt would end the same way
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
// its ID.
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

// minter adapts the engine to [paistrike.Mint]: its list, and its revocation.
type minter struct{ e *Engine }

// Create sends one create.
func (m minter) Create(ctx context.Context, name string, expiresAt time.Time) (paistrike.Minted, error) {
	return m.e.tokens.Create(ctx, name, expiresAt)
}

// List fetches the list again.
func (m minter) List(ctx context.Context) ([]paistrike.Token, error) {
	if err := m.e.reload(ctx, true); err != nil {
		return nil, err
	}
	return slices.Collect(m.e.inventory.all()), nil
}

// End revokes a token if the warrant covers it.
func (m minter) End(ctx context.Context, id string, by paistrike.Warrant) error {
	return m.e.end(ctx, id, by)
}

// newName returns the name of a token for the next generation. The incarnation is that of
// the record, or a new one.
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

// inFlight is how long an unused token may still be on its way to the store.
const inFlight = 15 * time.Minute

// nextGen returns a generation above all that the record, the mirror, Terraform's state,
// and the token names of the slot have shown, so that a consumer that waits for a higher
// number sees one even after a restore. An unused token that may still be in flight does
// not count: check-and-set decides which of the two tokens becomes the next generation.
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

// verifyTries limits the attempts to verify a new token. A service may need a moment
// before it accepts a token everywhere.
const verifyTries = 5

// verify performs S4: a token that PAIStrike does not accept is not published. If
// PAIStrike keeps refusing the token, it is revoked.
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

// discard revokes a token of ours that will not be published. The response to the create
// is not sufficient evidence for that, so the token is read again.
func (e *Engine) discard(ctx context.Context, minted mint) error {
	e.inventory.forget(minted.ID)
	err := e.end(ctx, minted.ID, paistrike.Sent(minted.name.String()))
	if err != nil {
		return fmt.Errorf("revoking token %s: %w", minted.ID, err)
	}
	return nil
}
