package vault

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
)

// ReadField reads the data field at.Key of the current version, whoever wrote it. If the
// entry is a record, ReadField uses the field that the record names. An entry that is
// absent, deleted or destroyed, and a field that does not exist, are not errors.
func (c *Client) ReadField(ctx context.Context, at entry.Location) (entry.Field, error) {
	r, err := c.request(at, "reading", http.MethodGet, "data")
	if err != nil {
		return entry.Field{}, err
	}
	got, err := c.do(ctx, r)
	if IsNotFound(err) {
		return entry.Field{Condition: entry.Absent}, nil
	}
	if err != nil {
		return entry.Field{}, err
	}
	data, err := decode[struct {
		Data     map[string]any `json:"data"`
		Metadata *version       `json:"metadata"`
	}](r, got)
	if err != nil {
		return entry.Field{}, err
	}
	if data.Metadata == nil {
		return entry.Field{}, r.failed(errors.New("the answer is not that of KV v2"))
	}
	field := entry.ReadField(at.Key, data.Data)
	field.Revision = revisionOf(data.Metadata.Version)
	if now := dateOf(got); !now.IsZero() {
		field.Time = now.Add(-time.Second).UTC() // the header has whole seconds
	}
	return field, nil
}
