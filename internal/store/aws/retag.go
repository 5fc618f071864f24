package aws

import (
	"context"
	"maps"
	"slices"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
)

// Retag brings the tags of a secret that exists from those that a resource asked for
// before to those that [Store.Set] noted. A tag that is asked for no longer is removed, as
// the hashicorp/aws provider does, unless it is gone or someone gave it another value.
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

// adds reports whether a tag is new or has changed its value.
func adds(before, wanted map[string]string) bool {
	for key, value := range wanted {
		if was, had := before[key]; !had || was != value {
			return true
		}
	}
	return false
}

// drops reports whether a tag is asked for no longer.
func drops(before, wanted map[string]string) bool { return len(dropped(before, wanted, before)) > 0 }

// dropped returns the keys that are asked for no longer and still have the value that they
// were given, in their order.
func dropped(before, wanted, there map[string]string) []string {
	gone := maps.Clone(before)
	maps.DeleteFunc(gone, func(key, value string) bool {
		_, kept := wanted[key]
		is, ok := there[key]
		return kept || !ok || is != value
	})
	return slices.Sorted(maps.Keys(gone))
}
