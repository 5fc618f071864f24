package secret

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"unique"
)

// redacted is what a [Secret] shows wherever it is printed, encoded or logged.
const redacted = "[redacted]"

// Secret holds a token value. Every way Go has of printing, encoding or logging
// it prints "[redacted]"; only [Secret.Reveal] returns the value. Two secrets of
// one value are equal under ==.
type Secret struct {
	// A handle and not a string: fmt calls no method on the unexported fields
	// of a struct but prints what is in them, and a handle prints as an address.
	handle unique.Handle[string]
}

// New wraps a token value.
func New(value string) Secret {
	if value == "" {
		return Secret{}
	}
	return Secret{handle: unique.Make(value)}
}

// Reveal returns the token value. Call it only to put the value into an
// Authorization header or into the one Vault write.
func (s Secret) Reveal() string {
	if s.IsZero() {
		return ""
	}
	return s.handle.Value()
}

// IsZero reports whether the secret is empty.
func (s Secret) IsZero() bool { return s == Secret{} }

// Equal reports whether both hold one value.
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
