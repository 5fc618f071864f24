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

// Tokens is the part of PAIStrike's API that the protocol needs. [PAIStrike] implements it
// with the client.
type Tokens interface {
	// List returns all tokens of the account. It never returns a partial list without an
	// error.
	List(ctx context.Context) ([]paistrike.Token, error)
	Get(ctx context.Context, id string) (paistrike.Token, error)
	// Create mints one token and is sent once. If the response is lost, it returns a
	// [*paistrike.UnknownOutcomeError].
	Create(ctx context.Context, name string, expiresAt time.Time) (paistrike.Minted, error)
	// Verify calls PAIStrike with the given secret and returns an error unless that
	// succeeds.
	Verify(ctx context.Context, value secret.Secret) error
	// Revoke revokes a token. It returns nil only if the token was then seen as revoked.
	Revoke(ctx context.Context, id string) error
	// MayBeOwn reports whether a token is, or may be, the management token of these calls.
	MayBeOwn(ctx context.Context, id string) (bool, error)
	// As returns the same account, called with a different token.
	As(value secret.Secret) Tokens
	// ServerTime returns PAIStrike's clock, and false before its first response.
	ServerTime() (time.Time, bool)
	// Endpoint identifies the service: scheme, host, port, and path prefix.
	Endpoint() string
	// DropsRevoked reports whether revoked tokens leave the list, so that absence from it
	// means revoked.
	DropsRevoked() bool
}

// Store is a secret store as the protocol uses it. Revisions are opaque: the protocol
// knows only which revision another was written on top of. An error with information for
// the user wraps an [*entry.Failure].
type Store interface {
	// Check returns an error for anything that would prevent a publication on top of base,
	// or would end the store's own credential before needed has passed. It is called
	// before a token is minted.
	Check(ctx context.Context, at entry.Location, base entry.Revision, needed time.Duration) error
	// Look reads what is known about an entry without its secret. An entry that does not
	// exist is not an error.
	Look(ctx context.Context, at entry.Location) (entry.Glance, error)
	// Read reads the current version with its data.
	Read(ctx context.Context, at entry.Location) (entry.Version, error)
	// After reads the version that was written on top of base, or reports it as absent.
	After(ctx context.Context, at entry.Location, base entry.Revision) (entry.Version, error)
	// Publish writes a record if base is still the current revision. It sends the write
	// once. Unless the error is [entry.ErrRefused], the record may have been written.
	Publish(ctx context.Context, at entry.Location, base entry.Revision, record entry.Record) (entry.Published, error)
	// Describe writes the mirror, including every key of it.
	Describe(ctx context.Context, at entry.Location, mirror entry.Mirror) error
	// Close ends an entry whose current revision is tombstone. It returns
	// [entry.ErrSuperseded] if another revision is current.
	Close(ctx context.Context, at entry.Location, tombstone entry.Revision, mirror entry.Mirror, how entry.Ending) error
	// Now returns the store's clock, or [entry.ErrUnavailable] if the store cannot serve
	// any client.
	Now(ctx context.Context) (time.Time, error)
}

// Time limits of a run.
const (
	// criticalBudget limits mint, verify and publish together. They are not canceled
	// halfway: a minted token must be published or revoked.
	criticalBudget = 90 * time.Second
	// cleanupBudget limits the cleanup after a failure.
	cleanupBudget = 30 * time.Second
	// neededLife is how long the store's credential must remain valid before a mint.
	neededLife = 2 * criticalBudget
)

// Engine runs the protocol for any number of entries of one store. It is safe for
// concurrent use: different entries run in parallel, runs on the same entry one after the
// other. Create one engine for each run of Terraform or of the action, because an engine
// lists PAIStrike's tokens once and keeps the list. In a run with two stores, both engines
// share an [Inventory].
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

// Option configures an [Engine].
type Option func(*Engine)

// WithRandom sets the source of nonces.
func WithRandom(random io.Reader) Option { return func(e *Engine) { e.random = random } }

// WithSleep sets the function that waits between attempts.
func WithSleep(sleep func(context.Context, time.Duration) error) Option {
	return func(e *Engine) { e.sleep = sleep }
}

// WithNow sets the clock of this machine, the third of the three time sources.
func WithNow(now func() time.Time) Option { return func(e *Engine) { e.now = now } }

// WithInventory shares the token list with other engines that call the same account.
func WithInventory(shared *Inventory) Option { return func(e *Engine) { e.inventory = shared } }

// New returns an engine. It does no I/O.
func New(tokens Tokens, store Store, options ...Option) *Engine {
	e := &Engine{tokens: tokens, store: store, random: rand.Reader, sleep: wallclock.Wait, now: wallclock.Now, together: OneByOne, inventory: NewInventory(), entries: &keyedLock{}}
	for _, option := range options {
		option(e)
	}
	return e
}

// PAIStrike adapts the API client to [Tokens].
type PAIStrike struct{ *paistrike.Client }

// As returns the same client with a different token.
func (p PAIStrike) As(value secret.Secret) Tokens { return PAIStrike{p.Client.As(value)} }

// Verify asks PAIStrike which token the secret belongs to. Any response but success is an
// error.
func (p PAIStrike) Verify(ctx context.Context, value secret.Secret) error {
	_, err := p.Client.As(value).Self(ctx)
	return err
}
