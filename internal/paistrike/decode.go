package paistrike

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
)

// Reasons why a successful response cannot be used. None of them repeats the response.
var (
	errNotJSON  = errors.New("the response is not JSON; check that endpoint and api_prefix lead to the API")
	errNoObject = errors.New("the response contains no object that could be a token")
	errNoID     = errors.New("the response contains no token id")
	errNoSecret = errors.New("the response contains no secret under a known name")
)

// maxDepth limits the number of envelopes around a token or a list.
const maxDepth = 4

// object is a JSON object with its keys in snake_case.
type object map[string]any

// parse decodes the first JSON value of a body. Numbers keep all their digits.
func parse(body []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(body, []byte("\ufeff"))))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, errNotJSON // the parser's own error would quote the body
	}
	return value, nil
}

// asObject converts the keys of a JSON object to snake_case, and adds the fields that
// JSON:API puts under "attributes". If two keys become the same, a key that was already in
// snake_case takes precedence, and otherwise the first one in sorted order.
func asObject(value any) (object, bool) {
	raw, ok := value.(map[string]any)
	if !ok {
		return nil, false
	}
	o := make(object, len(raw))
	for _, key := range sortedKeys(raw) {
		name := snakeCase(key)
		if _, taken := o[name]; !taken || name == key {
			o[name] = raw[key]
		}
	}
	if attributes, ok := asObject(o["attributes"]); ok {
		for name, inner := range attributes {
			if _, taken := o[name]; !taken {
				o[name] = inner
			}
		}
	}
	return o, true
}

func sortedKeys(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }

