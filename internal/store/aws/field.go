package aws

import (
	"context"
	"encoding/json"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
)

// ReadField reads the field at.Key of the current version, whoever wrote it. It makes one
// request and needs only the permission GetSecretValue. If the value is just the token, a
// second request reads its record. If the value is a record, ReadField uses the field that
// the record names. A secret that is absent or deleted, and a field that does not exist,
// are not errors.
func (s *Store) ReadField(ctx context.Context, at entry.Location) (entry.Field, error) {
	if err := s.open(ctx); err != nil {
		return entry.Field{}, err
	}
	out, err := s.session.secrets.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{
		SecretId: sdk.String(at.Path), VersionStage: sdk.String(current),
	}, s.reading(at.Region))
	switch {
	case isNotFound(err):
		return entry.Field{Condition: entry.Absent}, nil
	case isInvalidRequest(err):
		return entry.Field{Condition: entry.Deleted}, nil
	case err != nil:
		return entry.Field{}, explain(err)
	}
	id := sdk.ToString(out.VersionId)
	if isRecord(entry.Revision(id)) {
		return entry.Field{Condition: entry.Absent}, nil
	}
	var data map[string]any
	field := entry.Field{Condition: entry.Live}
	if json.Unmarshal([]byte(sdk.ToString(out.SecretString)), &data) == nil {
		field = entry.ReadField(at.Key, data)
	} else {
		field.Secret = secret.New(sdk.ToString(out.SecretString)) // any text may be a secret
		if ourVersion.MatchString(id) {
			field.Record, _ = s.plainRecord(ctx, at, id, field.Secret.Reveal()) // a consumer may lack the permission
		}
	}
	field.Revision = entry.Revision(id)
	field.Time, _ = s.clock.time()
	return field, nil
}
