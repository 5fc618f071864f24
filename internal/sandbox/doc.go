// Package sandbox is a PAIStrike that behaves: the API token calls of this
// project's wire contract over a small in-memory store, with a clock that can be
// moved, faults that can be ordered, switches for what a vendor may do
// differently, and a journal of the requests that came in.
//
// It has the "API Tokens" page too, on the same store, for people to look at. It
// owns no transport: [Server] is an http.Handler. Tests mount it
// on httptest, and `make sandbox` serves it on loopback. Token values are
// handed out once and kept as SHA-256 digests only. No shipped binary links it.
package sandbox