// snakeCase converts createdAt, CreatedAt, created-at and "Created At" to created_at.
func snakeCase(key string) string {
	runes := []rune(key)
	var b strings.Builder
	for i, r := range runes {
		if r == '-' || r == ' ' {
			r = '_'
		}
		if unicode.IsUpper(r) && i > 0 {
			before := runes[i-1]
			startsWord := i+1 < len(runes) && unicode.IsLower(runes[i+1]) && unicode.IsUpper(before)
			if unicode.IsLower(before) || unicode.IsDigit(before) || startsWord {
				b.WriteByte('_')
			}
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// text returns the first of the named fields that is a string or a number and not empty.
func (o object) text(names ...string) string {
	for _, name := range names {
		switch value := o[name].(type) {
		case string:
			if value = strings.TrimSpace(value); value != "" {
				return value
			}
		case json.Number:
			return value.String()
		}
	}
	return ""
}

// truth returns the first of the named fields that is a boolean.
func (o object) truth(names ...string) (value, found bool) {
	for _, name := range names {
		if value, found = o[name].(bool); found {
			return value, true
		}
	}
	return false, false
}

// at resolves a dotted path of field names in an object.
func (o object) at(path string) (any, bool) {
	step, rest, deeper := strings.Cut(path, ".")
	value, found := o[snakeCase(step)]
	if !found || !deeper {
		return value, found
	}
	inner, ok := single(value)
	if !ok {
		return nil, false
	}
	return inner.at(rest)
}

// reader decodes responses according to the routes.
type reader struct {
	answer AnswerRoutes
	list   ListRoutes
}

// The usual field names of a token's facts.
var (
	idNames      = []string{"id", "token_id", "uuid"}
	nameNames    = []string{"name", "label", "title"}
	createdNames = []string{"created_at", "created", "created_on", "creation_date", "creation_time"}
	secretNames  = []string{"token", "value", "secret", "key", "plain_text_token", "access_token", "api_token", "api_key", "bearer_token"}
)

// pick finds a fact at its configured path or under the usual names. It returns the object
// that contains the fact and the names to look for in it. A configured path may also lead
// to an object around the token. The names are nil for a fact that the service does not
// report.
func pick(path string, usual []string, around []object) (object, []string) {
	fields := around[len(around)-1]
	switch path {
	case "":
		return fields, usual
	case none:
		return object{}, usual
	}
	last := snakeCase(path[strings.LastIndexByte(path, '.')+1:])
	for _, fields := range slices.Backward(around) {
		if value, found := fields.at(path); found {
			return object{last: value}, []string{last}
		}
	}
	return object{}, []string{last}
}

func (r reader) id(fields object) string {
	o, names := pick(r.answer.ID, idNames, []object{fields})
	return o.text(names...)
}

// secret returns the token value. If a field contains an object instead, secret searches
// that object once.
func (o object) secret(names []string) (secret.Secret, bool) {
	for _, name := range names {
		text, _ := o[name].(string)
		if inner, ok := asObject(o[name]); ok {
			text = inner.text(secretNames...)
		}
		if text = strings.TrimSpace(text); isBearer(text) {
			return secret.New(text), true
		}
	}
	return secret.Secret{}, false
}

// isBearer reports whether text can be sent as a token in a header.
func isBearer(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r >= 0x7f })
}

// layers returns the objects from the outermost envelope to the token itself.
func (r reader) layers(value any) []object {
	outer, ok := single(value)
	if !ok {
		return nil
	}
	found := []object{outer}
	for range maxDepth {
		inner, ok := r.envelope(found[len(found)-1])
		if !ok {
			break
		}
		found = append(found, inner)
	}
	return found
}

// envelope returns the token that an object wraps. An object with an ID wraps only an
// object that also has one: {"id": "…", "token": {"value": "…"}} is not a wrapper.
func (r reader) envelope(o object) (object, bool) {
	var candidate object
	for _, name := range []string{"data", "result", "item", "api_token", "token", "access_token", "personal_access_token"} {
		inner, ok := single(o[name])
		if ok && r.id(inner) != "" {
			return inner, true
		}
		if ok && candidate == nil {
			candidate = inner
		}
	}
	return candidate, candidate != nil && r.id(o) == ""
}

// single returns an object, or the only object of a list.
func single(value any) (object, bool) {
	if list, ok := value.([]any); ok && len(list) == 1 {
		value = list[0]
	}
	return asObject(value)
}

// decodeToken decodes one token. Only a missing ID is an error.
func (r reader) decodeToken(body []byte) (Token, error) {
	value, err := parse(body)
	if err != nil {
		return Token{}, err
	}
	return r.token(value)
}

func (r reader) token(value any) (Token, error) {
	around := r.layers(value)
	if len(around) == 0 {
		return Token{}, errNoObject
	}
	text := func(path string, usual []string) string {
		fields, names := pick(path, usual, around)
		return fields.text(names...)
	}
	t := Token{ID: text(r.answer.ID, idNames), Name: text(r.answer.Name, nameNames)}
	if t.ID == "" {
		return Token{}, errNoID
	}
	warn := func(field string, readable bool) {
		if !readable {
			t.Warnings = append(t.Warnings, field)
		}
	}
	when := func(path string, usual []string, field string, fact Facts) time.Time {
		fields, names := pick(path, usual, around)
		at, readable := fields.time(names...)
		warn(field, readable)
		if !readable || !fields.says(names...) {
			t.Untold |= fact
		}
		return at
	}
	warn("name", t.Name != "")
	t.CreatedAt = when(r.answer.CreatedAt, createdNames, "created_at", 0)
	t.LastUsedAt = when(r.answer.LastUsedAt, lastUsedNames(), "last_used_at", LastUsed)
	t.ExpiresAt = when(r.answer.ExpiresAt, expiryNames(), "expires_at", Expiry)
	status, said, readable := r.state(around)
	warn("status", readable)
	if t.Status = status; !said || !readable {
		t.Untold |= State
	}
	return t, nil
}

// state decodes the status, under its usual names or at its path. At a path, a string is
// read as status and a boolean as active.
func (r reader) state(around []object) (status Status, said, readable bool) {
	fields, names := pick(r.answer.Status, nil, around)
	if names == nil || fields.says(statusNames()...) || len(fields) == 0 {
		return fields.status()
	}
	value := fields[names[0]]
	if _, truth := value.(bool); truth {
		return object{"active": value}.status()
	}
	return object{"status": value}.status()
}

func statusNames() []string {
	return []string{
		"status", "state", "revoked", "is_revoked", "revoked_at", "revoked_on", "deleted_at", "active", "is_active", "enabled", "is_enabled",
	}
}

// decodeMinted decodes the response to a create. With an error, the result contains what
// could be decoded, most importantly the ID.
func (r reader) decodeMinted(body []byte) (minted Minted, err error) {
	value, err := parse(body)
	if err != nil {
		return Minted{}, err
	}
	minted.Token, err = r.token(value)
	around := r.layers(value)
	for i := range slices.Backward(around) {
		fields, names := pick(r.answer.Secret, secretNames, around[:i+1])
		if secret, ok := fields.secret(names); ok {
			minted.Secret = secret
			break
		}
	}
	switch {
	case err != nil && minted.Secret.IsZero():
		return minted, fmt.Errorf("%w, and %w", err, errNoSecret)
	case err != nil:
		return minted, err
	case minted.Secret.IsZero():
		return minted, errNoSecret
	}
	return minted, nil
}

// status decodes a token's state. said reports whether the response contains the state,
// and readable whether it is understood. Otherwise the token counts as active: a token
// that may still work is not reported as revoked.
func (o object) status() (status Status, said, readable bool) {
	revokedAt, readable := o.time("revoked_at", "revoked_on", "deleted_at")
	revoked, denied := o.truth("revoked", "is_revoked")
	if revoked || !revokedAt.IsZero() {
		return StatusRevoked, true, true
	}
	word := strings.ToLower(o.text("status", "state"))
	switch word {
	case "revoked", "disabled", "inactive", "deleted", "invalid":
		return StatusRevoked, true, true
	case "active", "expired", "valid", "enabled":
		return StatusActive, true, readable
	}
	// Some services also report an expired token as inactive. If the response states that
	// the token is not revoked, that takes precedence.
	active, found := o.truth("active", "is_active", "enabled", "is_enabled")
	if found && !active && !denied {
		return StatusRevoked, true, true
	}
	said = found || denied || o.says("revoked_at", "revoked_on", "deleted_at")
	return StatusActive, said, readable && word == "" && o["status"] == nil
}
