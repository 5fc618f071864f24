// Package fleet manages all Vault entries below a folder: it rotates what is due
// by the schedule that each keeps in its custom metadata ([Rotate]), finds what
// someone should look at ([Audit]), and closes them if their PAIStrike is gone ([Abandon]).
//
// It owns the walk, the choice of what to do about each entry, and the three reports,
// which hold no secret. How one token is replaced is the business of
// internal/rotation; nothing here writes to Vault or PAIStrike by itself. The
// scheduled runs of the action call it.
package fleet
