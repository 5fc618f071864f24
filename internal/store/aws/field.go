package aws

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
)

// Field is one field of a secret as a consumer sees it.
type Field struct {
	Revision  entry.Revision // zero if Condition is [entry.Absent]
	Condition entry.Condition
	// Secret is zero if the value has no such field, or not as a text. A value that is no
	// JSON object is itself the secret.
	Secret secret.Secret
	// Names are those of all fields, in order. No value is among them.
	Names []string
	// Record is what is known of the token, nil if the value is not a record of this
	// project.
	Record *entry.Record
	// Time is AWS's clock when it answered.
	Time time.Time
}

// ReadField reads the field at.Key of the current version, whoever wrote it, with one
// request and the right to GetSecretValue alone. If the value is a record, the field that
// the record names counts. A secret that is absent or deleted, and a field that is not
// there, are no error.
func (s *Store) ReadField(ctx context.Context, at entry.Location) (Field, error) {
	if err := s.open(ctx); err != nil {
		return Field{}, err
	}
	out, err := s.session.secrets.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{
		SecretId: sdk.String(at.Path), VersionStage: sdk.String(current),
	}, s.reading(at.Region))
	switch {
	case isNotFound(err):
		return Field{Condition: entry.Absent}, nil
	case isInvalidRequest(err):
		return Field{Condition: entry.Deleted}, nil
	case err != nil:
		return Field{}, explain(err)
	}
	field := Field{Revision: entry.Revision(sdk.ToString(out.VersionId)), Condition: entry.Live}
	field.Time, _ = s.clock.time()
	var data map[string]any
	if json.Unmarshal([]byte(sdk.ToString(out.SecretString)), &data) != nil {
		field.Secret = secret.New(sdk.ToString(out.SecretString))
		return field, nil //nolint:nilerr // any text may be a secret
	}
	field.Names = slices.Sorted(maps.Keys(data))
	if record, problem := entry.DecodeRecord(at.Key, data); problem == nil {
		field.Record, field.Secret = &record, record.Secret
		return field, nil
	}
	if text, ok := data[cmp.Or(at.Key, entry.DefaultKey)].(string); ok {
		field.Secret = secret.New(text)
	}
	return field, nil
}
