// Package sandbox is a working PAIStrike for tests and demos. It implements the API token
// calls of this project's wire contract over an in-memory store, with a movable clock,
// injectable faults, switches for possible differences between vendors, and a journal of the
// requests received.
//
// It also serves the "API Tokens" page over the same store. It owns no transport: [Server] is
// an http.Handler. Tests mount it on httptest, and `make sandbox` serves it on loopback.
// Token values are returned once and kept only as SHA-256 digests. No shipped binary links
// it.
package sandbox
