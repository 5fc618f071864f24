package job

import (
	"context"
	"strings"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/fleet"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
)

// The stores.
const (
	storeVault = "vault"
	storeAWS   = "aws"
)

// store is a secret store as a run sees it. Its own methods return errors in the words of
// the user.
type store interface {
	rotation.Store
	fleet.Lister
	// field reads the field that the settings name, whoever wrote it. It tries again as
	// often as the settings say.
	field(ctx context.Context) (entry.Field, error)
	// listFailed words that a folder could not be listed, and nothingFound that there is
	// no entry in it.
	listFailed(ctx context.Context, folder entry.Location, err error) error
	nothingFound(folder entry.Location) error
	// nothingThere words that an entry has no secret in the field.
	nothingThere(field entry.Field) error
	// leave gives back what a login got.
	leave(ctx context.Context)
}

// open chooses the store. It is the one place that does.
func (s *session) open() (store, error) {
	if s.set.store == storeAWS {
		return s.openAWS(), nil
	}
	return s.openVault()
}

// fromStore reads the credential, and leaves the store at once: one read is all that the
// login was for.
func (s *session) fromStore(ctx context.Context) (entry.Field, error) {
	if !s.set.management.IsZero() {
		return entry.Field{Secret: s.set.management}, nil
	}
	there, err := s.open()
	if err != nil {
		return entry.Field{}, err
	}
	defer there.leave(ctx)
	return s.credential(ctx, there)
}

// credential reads the entry that PAIStrike is called with, and masks what it holds.
func (s *session) credential(ctx context.Context, there store) (entry.Field, error) {
	if !s.set.management.IsZero() {
		return entry.Field{Secret: s.set.management}, nil
	}
	field, err := there.field(ctx)
	if err != nil {
		return field, err
	}
	if err := s.gh.Mask(field.Secret); err != nil {
		return field, err
	}
	field.Secret = withoutBreak(field.Secret)
	switch {
	case field.Secret.IsZero():
		return field, there.nothingThere(field)
	case !secret.IsVisible(field.Secret.Reveal()):
		return field, notOneLine(s.set.at, errNotVisible)
	}
	return field, nil
}

// remaining is how long a token still lives at now; it never ends if expires is zero.
func remaining(expires, now time.Time) (left time.Duration, ends bool) {
	if expires.IsZero() {
		return 0, false
	}
	return expires.Sub(now), true
}

// withoutBreak cuts off the one line break that a terminal adds to a value that is typed, as
// with `vault kv put secret/ci/broker token=-`.
func withoutBreak(value secret.Secret) secret.Secret {
	text := strings.TrimSuffix(value.Reveal(), "\n")
	return secret.New(strings.TrimSuffix(text, "\r"))
}
