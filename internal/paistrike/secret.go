package paistrike

import (
	"encoding/json"
	"fmt"
	"log/slog"
)

// redacted is what a [Secret] shows wherever it is printed, encoded or logged.
const redacted = "[redacted]"

// Secret holds a token value. Every way Go has of printing, encoding or logging
// it gives "[redacted]"; only [Secret.Reveal] returns the value.
type Secret struct{ value string }

// NewSecret wraps a token value.
func NewSecret(value string) Secret { return Secret{value: value} }

// Reveal returns the token value. Call it only to put the value into an
// Authorization header or into the one Vault write.
func (s Secret) Reveal() string { return s.value }

// IsZero reports whether the secret is empty.
func (s Secret) IsZero() bool { return s.value == "" }

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
