// Package paistrike is the client of PAIStrike's API tokens: list, read, create
// and revoke.
//
// It owns the HTTP side alone: where the calls go, what they carry, how answers
// are read, what is tried again and what an error may say. It is exact in what it
// sends and lenient in what it reads, because a create answer that cannot be
// understood is a live token that nobody holds.
//
// It knows nothing of Vault, of schedules or of Terraform; internal/rotation,
// the provider and the action call it. tokens.go and decode*.go alone know paths
// and JSON names. openapi.yaml is the contract that client and sandbox keep.
package paistrike
