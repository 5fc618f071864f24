package aws

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
)

// versionID returns the ID that a run chooses for its version: 33 characters, of the 32 to
// 64 that AWS accepts. No other run uses it, so putting the version again changes nothing.
func versionID(record entry.Record) string {
	return fmt.Sprintf("paistrike-%014d-%s", record.Gen, record.Op)
}

// Check finds out, before a token is minted, what would prevent its publication. AWS
// offers no way to query permissions, so Check tries: it creates a secret that does not
// exist, without a value, restores a deleted one, and makes both calls of a publication
// without their required parameters.
func (s *Store) Check(ctx context.Context, at entry.Location, base entry.Revision, needed time.Duration) error {
	if err := s.open(ctx); err != nil {
		return err
	}
	held, err := s.session.config.Credentials.Retrieve(ctx)
	if err != nil {
		return explain(err)
	}
	if left := held.Expires.Sub(s.config.Now()); held.CanExpire && left < needed {
		return expiresTooSoon(left, needed)
	}
	if err := s.prepare(ctx, at, base); err != nil {
		return err
	}
	id := sdk.String(at.Path)
	if err := s.begin(ctx); err != nil {
		return err
	}
	_, err = s.session.secrets.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{SecretId: id}, s.writing(at.Region))
	if isDenied(err) {
		return explain(err)
	}
	if err := s.begin(ctx); err != nil {
		return err
	}
	_, err = s.session.secrets.UpdateSecretVersionStage(ctx,
		&secretsmanager.UpdateSecretVersionStageInput{SecretId: id, VersionStage: sdk.String(current)}, s.writing(at.Region))
	if isDenied(err) {
		return explain(err)
	}
	return nil
}

// prepare ensures that a version can be put: it creates a secret that does not exist,
// without a value, and restores a deleted one.
func (s *Store) prepare(ctx context.Context, at entry.Location, base entry.Revision) error {
	d, err := s.recall(ctx, at)
	if err != nil {
		return err
	}
	if !d.exists && base == "" {
		if err = s.create(ctx, at); !isInvalidRequest(err) { // it is scheduled for deletion
			return explain(err)
		}
		d.deleted = true
	}
	if !d.deleted {
		return nil
	}
	return s.restore(ctx, at, d)
}

// restore cancels a deletion. Whatever the response, the description of the secret
// afterwards shows whether it was restored.
func (s *Store) restore(ctx context.Context, at entry.Location, d description) error {
	if err := s.begin(ctx); err != nil {
		return err
	}
	_, err := s.session.secrets.RestoreSecret(ctx, &secretsmanager.RestoreSecretInput{SecretId: sdk.String(at.Path)}, s.writing(at.Region))
	if err == nil {
		d.exists, d.deleted = true, false
		s.remember(at, d)
		return nil
	}
	if isRefusal(err) {
		return explain(err)
	}
	now, unknown := s.describe(ctx, at)
	switch {
	case unknown != nil:
		return errors.Join(explain(err), entry.ErrMayBeRestored)
	case now.exists && !now.deleted:
		return nil
	}
	return explain(err)
}

// mark is the part of a mirror that marks an entry as ours.
var mark = map[string]string{"managed_by": "paistrike"}

// tags returns the tags of a resource's settings together with the mark, on which the
// permission to tag depends.
func (s Settings) tags() []types.Tag {
	tags := encodeTags(mark)
	for _, key := range slices.Sorted(maps.Keys(s.Tags)) {
		tags = append(tags, types.Tag{Key: sdk.String(key), Value: sdk.String(s.Tags[key])})
	}
	return tags
}

// create creates a secret without a value, marked as ours from the start.
func (s *Store) create(ctx context.Context, at entry.Location) error {
	if err := s.begin(ctx); err != nil {
		return err
	}
	wanted := s.settingsOf(at)
	_, err := s.session.secrets.CreateSecret(ctx, &secretsmanager.CreateSecretInput{
		Name: sdk.String(at.Path), KmsKeyId: given(wanted.KMSKeyID), Tags: wanted.tags(),
		Description: sdk.String("PAIStrike API token, kept by paistrike"),
	}, s.writing(at.Region))
	if err == nil || isExisting(err) {
		s.remember(at, description{exists: true})
		return nil
	}
	return err
}

// Publish puts a version and makes it current if base still is. It makes each call once.
// Unless the error is [entry.ErrRefused], the version may be current, even if moving the
// label was refused: see [Store.After].
func (s *Store) Publish(ctx context.Context, at entry.Location, base entry.Revision, record entry.Record) (entry.Published, error) {
	if err := s.open(ctx); err != nil {
		return entry.Published{}, err
	}
	plain := record.State == entry.StateActive && s.formatOf(at) == Plain
	value, beside, err := encode(at.Key, record, plain)
	if err != nil {
		return entry.Published{}, err
	}
	if err := s.prepare(ctx, at, base); err != nil {
		return entry.Published{}, refusedIf(isDenied(err), err)
	}
	id := versionID(record)
	if plain {
		if _, err := s.put(ctx, at, id+recordEnding, beside, recordLabel); err != nil {
			return entry.Published{}, err
		}
	}
	labels, err := s.put(ctx, at, id, value, pending)
	if err != nil {
		return entry.Published{}, err
	}
	if base == "" && slices.Contains(labels, current) {
		return entry.Published{Revision: entry.Revision(id)}, nil // as the first version, by AWS itself
	}
	from, err := s.under(ctx, at, base, plain)
	if err == nil {
		err = s.commit(ctx, at, from, id)
	}
	if err != nil {
		if plain {
			s.keepRecord(ctx, at)
		}
		return entry.Published{}, err
	}
	return entry.Published{Revision: entry.Revision(id)}, nil
}

