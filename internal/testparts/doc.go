// Package testparts provides the environment for tests: a PAIStrike account in the test
// process ([Account]), and real programs, among them Vault's KV engine (tools/kv), an AWS
// Secrets Manager (tools/secretsmanager) and a Vault server. Each program runs in its own
// process on loopback and ends with the test.
//
// Only tests import it. It finds or builds the programs. If a program is missing, the test is
// skipped, or fails if CI is "true".
package testparts
