package aws

import (
	"context"
	"slices"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
)

// The staging labels. AWS automatically moves AWSPREVIOUS to the version that AWSCURRENT
// is removed from.
const (
	current  = "AWSCURRENT"
	previous = "AWSPREVIOUS"
	// pending marks a version that was put and is not yet current: a version cannot be put
	// without a label unless it becomes current at once.
	pending = "PAISTRIKE"
)

// description is the part of a secret that AWS shows without its value.
type description struct {
	exists   bool
	account  string
	current  entry.Revision // ID of the version with the label AWSCURRENT
	previous entry.Revision
	record   entry.Revision // ID of the version with the label recordLabel
	blank    entry.Revision // a record that is current because it was the first version
	deleted  bool           // it can be restored until the end of its recovery window
	metadata map[string]string
	tags     map[string]string // as AWS returns them
}

func describe(arn string, tags []types.Tag, stages map[string][]string, deleted bool) description {
	d := description{exists: true, account: accountOf(arn), deleted: deleted}
	plain := make(map[string]string, len(tags))
	for _, tag := range tags {
		plain[sdk.ToString(tag.Key)] = sdk.ToString(tag.Value)
	}
	d.metadata, d.tags = decodeTags(plain), plain
	for id, labels := range stages {
		if slices.Contains(labels, current) {
			d.current = entry.Revision(id)
		}
		if slices.Contains(labels, previous) {
			d.previous = entry.Revision(id)
		}
		if slices.Contains(labels, recordLabel) {
			d.record = entry.Revision(id)
		}
	}
	if isRecord(d.current) {
		d.current, d.blank = "", d.current
	}
	if isRecord(d.previous) {
		d.previous = ""
	}
	return d
}

// accountOf returns the account in an ARN, such as
// arn:aws:secretsmanager:eu-central-1:123456789012:secret:ci/paistrike-AbCdEf.
func accountOf(arn string) string {
	if parts := strings.SplitN(arn, ":", 6); len(parts) == 6 {
		return parts[4]
	}
	return ""
}

func (d description) condition() entry.Condition {
	switch {
	case d.current == "":
		return entry.Absent
	case d.deleted:
		return entry.Deleted
	}
	return entry.Live
}

// glance returns the description as an [entry.Glance].
func (d description) glance(slots []string, identity string) entry.Glance {
	g := entry.Glance{Slots: slots, Identity: identity, Revision: d.current, Follows: d.previous, Condition: d.condition()}
	g.Managed, g.Mirror, g.Problem = entry.ReadMirror(d.metadata)
	return g
}

// version returns the current version of a secret whose value cannot be read.
func (d description) version() entry.Version {
	return entry.Version{Revision: d.current, Follows: d.previous, Condition: d.condition(), Closed: d.closed()}
}

// closed reports whether the metadata marks the entry as closed by its current version.
func (d description) closed() bool {
	managed, mirror, _ := entry.ReadMirror(d.metadata)
	return managed && mirror.State == entry.StateTombstone && mirror.Revision == d.current
}

// describe returns AWS's description of a secret. A secret that does not exist is not an
// error.
func (s *Store) describe(ctx context.Context, at entry.Location) (description, error) {
	if err := s.open(ctx); err != nil {
		return description{}, err
	}
	out, err := s.session.secrets.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: sdk.String(at.Path)}, s.reading(at.Region))
	var d description
	switch {
	case isNotFound(err):
	case err != nil:
		return description{}, explain(err)
	default:
		d = describe(sdk.ToString(out.ARN), out.Tags, out.VersionIdsToStages, out.DeletedDate != nil)
		s.noteAccount(d.account)
	}
	s.remember(at, d)
	return d, nil
}

// remember stores the latest description of a secret, so that reading its value does not
// need another request for the version that preceded it.
func (s *Store) remember(at entry.Location, d description) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen[at.Entry()] = d
}

// recall returns the latest description of a secret, or requests it.
func (s *Store) recall(ctx context.Context, at entry.Location) (description, error) {
	s.mu.Lock()
	d, ok := s.seen[at.Entry()]
	s.mu.Unlock()
	if ok {
		return d, nil
	}
	return s.describe(ctx, at)
}
