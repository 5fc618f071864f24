package entry

import "fmt"

// ForeignError reports that an entry contains data that is not a record of this project.
type ForeignError struct {
	// Reason is one of a few fixed texts and contains none of the data.
	Reason string
}

// Error returns the reason.
func (e *ForeignError) Error() string { return "not a record of paistrike: " + e.Reason }

// SchemaError reports that a newer release wrote the record or the mirror.
type SchemaError struct{ Version int }

// Error returns the version found and the version that this release supports.
func (e *SchemaError) Error() string {
	return fmt.Sprintf("written by a newer release: schema %d, this one reads %d", e.Version, schema)
}

// MirrorError reports a key of custom_metadata that cannot be decoded. The mirror can be
// written again from the record, which is authoritative.
type MirrorError struct{ Key string }

// Error names the key.
func (e *MirrorError) Error() string { return "custom_metadata key " + e.Key + " cannot be read" }
