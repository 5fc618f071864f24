package rotation

import (
	"context"
	"crypto/rand"
	"io"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
	"github.com/paistrike/terraform-provider-paistrike/internal/wallclock"
)

// Tokens is PAIStrike as the protocol sees it. [PAIStrike] adapts the client.
type Tokens interface {
	// List returns all tokens of the account, or an error: never a part of them.
	List(ctx context.Context) ([]paistrike.Token, error)
	Get(ctx context.Context, id string) (paistrike.Token, error)
	// Create mints once. A lost reply is a [*paistrike.UnknownOutcomeError].
	Create(ctx context.Context, name string, expiresAt time.Time) (paistrike.Minted, error)
	// Verify calls PAIStrike with the given secret.
	Verify(ctx context.Context, value secret.Secret) error
	// Revoke ends a token. It returns nil only if the token was seen to be revoked.
	Revoke(ctx context.Context, id string) error
	// MayBeOwn reports whether a token is, or may be, the one that these calls are made
	// with.
	MayBeOwn(ctx context.Context, id string) (bool, error)
	// As returns the same account, called with another token of it.
	As(value secret.Secret) Tokens
	// ServerTime is PAIStrike's clock, false before its first answer.
	ServerTime() (time.Time, bool)
	// Endpoint names the PAIStrike that is called: scheme, host, port and prefix.
	Endpoint() string
	// DropsRevoked reports that revoked tokens leave the list, so that absence from it
	// means revoked.
	DropsRevoked() bool
}

// Store is a secret store as the protocol sees it. Its revisions are opaque: the one
// thing known of them is which revision another was written on top of. An error that
// has something to tell the user wraps an [*entry.Failure].
type Store interface {
	// Check asks, before a token is minted, what would stop its publication on top of
	// base, or end the store's own credential before needed has passed.
	Check(ctx context.Context, at entry.Location, base entry.Revision, needed time.Duration) error
	// Look reads what is known of an entry without its secret. An entry that does not
	// exist is not an error.
	Look(ctx context.Context, at entry.Location) (entry.Glance, error)
	// Read reads the current version with its data.
	Read(ctx context.Context, at entry.Location) (entry.Version, error)
	// After reads the version that was written on top of base, or reports it as absent.
	After(ctx context.Context, at entry.Location, base entry.Revision) (entry.Version, error)
	// Publish writes a record if base is still the current revision, and sends it once.
	// Unless [entry.ErrRefused] holds, an error leaves open whether it was written.
	Publish(ctx context.Context, at entry.Location, base entry.Revision, record entry.Record) (entry.Published, error)
	// Describe writes the mirror, every key of it.
	Describe(ctx context.Context, at entry.Location, mirror entry.Mirror) error
	// Close ends an entry whose current revision is tombstone, else [entry.ErrSuperseded].
	Close(ctx context.Context, at entry.Location, tombstone entry.Revision, mirror entry.Mirror, how entry.Ending) error
	// Now is the store's clock. If the store can serve nobody, [entry.ErrUnavailable]
	// holds.
	Now(ctx context.Context) (time.Time, error)
}

// Budgets of a run.
const (
	// criticalBudget bounds mint, verify and publish together. They are not
	// cancelled halfway: a token minted must be published, or revoked.
	criticalBudget = 90 * time.Second
	// cleanupBudget bounds what is undone after a failure.
	cleanupBudget = 30 * time.Second
	// neededLife is how long the store's credential must last for a token to be minted.
	neededLife = 2 * criticalBudget
)

// Engine runs the protocol for any number of entries of one store. It is safe for
// concurrent use: entries run in parallel, runs on one entry follow each other. One
// engine serves one run of Terraform or of the action, because it lists PAIStrike's
// tokens once and keeps the list; the engines of a run that has two stores share it.
type Engine struct {
	tokens    Tokens
	store     Store
	random    io.Reader
	sleep     func(context.Context, time.Duration) error
	now       func() time.Time
	together  Together
	inventory *Inventory
	entries   *keyedLock
}

// Option changes what an [Engine] takes from its surroundings.
type Option func(*Engine)

// WithRandom sets the source of nonces.
func WithRandom(random io.Reader) Option { return func(e *Engine) { e.random = random } }

// WithSleep sets how the engine waits between attempts.
func WithSleep(sleep func(context.Context, time.Duration) error) Option {
	return func(e *Engine) { e.sleep = sleep }
}

// WithNow sets this machine's clock, the third witness of time.
func WithNow(now func() time.Time) Option { return func(e *Engine) { e.now = now } }

// WithInventory shares the token list with other engines that call the same account.
func WithInventory(shared *Inventory) Option { return func(e *Engine) { e.inventory = shared } }

// New makes an engine. It does no I/O.
func New(tokens Tokens, store Store, options ...Option) *Engine {
	e := &Engine{tokens: tokens, store: store, random: rand.Reader, sleep: wallclock.Wait, now: wallclock.Now, together: OneByOne, inventory: NewInventory(), entries: &keyedLock{}}
	for _, option := range options {
		option(e)
	}
	return e
}

// PAIStrike adapts the API client to [Tokens].
type PAIStrike struct{ *paistrike.Client }

// As calls with another token.
func (p PAIStrike) As(value secret.Secret) Tokens { return PAIStrike{p.Client.As(value)} }

// Verify asks PAIStrike who the secret belongs to; any answer but success is an
// error.
func (p PAIStrike) Verify(ctx context.Context, value secret.Secret) error {
	_, err := p.Client.As(value).Self(ctx)
	return err
}
