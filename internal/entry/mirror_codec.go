package entry

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// The keys of custom_metadata.
const (
	keyManagedBy    = "managed_by"
	keySchema       = "paistrike_schema"
	keyState        = "paistrike_state"
	keyMirrorOf     = "paistrike_mirror_of"
	keyRevision     = "paistrike_revision"
	keySlot         = "paistrike_slot"
	keyOwner        = "paistrike_owner"
	keyIdentity     = "paistrike_identity"
	keyEndpoint     = "paistrike_endpoint"
	keyKey          = "paistrike_key"
	keyTokenID      = "paistrike_token_id"
	keyTokenName    = "paistrike_token_name"
	keyCreatedAt    = "paistrike_created_at"
	keyExpiresAt    = "paistrike_expires_at"
	keyNextRotation = "paistrike_next_rotation"
	keyRetiring     = "paistrike_retiring"
	keyLastRun      = "paistrike_last_run"
	keyLastError    = "paistrike_last_error"
)

// schedulePrefix is the prefix of the keys of the schedule's settings.
const schedulePrefix = "paistrike_"

// managedBy is the value of managed_by that marks an entry as ours.
const managedBy = "paistrike"

// maxMirrorValue is the maximum length of a value of custom_metadata in KV version 2, in
// bytes.
const maxMirrorValue = 512

// EncodeMirror returns a mirror as metadata. It contains every key. A key without a value
// has "", and writing that removes the key. Values that a store would refuse are truncated
// or replaced: an inexact mirror is better than none.
func EncodeMirror(m Mirror) map[string]string {
	custom := map[string]string{
		keyManagedBy:    managedBy,
		keySchema:       strconv.Itoa(schema),
		keyState:        string(m.State),
		keyMirrorOf:     strconv.Itoa(m.Of),
		keyRevision:     string(m.Revision),
		keySlot:         m.Slot,
		keyOwner:        m.Owner,
		keyIdentity:     m.Identity,
		keyEndpoint:     m.Endpoint,
		keyKey:          m.Key,
		keyTokenID:      m.TokenID,
		keyTokenName:    m.TokenName,
		keyCreatedAt:    stamp(m.CreatedAt),
		keyExpiresAt:    stamp(m.ExpiresAt),
		keyNextRotation: stamp(m.NextRotation),
		keyRetiring:     encodeRetiring(m.Retiring),
		keyLastRun:      stamp(m.LastRun),
		keyLastError:    m.LastError,
	}
	if m.ExpiresAt.IsZero() && m.TokenID != "" {
		custom[keyExpiresAt] = never
	}
	if m.Key == DefaultKey {
		custom[keyKey] = ""
	}
	for _, field := range m.Schedule.Fields() {
		custom[schedulePrefix+field.Key] = *field.Value
	}
	for key, value := range custom {
		custom[key] = fit(value)
	}
	return custom
}

// fit makes a value acceptable to KV version 2: printable and not too long.
func fit(value string) string {
	value = strings.Map(func(c rune) rune {
		if unicode.IsPrint(c) {
			return c
		}
		return '?'
	}, strings.ToValidUTF8(value, "?"))
	if len(value) <= maxMirrorValue {
		return value
	}
	cut := maxMirrorValue
	for !utf8.RuneStart(value[cut]) {
		cut--
	}
	return value[:cut]
}

// encodeRetiring returns "id@time;id@time", sorted by time. Tokens that do not fit are
// counted at the end: "+3".
func encodeRetiring(refs []RetiringRef) string {
	refs = slices.SortedStableFunc(slices.Values(refs), func(a, b RetiringRef) int {
		return cmp.Or(a.RevokeAfter.Compare(b.RevokeAfter), cmp.Compare(a.ID, b.ID))
	})
	parts := make([]string, len(refs))
	for i, ref := range refs {
		parts[i] = url.PathEscape(ref.ID) + "@" + stamp(ref.RevokeAfter)
	}
	text := strings.Join(parts, ";")
	for kept := len(parts) - 1; len(text) > maxMirrorValue; kept-- {
		text = strings.Join(append(parts[:kept:kept], "+"+strconv.Itoa(len(parts)-kept)), ";")
	}
	return text
}

