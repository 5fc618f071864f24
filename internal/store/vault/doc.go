// Package vault owns what this project does with HashiCorp Vault: logging in, and
// keeping API tokens in KV version 2. [Store] is what package rotation calls; it adapts
// [Client], which knows Vault's HTTP interface and which calls may be repeated.
//
// It does not know when a token is due, what to do about a lost race, or anything of
// PAIStrike: package rotation decides that. What a record looks like is package entry's.
//
// The package reads no VAULT_ environment variable and calls nothing that does. The
// requests are therefore its own: the client of vault/api takes address, token,
// namespace, headers and proxy from the environment whenever one is made, and repeats
// writes (docs/decisions/0011-requests-to-vault.md). The shapes of the answers are
// vault/api's.
package vault
