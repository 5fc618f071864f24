package entry

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
)

// Field is one field of an entry as a consumer sees it.
type Field struct {
	Revision  Revision // zero if Condition is [Absent]
	Condition Condition
	// Secret is zero if the version has no such field, or not as a text.
	Secret secret.Secret
	// Names are those of all fields, in order. No value is among them.
	Names []string
	// Record is what is known of the token, nil if the version is not a record of this
	// project.
	Record *Record
	// Time is the store's clock when it answered; zero if it did not say.
	Time time.Time
}

// ReadField reads the field key out of the data of a live version, whoever wrote it. If
// the data is a record, the field that the record names counts.
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
