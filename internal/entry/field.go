package entry

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
)

// Field is one data field of an entry as a consumer sees it.
type Field struct {
	Revision  Revision // zero if Condition is [Absent]
	Condition Condition
	// Secret is zero if the version has no such field, or if the field is not a string.
	Secret secret.Secret
	// Names are the names of all fields, sorted. They do not include values.
	Names []string
	// Record contains what is known about the token. It is nil if the version is not a
	// record of this project.
	Record *Record
	// Time is the store's clock when it responded, or zero if unknown.
	Time time.Time
}

// ReadField reads the field key from the data of a live version, whoever wrote it. If the
// data is a record, ReadField uses the field that the record names.
func ReadField(key string, data map[string]any) Field {
	field := Field{Condition: Live, Names: slices.Sorted(maps.Keys(data))}
	if record, problem := DecodeRecord(key, data); problem == nil {
		field.Record, field.Secret = &record, record.Secret
		return field
	}
	if text, ok := data[cmp.Or(key, DefaultKey)].(string); ok {
		field.Secret = secret.New(text)
	}
	return field
}
