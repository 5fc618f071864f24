package main

import (
	"crypto/rand"
	"fmt"

	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox/storeview"
)

// store is a part that keeps secrets.
type store struct {
	*part

	listen  string
	view    func(address string) sandbox.SecretStore
	exports func(address string) []string // NAME=value, for those who use it
}

// region is the one in the examples; the server knows no others.
const region = "eu-central-1"

// stores are those that were asked for, with credentials of their own.
func (o options) stores() []store {
	var all []store
	if o.vaultListen != "" {
		token := rand.Text()
		all = append(all, store{
			part:    &part{name: "the KV engine", program: o.kv, option: "-vault-listen", env: []string{"KV_ROOT_TOKEN=" + token}},
			listen:  o.vaultListen,
			view:    func(address string) sandbox.SecretStore { return storeview.Vault(address, token) },
			exports: func(address string) []string { return []string{"VAULT_ADDR=" + address, "VAULT_TOKEN=" + token} },
		})
	}
	if o.awsListen != "" {
		key, secret := "AKIA"+rand.Text()[:16], rand.Text()
		all = append(all, store{
			part: &part{
				name: "AWS Secrets Manager", program: o.aws, option: "-aws-listen",
				env: []string{"SECRETSMANAGER_ACCESS_KEY_ID=" + key, "SECRETSMANAGER_SECRET_ACCESS_KEY=" + secret},
			},
			listen: o.awsListen,
			view:   func(address string) sandbox.SecretStore { return storeview.AWS(address, region, key, secret) },
			exports: func(address string) []string {
				return []string{
					"AWS_ENDPOINT_URL_SECRETS_MANAGER=" + address, "AWS_ENDPOINT_URL_STS=" + address, "AWS_REGION=" + region,
					"AWS_ACCESS_KEY_ID=" + key, "AWS_SECRET_ACCESS_KEY=" + secret,
				}
			},
		})
	}
	return all
}

// anyEnded tells of the first store that ends by itself.
func anyEnded(stores []store) <-chan error {
	first := make(chan error, len(stores))
	for _, s := range stores {
		go func() { first <- fmt.Errorf("%s ended by itself: %w", s.name, <-s.ended) }()
	}
	return first
}
