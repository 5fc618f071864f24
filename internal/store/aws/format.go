package aws

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
)

// Format is the format of a secret's value.
type Format string

// The formats.
const (
	// JSON is an object with the token in one field and its record in others.
	JSON Format = "json"
	// Plain is the token alone. Its record is a separate version with an ID derived from
	// that of the token. AWS never changes a version, so no one can give a token a
	// different record.
	Plain Format = "plain"
)

const (
	// formatTag stores the format of a secret whose value cannot be read. It is a hint: a
	// value that can be read takes precedence.
	formatTag = "paistrike_format"
	// recordLabel is attached to the record of the current token, so that AWS does not
	// remove it.
	recordLabel = "PAISTRIKE_RECORD"
	// recordEnding is the suffix of a record's version ID after the ID of its token.
	recordEnding = "-record"
)

// ourVersion matches what [versionID] returns.
var ourVersion = regexp.MustCompile(`^paistrike-[0-9]{14}-[^-]+$`)

// isRecord reports whether a version contains only a record, and so serves no token. AWS
// makes the first version of a secret current whatever it is, so such a version may be
// current for a moment.
func isRecord(id entry.Revision) bool { return strings.HasSuffix(string(id), recordEnding) }

// formatOf returns the format for a publication: the one in the settings, or else that of
// the existing value.
func (s *Store) formatOf(at entry.Location) Format {
	s.mu.Lock()
	defer s.mu.Unlock()
	format := Format(s.seen[at.Entry()].metadata[formatTag])
	if read, ok := s.formats[at.Entry()]; ok {
		format = read
	}
	if wanted := s.settings[at.Entry()].Format; wanted != "" {
		format = wanted
	}
	if format == Plain {
		return Plain
	}
	return JSON
}

// Format returns the format in the metadata of a secret when it was last looked at.
func (s *Store) Format(at entry.Location) Format {
	s.mu.Lock()
	defer s.mu.Unlock()
	if Format(s.seen[at.Entry()].metadata[formatTag]) == Plain {
		return Plain
	}
	return JSON
}

// noteFormat stores the format of the current value.
func (s *Store) noteFormat(at entry.Location, format Format) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.formats[at.Entry()] = format
}

// withoutSecret returns a record for a separate version: every field except those with the
// token.
func withoutSecret(data map[string]any, token secret.Secret) (string, error) {
	rest := map[string]any{}
	for field, value := range data {
		if value != token.Reveal() {
			rest[field] = value
		}
	}
	text, err := json.Marshal(rest)
	if err != nil {
		return "", errors.New("the record could not be written as JSON")
	}
	return string(text), nil
}

// plainRecord reads the record of a version that is just a token. If there is no record, this
// project did not write the version, and the error is an [*entry.ForeignError].
func (s *Store) plainRecord(ctx context.Context, at entry.Location, id, token string) (*entry.Record, error) {
	out, err := s.session.secrets.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{
		SecretId: sdk.String(at.Path), VersionId: sdk.String(id + recordEnding),
	}, s.reading(at.Region))
	switch {
	case isNotFound(err):
		return nil, &entry.ForeignError{Reason: "the value is not a JSON object, and has no record"}
	case err != nil:
		return nil, explain(err)
	}
	var data map[string]any
	if json.Unmarshal([]byte(sdk.ToString(out.SecretString)), &data) != nil {
		return nil, &entry.ForeignError{Reason: "its record is not a JSON object"}
	}
	data[entry.DefaultKey] = token
	record, err := entry.DecodeRecord(entry.DefaultKey, data)
	if err != nil {
		return nil, err
	}
	return &record, nil
}

// keepRecord attaches recordLabel to the record of the current token. A run that lost a
// race, or was killed, may have moved the label to another record. The next run repairs
// that, so a failure does no harm: AWS removes nothing within a day.
func (s *Store) keepRecord(ctx context.Context, at entry.Location) {
	d, err := s.describe(ctx, at)
	if err != nil || !ourVersion.MatchString(string(d.current)) || d.record == d.current+recordEnding || s.begin(ctx) != nil {
		return
	}
	_, _ = s.session.secrets.UpdateSecretVersionStage(ctx, &secretsmanager.UpdateSecretVersionStageInput{
		SecretId: sdk.String(at.Path), VersionStage: sdk.String(recordLabel),
		RemoveFromVersionId: given(string(d.record)), MoveToVersionId: sdk.String(string(d.current) + recordEnding),
	}, s.writing(at.Region))
}