// DecodeMirror decodes a mirror. A missing key leaves its field zero, except for the keys
// that identify a mirror. The error is a [*ForeignError], a [*SchemaError] or a
// [*MirrorError].
func DecodeMirror(custom map[string]string) (Mirror, error) {
	if custom[keyManagedBy] != managedBy {
		return Mirror{}, &ForeignError{Reason: "custom_metadata does not identify it as one"}
	}
	d := mirrorDecoder{custom: custom}
	if version := d.number(keySchema); version > schema {
		return Mirror{}, &SchemaError{Version: version}
	}
	m := Mirror{
		State: d.state(), Of: d.number(keyMirrorOf), Revision: Revision(custom[keyRevision]), Slot: custom[keySlot],
		Owner: custom[keyOwner], Identity: custom[keyIdentity], Endpoint: custom[keyEndpoint], Key: custom[keyKey],
		TokenID: custom[keyTokenID], TokenName: custom[keyTokenName],
		CreatedAt: d.instant(keyCreatedAt), ExpiresAt: d.instant(keyExpiresAt),
		NextRotation: d.instant(keyNextRotation), Retiring: d.retiring(),
		LastRun: d.instant(keyLastRun), LastError: custom[keyLastError],
	}
	for _, field := range m.Schedule.Fields() {
		*field.Value = custom[schedulePrefix+field.Key]
	}
	if d.bad != "" {
		return Mirror{}, &MirrorError{Key: d.bad}
	}
	return m, nil
}

// ReadMirror reads metadata, whoever wrote it. managed is false if the entry is not marked
// as ours. problem is a [*SchemaError] or a [*MirrorError] if the entry is marked as ours
// and its mirror cannot be decoded.
func ReadMirror(custom map[string]string) (managed bool, m Mirror, problem error) {
	if custom[keyManagedBy] != managedBy {
		return false, Mirror{}, nil
	}
	m, problem = DecodeMirror(custom)
	return true, m, problem
}

// mirrorDecoder decodes values and remembers the first key that it could not decode.
type mirrorDecoder struct {
	custom map[string]string
	bad    string
}

func (d *mirrorDecoder) refuse(key string) {
	if d.bad == "" {
		d.bad = key
	}
}

func (d *mirrorDecoder) number(key string) int {
	n, err := strconv.ParseUint(d.custom[key], 10, 31)
	if err != nil {
		d.refuse(key)
	}
	return int(n)
}

func (d *mirrorDecoder) state() State {
	state := State(d.custom[keyState])
	if state != StateActive && state != StateTombstone {
		d.refuse(keyState)
	}
	return state
}

func (d *mirrorDecoder) instant(key string) time.Time {
	text := d.custom[key]
	if text == never && key == keyExpiresAt {
		return time.Time{}
	}
	t, ok := instant(text)
	if !ok {
		d.refuse(key)
	}
	return t
}

func (d *mirrorDecoder) retiring() []RetiringRef {
	text := d.custom[keyRetiring]
	if text == "" {
		return nil
	}
	var refs []RetiringRef
	for part := range strings.SplitSeq(text, ";") {
		at := strings.LastIndexByte(part, '@')
		if at < 0 && strings.HasPrefix(part, "+") {
			continue // the number of tokens that did not fit
		}
		id, err := url.PathUnescape(part[:max(at, 0)])
		due, ok := instant(part[at+1:])
		if at < 0 || err != nil || !ok {
			d.refuse(keyRetiring)
			return nil
		}
		refs = append(refs, RetiringRef{ID: id, RevokeAfter: due})
	}
	return refs
}
