// Package testparts starts real programs for tests: Vault's KV engine (tools/kv),
// an AWS Secrets Manager (tools/secretsmanager) and a Vault server. Each test gets a process of its own, on loopback, that ends
// with the test.
//
// Only tests import it. It finds or builds the programs; what they are asked is
// the test's business. A program that is not there skips the test, and fails it
// where CI is "true": there nothing may be missing.
package testparts
