package storeview

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
)

// cloud reads the metadata of entries in AWS Secrets Manager from the tags that the list of
// secrets contains.
type cloud struct {
	client *secretsmanager.Client
	region string
}

// AWS returns a store that lists the secrets of a region.
func AWS(endpoint, region, accessKeyID, secretAccessKey string) sandbox.SecretStore {
	return &cloud{region: region, client: secretsmanager.New(secretsmanager.Options{
		Region: region, BaseEndpoint: sdk.String(endpoint), HTTPClient: &http.Client{Timeout: 10 * time.Second},
		Credentials: credentials.NewStaticCredentialsProvider(accessKeyID, secretAccessKey, ""),
	})}
}

// Name implements [sandbox.SecretStore].
func (c *cloud) Name() string { return "AWS" }

// Entries implements [sandbox.SecretStore]. It returns the secrets that the provider manages,
// sorted by name.
func (c *cloud) Entries(ctx context.Context) ([]sandbox.Entry, error) {
	var entries []sandbox.Entry
	pages := secretsmanager.NewListSecretsPaginator(c.client, &secretsmanager.ListSecretsInput{MaxResults: sdk.Int32(100)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, secret := range page.SecretList {
			if custom := tagsOf(secret.Tags); managed(custom) {
				entries = append(entries, entryOf("aws/"+c.region+"/"+sdk.ToString(secret.Name), custom))
			}
		}
		if len(entries) > entriesMost {
			return nil, fmt.Errorf("AWS has more than %d entries", entriesMost) //nolint:staticcheck // a name
		}
	}
	slices.SortFunc(entries, func(a, b sandbox.Entry) int { return strings.Compare(a.Place, b.Place) })
	return entries, nil
}

// tagsOf decodes metadata from tags. Characters that are invalid in a tag are encoded as in
// quoted-printable, and a value that ends in "=" continues in the tag "KEY.2".
func tagsOf(tags []types.Tag) map[string]string {
	raw := map[string]string{}
	for _, tag := range tags {
		raw[sdk.ToString(tag.Key)] = sdk.ToString(tag.Value)
	}
	custom := map[string]string{}
	for key, value := range raw {
		for i := 2; strings.HasSuffix(value, "="); i++ {
			more, ok := raw[key+"."+strconv.Itoa(i)]
			if !ok {
				break
			}
			value = strings.TrimSuffix(value, "=") + more
		}
		custom[key] = plain(value)
	}
	return custom
}

// plain decodes quoted-printable: "=2A" is "*".
func plain(text string) string {
	parts := strings.Split(text, "=")
	for i, part := range parts[1:] {
		octet, err := strconv.ParseUint(part[:min(2, len(part))], 16, 8)
		if err != nil || len(part) < 2 {
			return text // undecoded text is good enough for display
		}
		parts[i+1] = string([]byte{byte(octet)}) + part[2:]
	}
	return strings.Join(parts, "")
}
