package aws

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
)

// Close describes an entry as closed and deletes the secret. If the current version is not
// the tombstone, it changes nothing and returns [entry.ErrSuperseded]. A deleted secret
// can be restored until the end of its recovery window. A purged secret cannot.
func (s *Store) Close(ctx context.Context, at entry.Location, tombstone entry.Revision, mirror entry.Mirror, how entry.Ending) error {
	d, err := s.describe(ctx, at)
	switch {
	case err != nil:
		return err
	case !d.exists:
		return nil // already purged
	case d.current != tombstone:
		return entry.ErrSuperseded
	}
	if !d.deleted {
		if !(how == entry.EndPurge || d.says(mirror)) {
			if err := s.Describe(ctx, at, mirror); err != nil {
				return err
			}
		}
		if how == entry.EndKeep {
			return nil
		}
		if err := s.remove(ctx, at, tombstone); err != nil {
			return err
		}
	}
	if how != entry.EndPurge {
		return nil
	}
	return s.purge(ctx, at)
}

// says reports whether the metadata already contains the mirror.
func (d description) says(mirror entry.Mirror) bool {
	managed, is, problem := entry.ReadMirror(d.metadata)
	return managed && problem == nil && is.Says(mirror)
}

// remove deletes a secret with its recovery window. A deletion has no check-and-set, but
// no one can write to a deleted secret. So if another version became current before the
// deletion, remove restores the secret.
func (s *Store) remove(ctx context.Context, at entry.Location, tombstone entry.Revision) error {
	window := int64(s.settingsOf(at).RecoveryWindow)
	if window == 0 {
		window = DefaultRecoveryWindow
	}
	if err := s.begin(ctx); err != nil {
		return err
	}
	_, err := s.session.secrets.DeleteSecret(ctx, &secretsmanager.DeleteSecretInput{
		SecretId: sdk.String(at.Path), RecoveryWindowInDays: sdk.Int64(window),
	}, s.writing(at.Region))
	if err != nil && !isNotFound(err) && !isInvalidRequest(err) { // another run deleted it
		return explain(err)
	}
	d, err := s.describe(ctx, at)
	if err != nil || !d.exists || d.current == tombstone {
		return err
	}
	if err := s.prepare(ctx, at, d.current); err != nil {
		return err
	}
	return entry.ErrSuperseded
}

// purge removes a deleted secret permanently.
func (s *Store) purge(ctx context.Context, at entry.Location) error {
	if err := s.begin(ctx); err != nil {
		return err
	}
	_, err := s.session.secrets.DeleteSecret(ctx, &secretsmanager.DeleteSecretInput{
		SecretId: sdk.String(at.Path), ForceDeleteWithoutRecovery: sdk.Bool(true),
	}, s.writing(at.Region))
	if err != nil && !isNotFound(err) {
		return explain(err)
	}
	s.remember(at, description{})
	return nil
}
