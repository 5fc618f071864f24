package aws

import (
	"context"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
)

// pageSize is the maximum page size of AWS.
const pageSize = 100

// List returns the secrets of a region whose names begin with the path of a folder. It
// returns no folders, because AWS has none. It makes one request for every hundred
// secrets. The result may be minutes old. [Store.Listed] returns its details.
func (s *Store) List(ctx context.Context, folder entry.Location) (entries, folders []entry.Location, err error) {
	if err := s.open(ctx); err != nil {
		return nil, nil, err
	}
	in := &secretsmanager.ListSecretsInput{MaxResults: sdk.Int32(pageSize)}
	prefix := ""
	if path := strings.Trim(folder.Path, "/"); path != "" {
		prefix = path + "/"
		in.Filters = []types.Filter{{Key: types.FilterNameStringTypeName, Values: []string{prefix}}}
	}
	pages := secretsmanager.NewListSecretsPaginator(s.session.secrets, in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx, s.reading(folder.Region))
		if err != nil {
			return nil, nil, explain(err)
		}
		for _, secret := range page.SecretList {
			at := folder.Entry()
			at.Path = sdk.ToString(secret.Name)
			if !strings.HasPrefix(at.Path, prefix) {
				continue
			}
			entries = append(entries, at)
			s.noteListed(at, describe(sdk.ToString(secret.ARN), secret.Tags, secret.SecretVersionsToStages, secret.DeletedDate != nil))
		}
	}
	return entries, nil, nil
}

func (s *Store) noteListed(at entry.Location, d description) {
	s.noteAccount(d.account)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listed[at.Entry()] = d
}

// Listed returns what the last list showed of an entry, and false if the list did not
// contain it. The list may be minutes old, so it can only establish that an entry needs no
// work.
func (s *Store) Listed(ctx context.Context, at entry.Location) (entry.Glance, bool, error) {
	s.mu.Lock()
	d, ok := s.listed[at.Entry()]
	s.mu.Unlock()
	if !ok {
		return entry.Glance{}, false, nil
	}
	g, err := s.glance(ctx, at, d)
	return g, err == nil, err
}
