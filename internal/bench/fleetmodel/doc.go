// Package fleetmodel predicts how long a scheduled rotation takes over more entries than
// can be measured: a discrete-event model of its requests. It does no I/O, reads no clock,
// and returns the same result for the same [Fleet].
//
// What is modeled is what bounds a run: the requests of an entry, which follow each other;
// the entries that a shard looks at side by side; the pages of PAIStrike's list, which each
// shard reads one after the other; the distances; the processor time of the shard; how many
// requests PAIStrike allows in a minute, announced or not; and how many reads and writes
// Vault takes in a second. The requests of an entry are those of docs/guides/scale.md,
// which tests hold to the program.
package fleetmodel