// encode encodes a record as the value of a secret. In the plain format, everything but
// the token goes into beside, the value of a separate version.
func encode(key string, record entry.Record, plain bool) (value, beside string, err error) {
	if plain {
		key = entry.DefaultKey
	}
	data, err := entry.EncodeRecord(key, record)
	if err != nil {
		return "", "", err
	}
	if plain {
		beside, err = withoutSecret(data, record.Secret)
		return record.Secret.Reveal(), beside, err
	}
	text, err := json.Marshal(data)
	if err != nil {
		return "", "", errors.New("the record could not be written as JSON")
	}
	return string(text), "", nil
}

// under returns the version that AWSCURRENT will be removed from. A record without a token
// does not count as current, even if it is the first version of the secret.
func (s *Store) under(ctx context.Context, at entry.Location, base entry.Revision, plain bool) (entry.Revision, error) {
	if base != "" {
		return base, nil
	}
	look := s.recall
	if plain {
		look = s.describe // a record was just put
	}
	d, err := look(ctx, at)
	return d.blank, err
}

// put adds a version that is not current and returns its labels. The first version of a
// secret automatically becomes current.
func (s *Store) put(ctx context.Context, at entry.Location, id, value, label string) ([]string, error) {
	if err := s.begin(ctx); err != nil {
		return nil, err
	}
	out, err := s.session.secrets.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{
		SecretId: sdk.String(at.Path), ClientRequestToken: sdk.String(id), SecretString: sdk.String(value), VersionStages: []string{label},
	}, s.writing(at.Region))
	if err != nil {
		return nil, refusedIf(isDenied(err), explain(err))
	}
	return out.VersionStages, nil
}

// commit makes a version current if base still is: the only check-and-set that AWS has.
// Without a base it fails if any version is current. If AWS refuses, the version loses its
// label, and AWS eventually removes it.
func (s *Store) commit(ctx context.Context, at entry.Location, base entry.Revision, id string) error {
	if err := s.begin(ctx); err != nil {
		return err
	}
	_, err := s.session.secrets.UpdateSecretVersionStage(ctx, &secretsmanager.UpdateSecretVersionStageInput{
		SecretId: sdk.String(at.Path), VersionStage: sdk.String(current),
		RemoveFromVersionId: given(string(base)), MoveToVersionId: sdk.String(id),
	}, s.writing(at.Region))
	if err == nil {
		return nil
	}
	if isRefusal(err) && s.begin(ctx) == nil {
		_, _ = s.session.secrets.UpdateSecretVersionStage(ctx, &secretsmanager.UpdateSecretVersionStageInput{
			SecretId: sdk.String(at.Path), VersionStage: sdk.String(pending), RemoveFromVersionId: sdk.String(id),
		}, s.writing(at.Region))
	}
	return refusedIf(isDenied(err), explain(err))
}

func refusedIf(refused bool, err error) error {
	if refused {
		return errors.Join(entry.ErrRefused, err)
	}
	return err
}

// errBehind reports that a version is current and cannot be read.
var errBehind = errors.New("AWS does not yet return the version that is current")

// maxSteps limits how far [Store.After] goes back.
const maxSteps = 10

// After reads the version that became current on top of base, whether it is still current
// or not. It goes back from the current version, because each record names the version
// that was current before it. A version that was put and never became current is not
// found. After returns an error if the current version or its record cannot be read: AWS's
// reads may lag behind its writes, so a missing version does not show who wrote it.
func (s *Store) After(ctx context.Context, at entry.Location, base entry.Revision) (entry.Version, error) {
	d, err := s.describe(ctx, at)
	if err != nil || d.current == base {
		return entry.Version{Condition: entry.Absent}, err
	}
	newest, err := s.versionOf(ctx, at, d.current, d.previous)
	if err != nil {
		return entry.Version{}, err
	}
	if newest.Condition != entry.Live { // it was deleted, perhaps just now: describe it again
		if d, err = s.describe(ctx, at); err != nil {
			return entry.Version{}, err
		}
		if d.condition() == entry.Live {
			return entry.Version{}, errBehind
		}
		return d.version(), nil
	}
	if newest.Record == nil && ourVersion.MatchString(string(newest.Revision)) {
		return entry.Version{}, errBehind
	}
	newest.Closed = d.closed()
	for step, v := 0, newest; step < maxSteps; step++ {
		switch {
		case step > 0 && v.Record == nil:
			return newest, nil // the history is broken here
		case v.Follows == base:
			return v, nil
		case v.Record == nil || v.Follows == "":
			return newest, nil
		}
		if v, err = s.versionOf(ctx, at, v.Follows, ""); err != nil {
			return entry.Version{}, err
		}
	}
	return newest, nil
}

// versionOf reads a version by its ID. The base in its record takes precedence over the
// labels, because moving a label manually publishes nothing.
func (s *Store) versionOf(ctx context.Context, at entry.Location, id, follows entry.Revision) (entry.Version, error) {
	v, err := s.read(ctx, at, &secretsmanager.GetSecretValueInput{VersionId: sdk.String(string(id))})
	v.Follows = follows
	if v.Record != nil {
		v.Follows = v.Record.Base
	}
	return v, err
}
