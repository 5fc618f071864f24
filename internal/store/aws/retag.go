package aws

import (
	"context"
	"maps"
	"slices"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
)

// Retag changes the tags of an existing secret from those that a resource had before to
// those of [Store.Set]. Like the hashicorp/aws provider, it removes a tag that is no
// longer configured, unless someone has removed it or changed its value.
func (s *Store) Retag(ctx context.Context, at entry.Location, before map[string]string) error {
	wanted := s.settingsOf(at)
	if adds(before, wanted.Tags) {
		if err := s.begin(ctx); err != nil {
			return err
		}
		_, err := s.session.secrets.TagResource(ctx, &secretsmanager.TagResourceInput{
			SecretId: sdk.String(at.Path), Tags: wanted.tags(),
		}, s.writing(at.Region))
		if err != nil {
			return explain(err)
		}
	}
	if !drops(before, wanted.Tags) {
		return nil
	}
	d, err := s.describe(ctx, at)
	if err != nil {
		return err
	}
	keys := dropped(before, wanted.Tags, d.tags)
	if len(keys) == 0 {
		return nil
	}
	if err := s.begin(ctx); err != nil {
		return err
	}
	_, err = s.session.secrets.UntagResource(ctx, &secretsmanager.UntagResourceInput{SecretId: sdk.String(at.Path), TagKeys: keys}, s.writing(at.Region))
	return explain(err)
}

// adds reports whether a tag is new or has a different value.
func adds(before, wanted map[string]string) bool {
	for key, value := range wanted {
		if was, had := before[key]; !had || was != value {
			return true
		}
	}
	return false
}

// drops reports whether a tag is no longer configured.
func drops(before, wanted map[string]string) bool { return len(dropped(before, wanted, before)) > 0 }

// dropped returns the keys that are no longer configured and still have their original
// value, sorted.
func dropped(before, wanted, there map[string]string) []string {
	gone := maps.Clone(before)
	maps.DeleteFunc(gone, func(key, value string) bool {
		_, kept := wanted[key]
		is, ok := there[key]
		return kept || !ok || is != value
	})
	return slices.Sorted(maps.Keys(gone))
}
