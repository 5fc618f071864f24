// Package vault owns the two things this project does with HashiCorp Vault:
// logging in, and keeping one API token as a record in a KV v2 entry.
//
// It knows Vault's HTTP interface, the layout of the record, and which calls may
// be repeated. It does not know when a token is due, what to do about a lost
// race, or anything of PAIStrike: package rotation decides that and calls here.
//
// The package reads no VAULT_ environment variable. The requests are therefore
// its own and not those of the vault/api client, which takes address, token,
// namespace, headers and proxy from the environment whenever one is made, and
// which repeats writes. The shapes of the answers are vault/api's.
package vault
