// Package paistrike is a client for PAIStrike's API tokens: it lists, reads, creates and
// revokes them.
//
// It covers only HTTP: where calls go, what they contain, how responses are decoded, what
// is retried, and what an error may contain. It is strict in what it sends and lenient in
// what it accepts, because a create response that cannot be decoded means a live token
// that no one can use.
//
// It does not depend on Vault, schedules or Terraform. internal/rotation, the provider and
// the action call it. Only tokens.go and decode*.go contain paths and JSON names.
// openapi.yaml is the contract that the client and the sandbox follow.
package paistrike
