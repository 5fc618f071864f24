package rotation

import (
	"context"
	"crypto/rand"
	"io"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/vault"
)

// Tokens is PAIStrike as the protocol sees it. [PAIStrike] adapts the client.
type Tokens interface {
	// List gives all tokens of the account, every page.
	List(ctx context.Context) ([]paistrike.Token, error)
	Get(ctx context.Context, id string) (paistrike.Token, error)
	// Create mints once. A lost reply is a [*paistrike.UnknownOutcomeError].
	Create(ctx context.Context, name string, expiresAt time.Time) (paistrike.Minted, error)
	// Verify calls PAIStrike with the given secret.
	Verify(ctx context.Context, secret secret.Secret) error
	// Revoke ends a token; one that is gone already is no error.
	Revoke(ctx context.Context, id string) error
	// ServerTime is PAIStrike's clock, false before its first answer.
	ServerTime() (time.Time, bool)
}

// Store is Vault as the protocol sees it; [*vault.Client] is one.
type Store interface {
	Mount(ctx context.Context, namespace, mount string) (vault.Mount, error)
	Capabilities(ctx context.Context, namespace string, paths ...string) (map[string][]string, error)
	TokenTTL(ctx context.Context) (time.Duration, error)
	ServerTime(ctx context.Context) (time.Time, error)
	Metadata(ctx context.Context, at entry.Location) (vault.Metadata, error)
	Read(ctx context.Context, at entry.Location, version int) (vault.Entry, error)
	Publish(ctx context.Context, at entry.Location, cas int, record entry.Record) (vault.Published, error)
	Patch(ctx context.Context, at entry.Location, custom map[string]string) error
	Delete(ctx context.Context, at entry.Location, versions []int) error
	Purge(ctx context.Context, at entry.Location) error
}

// Budgets of a run.
const (
	// criticalBudget bounds mint, verify and publish together. They are not
	// cancelled halfway: a token minted must be published, or revoked.
	criticalBudget = 90 * time.Second
	// cleanupBudget bounds what is undone after a failure.
	cleanupBudget = 30 * time.Second
	// minVaultTTL is what the Vault token must still live before a token is minted.
	minVaultTTL = 2 * criticalBudget
)

// Engine runs the protocol for any number of Vault entries. It is safe for
// concurrent use: entries run in parallel, runs on one entry follow each other.
// One engine serves one run of Terraform or of the action, because it lists
// PAIStrike's tokens once and keeps the list.
type Engine struct {
	tokens    Tokens
	store     Store
	random    io.Reader
	sleep     func(context.Context, time.Duration) error
	inventory inventory
	entries   keyedLock
	glances   glances
}

// Option changes what an [Engine] takes from its surroundings.
type Option func(*Engine)

// WithRandom sets the source of nonces.
func WithRandom(random io.Reader) Option { return func(e *Engine) { e.random = random } }

// WithSleep sets how the engine waits between attempts.
func WithSleep(sleep func(context.Context, time.Duration) error) Option {
	return func(e *Engine) { e.sleep = sleep }
}

// New makes an engine. It does no I/O.
func New(tokens Tokens, store Store, options ...Option) *Engine {
	e := &Engine{tokens: tokens, store: store, random: rand.Reader, sleep: wait}
	e.inventory.turn = make(chan struct{}, 1)
	for _, option := range options {
		option(e)
	}
	return e
}

// Forget drops what [Engine.Inspect] keeps of an entry for a run that will not come.
func (e *Engine) Forget(at entry.Location) { e.glances.take(at) }

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// PAIStrike adapts the API client to [Tokens].
type PAIStrike struct{ *paistrike.Client }

// Verify asks PAIStrike who the secret belongs to; any answer but success is an
// error.
func (p PAIStrike) Verify(ctx context.Context, secret secret.Secret) error {
	_, err := p.As(secret).Self(ctx)
	return err
}
