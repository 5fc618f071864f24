// Package testparts is the world that tests play in: an account of PAIStrike in the test's
// own process ([Account]), and real programs: Vault's KV engine (tools/kv), an AWS Secrets
// Manager (tools/secretsmanager) and a Vault server, each a process of its own, on
// loopback, that ends with the test.
//
// Only tests import it. It finds or builds the programs; what they are asked is the test's
// business. If a program is missing the test is skipped, or fails if CI is "true".
package testparts
