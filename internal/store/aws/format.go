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

// Format says what the value of a secret is.
type Format string

// The formats.
const (
	// JSON is an object with the token in one field and its record in others.
	JSON Format = "json"
	// Plain is the token alone. Its record is a version of its own, whose id derives from
	// that of the token: AWS never changes a version, so nobody can give a token another
	// record.
	Plain Format = "plain"
)

const (
	// formatTag tells the format of a secret that cannot be read. It is a hint: what can be
	// read goes before it.
	formatTag = "paistrike_format"
	// recordLabel is on the record of the current token, so that AWS does not remove it.
	recordLabel = "PAISTRIKE_RECORD"
	// recordEnding is what the id of a record has after that of its token.
	recordEnding = "-record"
)

// ourVersion is what [versionID] returns.
var ourVersion = regexp.MustCompile(`^paistrike-[0-9]{14}-[^-]+$`)

// isRecord reports that a version holds a record, and so serves nobody. AWS makes the
// first version of a secret current whatever it is, and for a moment that may be one.
func isRecord(id entry.Revision) bool { return strings.HasSuffix(string(id), recordEnding) }

// formatOf returns the format that a publication writes: what the resource asks for, else
// that of the value that is there.
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

// Format returns the format that the metadata of a secret told when it was looked at.
func (s *Store) Format(at entry.Location) Format {
	s.mu.Lock()
	defer s.mu.Unlock()
	if Format(s.seen[at.Entry()].metadata[formatTag]) == Plain {
		return Plain
	}
	return JSON
}

// noteFormat keeps the format of the current value.
func (s *Store) noteFormat(at entry.Location, format Format) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.formats[at.Entry()] = format
}

// withoutSecret is a record for a version of its own: every field but those that hold the
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

// plainRecord reads the record of a version that is a token alone. A version without one
// was not written by this project.
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

// keepRecord sees to it that the record of the current token has the label that keeps it.
// A run that lost, or was killed, may have moved the label to a record of its own. The
// next run does it again, so a failure does no harm: AWS removes nothing within a day.
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
