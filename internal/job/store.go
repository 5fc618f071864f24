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

// Values of the input store.
const (
	storeVault = "vault"
	storeAWS   = "aws"
)

// store is the secret store of a run. Its own methods return errors with user-facing
// messages.
type store interface {
	rotation.Store
	fleet.Lister
	// field reads the field that the settings name, whether or not the provider wrote it. It
	// retries as configured.
	field(ctx context.Context) (entry.Field, error)
	// listFailed returns the error for a failed listing, and nothingFound the error for an
	// empty one.
	listFailed(ctx context.Context, folder entry.Location, err error) error
	nothingFound(folder entry.Location) error
	// nothingThere returns the error for an entry without a secret in the field.
	nothingThere(field entry.Field) error
	// leave revokes the credentials of a login.
	leave(ctx context.Context)
}

// open returns the configured store.
func (s *session) open() (store, error) {
	if s.set.store == storeAWS {
		return s.openAWS(), nil
	}
	return s.openVault()
}

// fromStore reads the credential and then leaves the store, because the login served only
// that read.
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

// credential reads the token for calls to PAIStrike and masks it.
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

// remaining returns the time until expires. ends is false if expires is zero, which means
// never.
func remaining(expires, now time.Time) (left time.Duration, ends bool) {
	if expires.IsZero() {
		return 0, false
	}
	return expires.Sub(now), true
}

// withoutBreak removes one trailing line break, which a terminal adds to typed input, as with
// `vault kv put secret/ci/broker token=-`.
func withoutBreak(value secret.Secret) secret.Secret {
	text := strings.TrimSuffix(value.Reveal(), "\n")
	return secret.New(strings.TrimSuffix(text, "\r"))
}
