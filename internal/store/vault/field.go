package vault

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
)

// Field is one data field of an entry as a consumer sees it.
type Field struct {
	Version   int // 0 if Condition is [Absent]
	Condition entry.Condition
	// Secret is zero if the version has no such field, or not as a text.
	Secret secret.Secret
	// Names are those of all data fields, in order. No value is among them.
	Names []string
	// Record is what is known of the token, nil if the entry is not a record of
	// this project.
	Record *entry.Record
	// Time is Vault's clock when it answered, in whole seconds; zero if it did not
	// say.
	Time time.Time
}

// ReadField reads the data field at.Key of the current version, whoever wrote it.
// If the entry is a record, the field that the record names counts. An entry
// that is absent, deleted or destroyed, and a field that is not there, are not
// errors.
func (c *Client) ReadField(ctx context.Context, at entry.Location) (Field, error) {
	r, err := c.request(at, "reading", http.MethodGet, "data")
	if err != nil {
		return Field{}, err
	}
	got, err := c.do(ctx, r)
	if IsNotFound(err) {
		return Field{Condition: entry.Absent}, nil
	}
	if err != nil {
		return Field{}, err
	}
	data, err := decode[struct {
		Data     map[string]any `json:"data"`
		Metadata *version       `json:"metadata"`
	}](r, got)
	if err != nil {
		return Field{}, err
	}
	if data.Metadata == nil {
		return Field{}, r.failed(errors.New("the answer is not that of KV v2"))
	}
	field := Field{Version: data.Metadata.Version, Condition: entry.Live, Names: slices.Sorted(maps.Keys(data.Data))}
	if now := dateOf(got); !now.IsZero() {
		field.Time = now.Add(-time.Second).UTC()
	}
	if record, problem := entry.DecodeRecord(at.Key, data.Data); problem == nil {
		field.Record, field.Secret = &record, record.Secret
		return field, nil
	}
	if text, ok := data.Data[cmp.Or(at.Key, entry.DefaultKey)].(string); ok {
		field.Secret = secret.New(text)
	}
	return field, nil
}
