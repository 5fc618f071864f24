package aws

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
)

// Store keeps tokens in AWS Secrets Manager. Package rotation calls it. Its revisions are
// version IDs. A location is the name of a secret and a region, by default that of the
// configuration. It is safe for concurrent use.
type Store struct {
	config  Config
	session session
	clock   clock
	pace    pace

	mu       sync.Mutex
	seen     map[entry.Location]description
	listed   map[entry.Location]description
	settings map[entry.Location]Settings
	formats  map[entry.Location]Format // of the values that were read
}

// New returns a store. It does no I/O: the first call looks for credentials.
func New(config Config) *Store {
	config.setDefaults()
	return &Store{
		config: config, clock: clock{now: config.Now},
		seen: map[entry.Location]description{}, listed: map[entry.Location]description{}, settings: map[entry.Location]Settings{}, formats: map[entry.Location]Format{},
	}
}

// Set stores the settings that apply when a secret is created, published or deleted.
func (s *Store) Set(at entry.Location, settings Settings) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settings[at.Entry()] = settings
}

func (s *Store) settingsOf(at entry.Location) Settings {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.settings[at.Entry()]
}

// region returns the region of an entry.
func (s *Store) region(at entry.Location) string {
	if at.Region != "" {
		return at.Region
	}
	return s.session.config.Region
}

// Region returns the default region of the calls. It makes no request.
func (s *Store) Region(ctx context.Context) (string, error) {
	if err := s.open(ctx); err != nil {
		return "", err
	}
	return s.session.config.Region, nil
}

// identities returns what distinguishes this account and region from all others: the
// current identity first, then the former ones.
func (s *Store) identities(ctx context.Context, at entry.Location) ([]string, error) {
	identity := s.config.Identity
	if identity == "" {
		account, err := s.account(ctx)
		if err != nil {
			return nil, err
		}
		identity = account
	}
	var identities []string
	for _, one := range append([]string{identity}, s.config.FormerIdentities...) {
		identities = append(identities, one+"/"+s.region(at))
	}
	return identities, nil
}

// glance returns an entry as a description shows it.
func (s *Store) glance(ctx context.Context, at entry.Location, d description) (entry.Glance, error) {
	identities, err := s.identities(ctx, at)
	if err != nil {
		return entry.Glance{}, err
	}
	var slots []string
	for _, identity := range identities {
		slots = append(slots, entry.Slot(identity, at.Path))
	}
	return d.glance(slices.Compact(slots), identities[0]), nil
}

// Look describes the secret with one request.
func (s *Store) Look(ctx context.Context, at entry.Location) (entry.Glance, error) {
	d, err := s.describe(ctx, at)
	if err != nil {
		return entry.Glance{}, err
	}
	return s.glance(ctx, at, d)
}

// Read reads the current version.
func (s *Store) Read(ctx context.Context, at entry.Location) (entry.Version, error) {
	if err := s.open(ctx); err != nil {
		return entry.Version{}, err
	}
	v, err := s.read(ctx, at, &secretsmanager.GetSecretValueInput{VersionStage: sdk.String(current)})
	if err != nil || v.Condition == entry.Absent {
		return v, err
	}
	d, err := s.recall(ctx, at)
	if err == nil && d.current != v.Revision {
		d, err = s.describe(ctx, at)
	}
	switch {
	case err != nil:
		return entry.Version{}, err
	case d.deleted:
		return d.version(), nil
	case d.current == v.Revision:
		v.Follows = d.previous
	}
	v.Closed = d.closed()
	return v, nil
}

// read reads one version, without what preceded it. The versions of a deleted secret
// cannot be read.
func (s *Store) read(ctx context.Context, at entry.Location, in *secretsmanager.GetSecretValueInput) (entry.Version, error) {
	in.SecretId = sdk.String(at.Path)
	out, err := s.session.secrets.GetSecretValue(ctx, in, s.reading(at.Region))
	switch {
	case isNotFound(err):
		return entry.Version{Condition: entry.Absent}, nil
	case isInvalidRequest(err):
		return entry.Version{Condition: entry.Deleted}, nil
	case err != nil:
		return entry.Version{}, explain(err)
	}
	v := entry.Version{Revision: entry.Revision(sdk.ToString(out.VersionId)), Condition: entry.Live}
	if isRecord(v.Revision) {
		return entry.Version{Condition: entry.Absent}, nil
	}
	format := JSON
	v.Record, v.Problem = decode(at.Key, out.SecretString)
	if id := string(v.Revision); v.Record == nil && ourVersion.MatchString(id) {
		format = Plain
		v.Record, v.Problem = s.plainRecord(ctx, at, id, sdk.ToString(out.SecretString))
		if isInvalidRequest(v.Problem) { // it was deleted just now
			return entry.Version{Condition: entry.Deleted}, nil
		}
		if _, told := errors.AsType[*entry.Failure](v.Problem); told {
			return entry.Version{}, v.Problem
		}
	}
	if in.VersionStage != nil {
		s.noteFormat(at, format)
	}
	return v, nil
}

// decode decodes a record from a value, a JSON object with the secret in the field key.
func decode(key string, value *string) (*entry.Record, error) {
	var data map[string]any
	if value == nil || json.Unmarshal([]byte(*value), &data) != nil {
		return nil, &entry.ForeignError{Reason: "the value is not a JSON object"}
	}
	record, err := entry.DecodeRecord(key, data)
	if err != nil {
		return nil, err
	}
	return &record, nil
}

// Describe writes the whole mirror into tags with one request. For a plain value, it also
// ensures that the record has its label.
func (s *Store) Describe(ctx context.Context, at entry.Location, mirror entry.Mirror) error {
	if err := s.begin(ctx); err != nil {
		return err
	}
	metadata, format := entry.EncodeMirror(mirror), s.formatOf(at)
	if s.Format(at) != format { // a secret that is JSON, and always was, needs no such tag
		metadata[formatTag] = string(format)
	}
	_, err := s.session.secrets.TagResource(ctx, &secretsmanager.TagResourceInput{
		SecretId: sdk.String(at.Path), Tags: encodeTags(metadata),
	}, s.writing(at.Region))
	if err == nil && format == Plain && mirror.State == entry.StateActive {
		s.keepRecord(ctx, at)
	}
	return explain(err)
}

// begin waits for a turn to write.
func (s *Store) begin(ctx context.Context) error {
	if err := s.open(ctx); err != nil {
		return err
	}
	return s.pace.wait(ctx, s.config.Now, s.config.Sleep)
}

// Now returns AWS's clock according to its responses.
func (s *Store) Now(ctx context.Context) (time.Time, error) {
	if err := s.open(ctx); err != nil {
		return time.Time{}, err
	}
	if now, ok := s.clock.time(); ok {
		return now, nil
	}
	if _, err := s.account(ctx); err != nil {
		return time.Time{}, err
	}
	now, _ := s.clock.time()
	return now, nil
}
