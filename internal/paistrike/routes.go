package paistrike

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// How a create request says when the token ends. The values of
// [Routes.ExpiresFormat].
const (
	ExpiresRFC3339    = "rfc3339"     // "2027-01-31T00:00:00Z"
	ExpiresDate       = "date"        // "2027-01-31", midnight UTC, rounded up
	ExpiresUnix       = "unix"        // seconds since 1970
	ExpiresUnixMilli  = "unix_ms"     // milliseconds since 1970
	ExpiresTTLSeconds = "ttl_seconds" // seconds from now, by the server's clock
)

// noRoute in [Routes.Self] says that the server has no such route.
const noRoute = "-"

// Routes are the paths and names of the API, so that a user who has PAIStrike's
// reference need not wait for a release. An empty field means [ContractV1]'s.
// Paths are used as written, a slash at the end included; {id} stands for the
// token's id.
type Routes struct {
	// Collection lists (GET) and creates (POST).
	Collection string `json:"collection"`
	// Item is one token, with {id}.
	Item string `json:"item"`
	// Self is the token that makes the request; "-" means there is no such route.
	Self string `json:"self"`
	// RevokeMethod is DELETE or POST.
	RevokeMethod string `json:"revoke_method"`
	// RevokePath, with {id}, revokes; "" means Item.
	RevokePath string `json:"revoke_path"`
	// ListOnly says that one token cannot be read by id: it is looked up in the list.
	ListOnly bool `json:"list_only"`
	// NameField and ExpiresField are the names of what create sends.
	NameField    string `json:"name_field"`
	ExpiresField string `json:"expires_field"`
	// ExpiresFormat is rfc3339, date, unix, unix_ms or ttl_seconds. Where the
	// format is coarse the time is rounded up, so that the token lives at least
	// as long as asked; the expiry in the answer is the truth.
	ExpiresFormat string `json:"expires_format"`
}

// ParseRoutes reads routes from a JSON object, as the action gets them. An empty
// text gives the zero Routes; an unknown key is refused.
func ParseRoutes(jsonText string) (Routes, error) {
	if strings.TrimSpace(jsonText) == "" {
		return Routes{}, nil
	}
	var routes Routes
	decoder := json.NewDecoder(bytes.NewReader([]byte(jsonText)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&routes); err != nil {
		return Routes{}, &SettingError{"api_routes", "is no JSON object of routes: " + err.Error()}
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return Routes{}, &SettingError{"api_routes", "has something after the JSON object"}
	}
	return routes, routes.complete().validate()
}

// complete fills what is empty with the contract's routes.
func (r Routes) complete() Routes {
	contract := ContractV1()
	for _, field := range []struct{ value, fallback *string }{
		{&r.Collection, &contract.Collection},
		{&r.Item, &contract.Item},
		{&r.Self, &contract.Self},
		{&r.RevokeMethod, &contract.RevokeMethod},
		{&r.RevokePath, &r.Item},
		{&r.NameField, &contract.NameField},
		{&r.ExpiresField, &contract.ExpiresField},
		{&r.ExpiresFormat, &contract.ExpiresFormat},
	} {
		if *field.value == "" {
			*field.value = *field.fallback
		}
	}
	r.RevokeMethod = strings.ToUpper(r.RevokeMethod)
	return r
}

// hasSelf reports whether the server has a route for the caller's own token.
func (r Routes) hasSelf() bool { return r.Self != noRoute }

// validate checks complete routes.
func (r Routes) validate() error {
	for _, route := range []struct {
		key, path string
		ids       int
	}{
		{"collection", r.Collection, 0},
		{"item", r.Item, 1},
		{"self", r.Self, 0},
		{"revoke_path", r.RevokePath, 1},
	} {
		if route.key == "self" && !r.hasSelf() {
			continue
		}
		if problem := checkRoute(route.path, route.ids); problem != "" {
			return &SettingError{"api_routes." + route.key, problem}
		}
	}
	if r.RevokeMethod != http.MethodDelete && r.RevokeMethod != http.MethodPost {
		return &SettingError{"api_routes.revoke_method", "must be DELETE or POST"}
	}
	if r.NameField == r.ExpiresField {
		return &SettingError{"api_routes.expires_field", "must differ from name_field"}
	}
	switch r.ExpiresFormat {
	case ExpiresRFC3339, ExpiresDate, ExpiresUnix, ExpiresUnixMilli, ExpiresTTLSeconds:
		return nil
	default:
		return &SettingError{"api_routes.expires_format", "must be rfc3339, date, unix, unix_ms or ttl_seconds"}
	}
}

// checkRoute says what is wrong with a path template; ids is how often {id} must
// be in it.
func checkRoute(path string, ids int) string {
	bare := strings.ReplaceAll(path, "{id}", "id")
	switch {
	case strings.ContainsAny(bare, "{}"):
		return "must have no placeholder but {id}"
	case strings.Count(path, "{id}") < ids:
		return "must have {id} in it"
	case strings.Count(path, "{id}") > ids:
		return "must not have {id} in it so often"
	}
	return checkPath(bare)
}

// checkPath says what is wrong with a path that is put behind the endpoint.
func checkPath(path string) string {
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") {
		return "must begin with one slash"
	}
	if strings.ContainsFunc(path, func(r rune) bool { return !isLetterOrDigit(r) && !strings.ContainsRune("/%-._~!$&'()*+,;=:@", r) }) {
		return "must be a path alone, with all but plain characters escaped, and without a query or a fragment"
	}
	for segment := range strings.SplitSeq(path, "/") {
		plain, err := url.PathUnescape(segment)
		if err != nil {
			return "has a percent sign that escapes nothing"
		}
		if plain == "." || plain == ".." {
			return "must not have . or .. as a segment"
		}
	}
	return ""
}
