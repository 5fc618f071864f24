package main

import (
	"fmt"

	"github.com/paistrike/terraform-provider-paistrike/examples/internal/storeenv"
	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox/storeview"
)

// store is a part that is a secret store.
type store struct {
	*part

	listen  string
	view    func(address string) sandbox.SecretStore
	exports func(address string) []string // NAME=value, for its clients
}

// stores returns the requested stores, each with its own credentials.
func (o options) stores() []store {
	var all []store
	if o.vaultListen != "" {
		root := storeenv.NewVault()
		all = append(all, store{
			part:    &part{name: "the KV engine", program: o.kv, option: "-vault-listen", env: root.Server()},
			listen:  o.vaultListen,
			view:    func(address string) sandbox.SecretStore { return storeview.Vault(address, root.Token) },
			exports: root.Clients,
		})
	}
	if o.awsListen != "" {
		key := storeenv.NewAWS()
		all = append(all, store{
			part:   &part{name: "AWS Secrets Manager", program: o.aws, option: "-aws-listen", env: key.Server()},
			listen: o.awsListen,
			view: func(address string) sandbox.SecretStore {
				return storeview.AWS(address, storeenv.Region, key.AccessKeyID, key.SecretAccessKey)
			},
			exports: key.Clients,
		})
	}
	return all
}

// anyEnded reports the first store that ends unexpectedly.
func anyEnded(stores []store) <-chan error {
	first := make(chan error, len(stores))
	for _, s := range stores {
		go func() { first <- fmt.Errorf("%s ended by itself: %w", s.name, <-s.ended) }()
	}
	return first
}
