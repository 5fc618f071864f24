package paistrike

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
)

// What makes a success answer useless. None of these repeats the answer.
var (
	errNotJSON  = errors.New("the answer is not JSON; check that endpoint and api_prefix lead to the API")
	errNoObject = errors.New("the answer has no object that could be a token")
	errNoID     = errors.New("the answer names no token id")
	errNoSecret = errors.New("the answer carries no secret under any known name")
)

// maxDepth is how many envelopes may be around a token or a list.
const maxDepth = 4

// object is a JSON object with its keys in snake_case.
type object map[string]any

// parse reads the first JSON value of a body. Numbers keep all their digits.
func parse(body []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(body, []byte("\ufeff"))))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, errNotJSON // the parser's own words would quote the body
	}
	return value, nil
}

// asObject gives a JSON object snake_case keys, and lifts what JSON:API puts
// under "attributes". Where two keys become one, the first in order counts that
// was in snake_case already.
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

// snakeCase turns createdAt, CreatedAt, created-at and "Created At" into created_at.
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

// text returns the first of the named fields that is a text or a number and not
// empty.
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

// truth reads the first of the named fields that is true or false.
func (o object) truth(names ...string) (value, found bool) {
	for _, name := range names {
		if value, found = o[name].(bool); found {
			return value, true
		}
	}
	return false, false
}

func (o object) id() string { return o.text("id", "token_id", "uuid") }

// secret reads the token value; an object in its place is looked into once.
func (o object) secret() (secret.Secret, bool) {
	names := []string{"token", "value", "secret", "key", "plain_text_token", "access_token", "api_token", "api_key", "bearer_token"}
	for _, name := range names {
		text, _ := o[name].(string)
		if inner, ok := asObject(o[name]); ok {
			text = inner.text(names...)
		}
		if text = strings.TrimSpace(text); isBearer(text) {
			return secret.New(text), true
		}
	}
	return secret.Secret{}, false
}

// isBearer reports whether a header can carry the text as a token.
func isBearer(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r >= 0x7f })
}

// layers follows envelopes from the outermost object to the token itself.
func layers(value any) []object {
	outer, ok := single(value)
	if !ok {
		return nil
	}
	found := []object{outer}
	for range maxDepth {
		inner, ok := envelope(found[len(found)-1])
		if !ok {
			break
		}
		found = append(found, inner)
	}
	return found
}

// envelope returns the token that an object wraps. What has an id of its own
// wraps only what has one too: {"id": "…", "token": {"value": "…"}} is no wrapper.
func envelope(o object) (object, bool) {
	var candidate object
	for _, name := range []string{"data", "result", "item", "api_token", "token", "access_token", "personal_access_token"} {
		inner, ok := single(o[name])
		if ok && inner.id() != "" {
			return inner, true
		}
		if ok && candidate == nil {
			candidate = inner
		}
	}
	return candidate, candidate != nil && o.id() == ""
}

// single reads an object, or the only object of a list.
func single(value any) (object, bool) {
	if list, ok := value.([]any); ok && len(list) == 1 {
		value = list[0]
	}
	return asObject(value)
}

// decodeToken reads one token. Only a missing id is an error.
func decodeToken(body []byte) (Token, error) {
	value, err := parse(body)
	if err != nil {
		return Token{}, err
	}
	return readToken(value)
}

func readToken(value any) (Token, error) {
	found := layers(value)
	if len(found) == 0 {
		return Token{}, errNoObject
	}
	fields := found[len(found)-1]
	t := Token{ID: fields.id(), Name: fields.text("name", "label", "title")}
	if t.ID == "" {
		return Token{}, errNoID
	}
	if t.Name == "" {
		t.Warnings = append(t.Warnings, "name")
	}
	var ok bool
	if t.CreatedAt, ok = fields.time("created_at", "created", "created_on", "creation_date", "creation_time"); !ok {
		t.Warnings = append(t.Warnings, "created_at")
	}
	tell := func(fact Facts, field string, said, readable bool) {
		if !readable {
			t.Warnings = append(t.Warnings, field)
		}
		if !said || !readable {
			t.Untold |= fact
		}
	}
	t.LastUsedAt, ok = fields.time(lastUsedNames()...)
	tell(LastUsed, "last_used_at", fields.says(lastUsedNames()...), ok)
	t.ExpiresAt, ok = fields.time(expiryNames()...)
	tell(Expiry, "expires_at", fields.says(expiryNames()...), ok)
	var said bool
	t.Status, said, ok = fields.status()
	tell(State, "status", said, ok)
	return t, nil
}

// decodeMinted reads the answer to a create. With an error the token may still
// hold what could be read; the id, above all.
func decodeMinted(body []byte) (minted Minted, err error) {
	value, err := parse(body)
	if err != nil {
		return Minted{}, err
	}
	minted.Token, err = readToken(value)
	for _, fields := range slices.Backward(layers(value)) {
		if secret, ok := fields.secret(); ok {
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

// status reads a token's state, and whether the answer says and means anything
// that is known. Else the token is taken as active: what may still work is not
// called dead.
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
	// A token is also called inactive when it has expired; if the answer says that
	// it is not revoked, that counts.
	active, found := o.truth("active", "is_active", "enabled", "is_enabled")
	if found && !active && !denied {
		return StatusRevoked, true, true
	}
	said = found || denied || o.says("revoked_at", "revoked_on", "deleted_at")
	return StatusActive, said, readable && word == "" && o["status"] == nil
}
