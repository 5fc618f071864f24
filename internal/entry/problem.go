package entry

import "fmt"

// ForeignError tells that an entry holds data that is not a record of this project.
type ForeignError struct {
	// Reason is one of a few fixed texts; nothing of the data is in it.
	Reason string
}

// Error returns the reason.
func (e *ForeignError) Error() string { return "not a record of paistrike: " + e.Reason }

// SchemaError tells that a newer release wrote the record or the mirror.
type SchemaError struct{ Version int }

// Error returns the version found and the one understood.
func (e *SchemaError) Error() string {
	return fmt.Sprintf("written by a newer release: schema %d, this one reads %d", e.Version, schema)
}

// MirrorError tells which key of custom_metadata cannot be read. The record is
// the truth, so the mirror can be written anew.
type MirrorError struct{ Key string }

// Error names the key.
func (e *MirrorError) Error() string { return "custom_metadata key " + e.Key + " cannot be read" }
