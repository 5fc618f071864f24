// Package storeenv defines the environment variables of the servers that replace Vault and AWS
// Secrets Manager in the examples: those that configure a server, and those of its clients.
package storeenv

import "crypto/rand"

// Region is the only AWS region that the server accepts.
const Region = "eu-central-1"

// Vault is the root token of a server of tools/kv.
type Vault struct{ Token string }

// NewVault returns a random root token.
func NewVault() Vault { return Vault{Token: rand.Text()} }

// Server returns the variables of the server.
func (v Vault) Server() []string { return []string{"KV_ROOT_TOKEN=" + v.Token} }

// Clients returns the variables of Vault's clients for a server at an address.
func (v Vault) Clients(address string) []string {
	return []string{"VAULT_ADDR=" + address, "VAULT_TOKEN=" + v.Token}
}

// AWS is the access key of a server of tools/secretsmanager.
type AWS struct{ AccessKeyID, SecretAccessKey string }

// NewAWS returns a random access key.
func NewAWS() AWS {
	return AWS{AccessKeyID: "AKIA" + rand.Text()[:16], SecretAccessKey: rand.Text()}
}

// Server returns the variables of the server.
func (a AWS) Server() []string {
	return []string{"SECRETSMANAGER_ACCESS_KEY_ID=" + a.AccessKeyID, "SECRETSMANAGER_SECRET_ACCESS_KEY=" + a.SecretAccessKey}
}

// Clients returns the variables of AWS's clients for a server at an address.
func (a AWS) Clients(address string) []string {
	return []string{
		"AWS_ENDPOINT_URL_SECRETS_MANAGER=" + address, "AWS_ENDPOINT_URL_STS=" + address, "AWS_REGION=" + Region,
		"AWS_ACCESS_KEY_ID=" + a.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + a.SecretAccessKey,
	}
}
