package rotation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/vault"
)

// preflight is S1: everything that can refuse is asked before a token exists.
func (e *Engine) preflight(ctx context.Context, o observation, r Request) error {
	if after := shortest(o.meta.DeleteVersionAfter, o.mount.DeleteVersionAfter); after > 0 && (r.Policy.Lifetime == 0 || after < r.Policy.Lifetime) {
		return versionsExpire(o.at, after)
	}
	data, meta := o.at.Mount+"/data/"+o.at.Path, o.at.Mount+"/metadata/"+o.at.Path
	has, err := e.store.Capabilities(ctx, o.at.Namespace, data, meta)
	if err != nil && !vault.IsForbidden(err) {
		return vaultFailed(o.at, err)
	}
	if err == nil {
		needs := []string{"create", "update"}
		if o.version() > 0 {
			needs = []string{"update"}
		}
		if missing := lacking(has[data], needs); len(missing) > 0 {
			return lacksCapabilities(data, missing, has[data])
		}
		if missing := lacking(has[meta], []string{"patch"}); len(missing) > 0 {
			return lacksCapabilities(meta, missing, has[meta])
		}
	}
	ttl, err := e.store.TokenTTL(ctx)
	if err != nil {
		return vaultFailed(o.at, err)
	}
	if ttl > 0 && ttl < minVaultTTL {
		return vaultTokenTooShort(ttl)
	}
	return nil
}

func shortest(a, b time.Duration) time.Duration {
	if a == 0 || (b != 0 && b < a) {
		return b
	}
	return a
}

func lacking(has, needs []string) []string {
	if slices.Contains(has, "root") || slices.Contains(has, "sudo") {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(needs), func(need string) bool { return slices.Contains(has, need) })
}

// mint is a token just created, and the name it was given.
type mint struct {
	paistrike.Minted
	name Name
}

// mint is S3. A create is sent once; where its outcome is unknown the token is
// looked for by its unique name, revoked if it is there, because its secret is
// lost, and one more is minted under a new name.
func (e *Engine) mint(ctx context.Context, o observation, r Request, result *Result) (mint, error) {
	var quota bool
	for attempt := 1; ; attempt++ {
		name, err := e.newName(o, r)
		if err != nil {
			return mint{}, err
		}
		expires := r.Policy.Expiry(o.clock.PAIStrike)
		minted, err := e.tokens.Create(ctx, name.String(), expires)
		var unknown *paistrike.UnknownOutcomeError
		switch {
		case err == nil:
			e.inventory.note(minted.Token)
			if !minted.ExpiresAt.Equal(expires) {
				result.note(otherExpiry(expires, minted.ExpiresAt))
			}
			return mint{Minted: minted, name: name}, nil
		case errors.As(err, &unknown):
			found, lookErr := e.resolveMint(ctx, name, result)
			var unreadable *paistrike.AnswerError
			switch {
			case errors.As(err, &unreadable):
				return mint{}, createUnreadable(o, name.String(), found, err) // another would end the same
			case lookErr != nil || (attempt > 1 && !found):
				return mint{}, createUnknown(o, name.String(), expires, err)
			case attempt > 2:
				return mint{}, createsLost(o, attempt, err)
			}
		case paistrike.IsLimitReached(err) && !quota:
			quota = true
			before := len(result.Retired) + len(result.Swept)
			e.retire(ctx, o, r.Policy, result)
			e.sweep(ctx, o, strays(o), result)
			if len(result.Retired)+len(result.Swept) == before {
				return mint{}, mintFailed(o, name.String(), err)
			}
		default:
			return mint{}, mintFailed(o, name.String(), err)
		}
	}
}

// resolveMint finds out what became of a create without an answer. It reports
// whether a token was found; it has been revoked then.
func (e *Engine) resolveMint(ctx context.Context, name Name, result *Result) (bool, error) {
	if err := e.reload(ctx, true); err != nil {
		return false, err
	}
	for _, token := range e.inventory.slot(name.Slot) {
		if token.Name != name.String() || token.Status == paistrike.StatusRevoked {
			continue
		}
		if err := e.revoke(ctx, token.ID); err != nil {
			return true, fmt.Errorf("revoking token %s, whose secret was lost: %w", token.ID, err)
		}
		result.note(createLost(token.ID, token.Name))
		return true, nil
	}
	return false, nil
}

// newName names a token for the version that was observed. The incarnation is the
// record's, or begins here.
func (e *Engine) newName(o observation, r Request) (Name, error) {
	nonce, err := newNonce(e.random, nonceLength)
	if err != nil {
		return Name{}, err
	}
	inc := nonce[:incLength]
	if o.entry.Record != nil && o.entry.Record.Slot == o.slot && o.entry.Record.Inc != "" {
		inc = o.entry.Record.Inc
	}
	return Name{Label: r.Label, Slot: o.slot, Inc: inc, Base: o.version(), Nonce: nonce}, nil
}

// verifyTries is how often a new token is tried: a service may need a moment to
// know a token everywhere.
const verifyTries = 5

// verify is S4: no token is published that PAIStrike does not accept. A token that
// stays refused is revoked.
func (e *Engine) verify(ctx context.Context, o observation, minted paistrike.Minted) error {
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
	return verifyFailed(o, minted.Token, verifyTries, e.revoke(cleanup, minted.ID), err)
}
