package secret

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"unique"
)

// redacted replaces the value of a [Secret] in every output.
const redacted = "[redacted]"

// Secret contains a token value. Everything in Go that prints, encodes or logs a Secret
// shows "[redacted]". Only [Secret.Reveal] returns the value. Two secrets with the same
// value are equal under ==.
type Secret struct {
	// The field is a handle and not a string: fmt calls no methods on unexported fields
	// and prints their content, which for a handle is an address.
	handle unique.Handle[string]
}

// New returns a Secret with a token value.
func New(value string) Secret {
	if value == "" {
		return Secret{}
	}
	return Secret{handle: unique.Make(value)}
}

// Reveal returns the token value. Call it only to put the value into an authorization
// header or into the one write to the store.
func (s Secret) Reveal() string {
	if s.IsZero() {
		return ""
	}
	return s.handle.Value()
}

// IsZero reports whether the secret is empty.
func (s Secret) IsZero() bool { return s == Secret{} }

// Equal reports whether both secrets have the same value.
func (s Secret) Equal(other Secret) bool { return s == other }

// String returns "[redacted]".
func (s Secret) String() string { return redacted }

// GoString returns "[redacted]", for %#v.
func (s Secret) GoString() string { return redacted }

// Format writes "[redacted]" for every verb and flag.
func (s Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, redacted) }

// MarshalJSON returns the JSON string "[redacted]".
func (s Secret) MarshalJSON() ([]byte, error) { return json.Marshal(redacted) }

// MarshalText returns "[redacted]", for encoders that use text.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue returns "[redacted]", for log/slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }
