package entry

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
)

// schema is the version of the record and the mirror that this release writes.
const schema = 1

// DefaultKey is the data field of the secret if a [Location] has no key.
const DefaultKey = "token"

// never represents the absence of an expiry.
const never = "never"

// The data fields next to the secret. None of them can hold the secret.
const (
	fieldTokenID   = "token_id"
	fieldTokenName = "token_name"
	fieldCreatedAt = "created_at"
	fieldExpiresAt = "expires_at"
	fieldRecord    = "paistrike"
)

var reserved = []string{fieldTokenID, fieldTokenName, fieldCreatedAt, fieldExpiresAt, fieldRecord}

// ReservedKey reports whether a data field has a meaning of its own in a record, so that
// it cannot hold the secret.
func ReservedKey(key string) bool { return slices.Contains(reserved, key) }

// protocol is the JSON text in the data field "paistrike": the state of the rotation
// protocol, without the token.
type protocol struct {
	Version    int               `json:"v"`
	State      State             `json:"state"`
	Slot       string            `json:"slot"`
	Inc        string            `json:"inc"`
	Gen        int               `json:"gen"`
	Base       Revision          `json:"base"`
	Op         string            `json:"op"`
	Owner      string            `json:"owner,omitempty"`
	Intent     string            `json:"intent,omitempty"`
	Identity   string            `json:"identity,omitempty"`
	Endpoint   string            `json:"endpoint,omitempty"`
	Schedule   map[string]string `json:"schedule,omitempty"`
	VerifiedAt time.Time         `json:"verified_at,omitzero"`
	Key        string            `json:"key,omitempty"` // omitted for [DefaultKey]
	Alias      string            `json:"alias,omitempty"`
	Retiring   []Retiring        `json:"retiring"`
}

// encodeSchedule returns the settings that are not empty.
func encodeSchedule(s schedule.Schedule) map[string]string {
	set := map[string]string{}
	for _, field := range s.Fields() {
		if *field.Value != "" {
			set[field.Key] = *field.Value
		}
	}
	return set
}

// decodeSchedule decodes the output of encodeSchedule. It ignores unknown keys, which a
// newer release may have written.
func decodeSchedule(set map[string]string) schedule.Schedule {
	var s schedule.Schedule
	for _, field := range s.Fields() {
		*field.Value = set[field.Key]
	}
	return s
}

// EncodeRecord returns a record as KV data, with the secret in the field key. The result
// contains the secret in plain text. Use it only for the one write.
func EncodeRecord(key string, r Record) (map[string]any, error) {
	key = cmp.Or(key, DefaultKey)
	if err := checkRecord(key, r); err != nil {
		return nil, err
	}
	p := protocol{
		Version: schema, State: r.State, Slot: r.Slot, Inc: r.Inc, Gen: r.Gen, Base: r.Base, Op: r.Op,
		Owner: r.Owner, Intent: r.Intent, Identity: r.Identity, Endpoint: r.Endpoint, Schedule: encodeSchedule(r.Schedule),
		VerifiedAt: r.VerifiedAt.UTC(), Alias: r.Alias,
		Retiring: make([]Retiring, 0, len(r.Retiring)),
	}
	if key != DefaultKey {
		p.Key = key
	}
	for _, old := range r.Retiring {
		old.SupersededAt, old.RevokeAfter, old.ExpiresAt = old.SupersededAt.UTC(), old.RevokeAfter.UTC(), old.ExpiresAt.UTC()
		p.Retiring = append(p.Retiring, old)
	}
	text, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("writing the record of token %s: %w", r.TokenID, err)
	}
	data := map[string]any{fieldRecord: string(text)}
	if r.State == StateActive {
		data[key] = r.Secret.Reveal()
		data[fieldExpiresAt] = never
		if r.Alias != "" {
			data[r.Alias] = r.Secret.Reveal()
		}
	}
	for field, value := range map[string]string{
		fieldTokenID: r.TokenID, fieldTokenName: r.TokenName,
		fieldCreatedAt: stamp(r.CreatedAt), fieldExpiresAt: stamp(r.ExpiresAt),
	} {
		if value != "" {
			data[field] = value
		}
	}
	if _, err := DecodeRecord(key, data); err != nil { // for example, a time after the year 9999
		return nil, fmt.Errorf("the record of token %s could not be read back", r.TokenID)
	}
	return data, nil
}

// checkRecord returns an error for a record that could not be decoded again.
func checkRecord(key string, r Record) error {
	switch {
	case ReservedKey(key):
		return fmt.Errorf("the data field %q cannot be used for the secret", key)
	case r.Alias == key || ReservedKey(r.Alias):
		return fmt.Errorf("the data field %q cannot be used for a second copy of the secret", r.Alias)
	case r.State != StateActive && r.State != StateTombstone:
		return fmt.Errorf("a record cannot be %q", r.State)
	case r.State == StateActive && (r.Secret.IsZero() || r.TokenID == ""):
		return errors.New("an active record needs a token")
	case r.State == StateTombstone && !r.Secret.IsZero():
		return errors.New("a tombstone must not contain a secret")
	case r.Gen < 1 || r.Slot == "" || r.Inc == "" || r.Op == "":
		return errors.New("a record needs slot, incarnation, generation and run")
	default:
		return nil
	}
}

// DecodeRecord decodes a record from KV data. The record itself names the field of the
// secret. If it names none and the default field is missing, key is used. The error is a
// [*ForeignError] if the data is not a complete record, or a [*SchemaError] if a newer
// release wrote it. Neither error contains any of the data.
func DecodeRecord(key string, data map[string]any) (Record, error) {
	text, ok := data[fieldRecord].(string)
	if !ok {
		return Record{}, &ForeignError{Reason: "the field paistrike is missing"}
	}
	// Read only the version first: a newer release may have changed everything else.
	var head struct {
		Version int `json:"v"`
	}
	if json.Unmarshal([]byte(text), &head) != nil || head.Version < 1 {
		return Record{}, &ForeignError{Reason: "the contents of the field paistrike are not valid"}
	}
	if head.Version > schema {
		return Record{}, &SchemaError{Version: head.Version}
	}
	var p protocol
	if json.Unmarshal([]byte(text), &p) != nil {
		return Record{}, &ForeignError{Reason: "the contents of the field paistrike are not valid"}
	}
	r := Record{
		State: p.State, Slot: p.Slot, Inc: p.Inc, Gen: p.Gen, Base: p.Base, Op: p.Op,
		Owner: p.Owner, Intent: p.Intent, Identity: p.Identity, Endpoint: p.Endpoint, Schedule: decodeSchedule(p.Schedule),
		VerifiedAt: utc(p.VerifiedAt), Key: cmp.Or(p.Key, DefaultKey), Alias: p.Alias,
	}
	if _, ok := data[r.Key]; !ok && p.Key == "" && r.State == StateActive {
		r.Key = cmp.Or(key, DefaultKey)
	}
	for _, old := range p.Retiring {
		old.SupersededAt, old.RevokeAfter, old.ExpiresAt = utc(old.SupersededAt), utc(old.RevokeAfter), utc(old.ExpiresAt)
		r.Retiring = append(r.Retiring, old)
	}
	if !r.readToken(data) || checkRecord(r.Key, r) != nil {
		return Record{}, &ForeignError{Reason: "parts of the record are missing"}
	}
	return r, nil
}

// readToken reads the token from the data fields. It reports whether all of them have the
// expected types and formats.
func (r *Record) readToken(data map[string]any) bool {
	good := true
	field := func(name string) string {
		value, present := data[name]
		s, ok := value.(string)
		good = good && (ok || !present)
		return s
	}
	when := func(name string) time.Time {
		s := field(name)
		if s == never && name == fieldExpiresAt {
			return time.Time{}
		}
		t, ok := instant(s)
		good = good && ok
		return t
	}
	r.TokenID, r.TokenName = field(fieldTokenID), field(fieldTokenName)
	r.CreatedAt, r.ExpiresAt = when(fieldCreatedAt), when(fieldExpiresAt)
	if r.State == StateActive {
		r.Secret = secret.New(field(r.Key))
		// Without its expiry, a token would look like one that never expires.
		good = good && field(fieldExpiresAt) != ""
	}
	return good
}

// stamp formats a time. It returns "" for the zero time.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// instant parses the output of stamp.
func instant(text string) (time.Time, bool) {
	if text == "" {
		return time.Time{}, true
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	return utc(t), err == nil
}

// utc converts a time to UTC and keeps the zero time as the zero value.
func utc(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC()
}
