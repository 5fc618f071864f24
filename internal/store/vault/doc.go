// Package vault logs in to HashiCorp Vault and keeps API tokens in KV version 2. Package
// rotation calls [Store], which adapts [Client]. The client implements Vault's HTTP API
// and knows which calls may be repeated.
//
// The package does not know when a token is due, how to handle a lost race, or anything
// about PAIStrike. Package rotation decides that. Package entry defines the format of a
// record.
//
// The package reads no VAULT_ environment variable and calls nothing that does. That is
// why it sends its own requests: every client of vault/api takes its address, token,
// namespace, headers and proxy from the environment, and repeats writes
// (docs/decisions/0011-requests-to-vault.md). The types of the responses match those of
// vault/api.
package vault
