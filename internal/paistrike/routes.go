package paistrike

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
)

// The values of [Routes.ExpiresFormat]: how a create request states the expiry.
const (
	ExpiresRFC3339    = "rfc3339"     // "2027-01-31T00:00:00Z"
	ExpiresDate       = "date"        // "2027-01-31", midnight UTC, rounded up
	ExpiresUnix       = "unix"        // seconds since 1970
	ExpiresUnixMilli  = "unix_ms"     // milliseconds since 1970
	ExpiresTTLSeconds = "ttl_seconds" // seconds from now, by the server's clock
	ExpiresNone       = "none"        // omitted: the service accepts no expiry
)

// The values of [Routes.ContentType]: how a create request is encoded.
const (
	ContentJSON    = "json"
	ContentJSONAPI = "json_api" // JSON with the media type of jsonapi.org
	ContentForm    = "form"     // form fields, as a web page sends them
)

// none is the value of a setting for something that the server does not have.
const none = "-"

// Routes are the paths and field names of the API, so that a user with PAIStrike's
// reference does not have to wait for a release. An empty field means the value of
// [ContractV1]. Paths are used as written, including a trailing slash, and may contain a
// fixed query. {id} stands for the token's ID.
type Routes struct {
	// Collection is the path of the list (GET).
	Collection string `json:"collection"`
	// CreatePath is the path of a create (POST). "" means Collection.
	CreatePath string `json:"create_path"`
	// Item is the path of one token, with {id}.
	Item string `json:"item"`
	// Self is the path of the token that makes the request. "-" means that there is no
	// such route.
	Self string `json:"self"`
	// RevokeMethod is DELETE or POST.
	RevokeMethod string `json:"revoke_method"`
	// RevokePath is the path of a revocation, with {id} or {name}. "" means Item.
	RevokePath string `json:"revoke_path"`
	// ListOnly is true if a single token cannot be read by ID. It is then looked up in the
	// list.
	ListOnly bool `json:"list_only"`
	// CreateBody is the body of a create as a JSON object, with {name} within a string and
	// {expires} as a whole string. A field with {expires} is omitted for a token that
	// never expires.
	CreateBody string `json:"create_body"`
	// ContentType is json, json_api or form.
	ContentType string `json:"content_type"`
	// ExpiresFormat is rfc3339, date, unix, unix_ms, ttl_seconds or none. A coarse format
	// rounds the time up, so that the token lives at least as long as requested. The
	// expiry in the response is authoritative.
	ExpiresFormat string `json:"expires_format"`
	// List configures how the list is read.
	List ListRoutes `json:"list"`
	// Answer configures where a response contains the facts of a token.
	Answer AnswerRoutes `json:"answer"`
	// UnauthorizedStatus is the status with which the server refuses a token that does not
	// work. 0 means 401.
	UnauthorizedStatus int `json:"unauthorized_status"`
}

// ListRoutes configures how the list is read. Empty fields are detected from the
// responses.
type ListRoutes struct {
	// Items is the dotted path of the list in the response.
	Items string `json:"items"`
	// Page is the query parameter that requests another page: by its number, or by the
	// value at Next. "-" means that the server has only one page.
	Page string `json:"page"`
	// PageSize is how many tokens to request at once. 0 means 100.
	PageSize int `json:"page_size"`
	// Size is the query parameter for PageSize. "" means limit. "-" means that there is
	// none.
	Size string `json:"size"`
	// Total is the dotted path of the number of all tokens. "-" means that the counts in
	// the response are something else.
	Total string `json:"total"`
	// Next is the dotted path of the pointer to the next page: an address, or a value for
	// Page.
	Next string `json:"next"`
	// DropsRevoked is true if a revoked token leaves the list, so that absence from a
	// complete list means revoked.
	DropsRevoked bool `json:"drops_revoked"`
}

// AnswerRoutes are the dotted paths of the facts in the object of a token, or around it.
// Empty fields are searched under the usual names. "-" means that the service does not
// report the fact.
type AnswerRoutes struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	Secret     string `json:"secret"`
	CreatedAt  string `json:"created_at"`
	ExpiresAt  string `json:"expires_at"`
	LastUsedAt string `json:"last_used_at"`
	Status     string `json:"status"`
}

// ContractV1 returns the routes of openapi.yaml.
func ContractV1() Routes {
	return Routes{
		Collection:         "/api-tokens",
		CreatePath:         "/api-tokens",
		Item:               "/api-tokens/{id}",
		Self:               "/api-tokens/self",
		RevokeMethod:       http.MethodDelete,
		RevokePath:         "/api-tokens/{id}",
		CreateBody:         `{"name": "{name}", "expires_at": "{expires}"}`,
		ContentType:        ContentJSON,
		ExpiresFormat:      ExpiresRFC3339,
		List:               ListRoutes{PageSize: pageSize, Size: "limit"},
		UnauthorizedStatus: http.StatusUnauthorized,
	}
}

// ParseRoutes parses routes from a JSON object, the action's input. An empty text means
// the zero Routes. An unknown key is an error.
func ParseRoutes(jsonText string) (Routes, error) {
	var routes Routes
	if err := parseSetting("api_routes", jsonText, &routes); err != nil {
		return Routes{}, err
	}
	return routes, routes.Validate()
}

// ParseAuth parses an [Auth] from a JSON object, the action's input.
func ParseAuth(jsonText string) (Auth, error) {
	var auth Auth
	if err := parseSetting("auth", jsonText, &auth); err != nil {
		return Auth{}, err
	}
	return auth, auth.Validate()
}

func parseSetting(setting, jsonText string, into any) error {
	if strings.TrimSpace(jsonText) == "" {
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader([]byte(jsonText)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return &SettingError{setting, "is not a JSON object of its settings: " + err.Error()}
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return &SettingError{setting, "has text after the JSON object"}
	}
	return nil
}

// complete fills empty fields with the contract's routes.
func (r Routes) complete() Routes {
	contract := ContractV1()
	for _, field := range []struct{ value, fallback *string }{
		{&r.Collection, &contract.Collection},
		{&r.CreatePath, &r.Collection},
		{&r.Item, &contract.Item},
		{&r.Self, &contract.Self},
		{&r.RevokeMethod, &contract.RevokeMethod},
		{&r.RevokePath, &r.Item},
		{&r.CreateBody, &contract.CreateBody},
		{&r.ContentType, &contract.ContentType},
		{&r.ExpiresFormat, &contract.ExpiresFormat},
		{&r.List.Size, &contract.List.Size},
	} {
		if *field.value == "" {
			*field.value = *field.fallback
		}
	}
	if r.ExpiresFormat == ExpiresNone && r.CreateBody == contract.CreateBody {
		r.CreateBody = `{"name": "{name}"}`
	}
	if r.List.PageSize == 0 {
		r.List.PageSize = contract.List.PageSize
	}
	if r.UnauthorizedStatus == 0 {
		r.UnauthorizedStatus = contract.UnauthorizedStatus
	}
	r.RevokeMethod = strings.ToUpper(r.RevokeMethod)
	return r
}

// hasSelf reports whether the server has a route for the caller's own token.
func (r Routes) hasSelf() bool { return r.Self != none }

// Validate checks the routes without I/O. Empty fields are valid. Its error is a
// [*SettingError].
func (r Routes) Validate() error {
	r = r.complete()
	for _, route := range []struct {
		key, path    string
		placeholders []string
	}{
		{"collection", r.Collection, nil},
		{"create_path", r.CreatePath, nil},
		{"item", r.Item, []string{"{id}"}},
		{"self", r.Self, nil},
		{"revoke_path", r.RevokePath, []string{"{id}", "{name}"}},
	} {
		if route.key == "self" && !r.hasSelf() {
			continue
		}
		if problem := checkRoute(route.path, route.placeholders); problem != "" {
			return &SettingError{"api_routes." + route.key, problem}
		}
	}
	if r.RevokeMethod != http.MethodDelete && r.RevokeMethod != http.MethodPost {
		return &SettingError{"api_routes.revoke_method", "must be DELETE or POST"}
	}
	switch r.ContentType {
	case ContentJSON, ContentJSONAPI, ContentForm:
	default:
		return &SettingError{"api_routes.content_type", "must be json, json_api or form"}
	}
	switch r.ExpiresFormat {
	case ExpiresRFC3339, ExpiresDate, ExpiresUnix, ExpiresUnixMilli, ExpiresTTLSeconds, ExpiresNone:
	default:
		return &SettingError{"api_routes.expires_format", "must be rfc3339, date, unix, unix_ms, ttl_seconds or none"}
	}
	if _, err := parseTemplate(r.CreateBody, r.ContentType == ContentForm, r.ExpiresFormat != ExpiresNone); err != nil {
		return &SettingError{"api_routes.create_body", err.Error()}
	}
	if r.UnauthorizedStatus < 400 || r.UnauthorizedStatus > 499 || r.UnauthorizedStatus == http.StatusTooManyRequests {
		return &SettingError{"api_routes.unauthorized_status", "must be a status from 400 to 499 other than 429"}
	}
	if err := r.List.validate(); err != nil {
		return err
	}
	return r.Answer.validate()
}

func (l ListRoutes) validate() error {
	for key, path := range map[string]string{"items": l.Items, "total": l.Total, "next": l.Next} {
		if path == none && key == "total" {
			continue
		}
		if problem := checkDotted(path); problem != "" {
			return &SettingError{"api_routes.list." + key, problem}
		}
	}
	for key, name := range map[string]string{"page": l.Page, "size": l.Size} {
		if strings.ContainsAny(name, "?&=#{} \t\r\n") {
			return &SettingError{"api_routes.list." + key, "must be the name of a query parameter"}
		}
	}
	if l.PageSize < 1 || l.PageSize > 10_000 {
		return &SettingError{"api_routes.list.page_size", "must be 1 to 10000"}
	}
	return nil
}

func (a AnswerRoutes) validate() error {
	for _, fact := range []struct {
		key, path string
		needed    bool
	}{
		{"id", a.ID, true},
		{"name", a.Name, true},
		{"secret", a.Secret, true},
		{"created_at", a.CreatedAt, false},
		{"expires_at", a.ExpiresAt, false},
		{"last_used_at", a.LastUsedAt, false},
		{"status", a.Status, false},
	} {
		problem := checkDotted(fact.path)
		switch {
		case fact.path == none && fact.needed:
			problem = "must be returned by the service: without it, tokens cannot be managed"
		case fact.path == none:
			problem = ""
		}
		if problem != "" {
			return &SettingError{"api_routes.answer." + fact.key, problem}
		}
	}
	return nil
}

// checkDotted returns the problem of a dotted path, or "". An empty path is valid.
func checkDotted(path string) string {
	if path == "" {
		return ""
	}
	for step := range strings.SplitSeq(path, ".") {
		if strings.TrimSpace(step) == "" || step == none {
			return "must be field names separated by dots, such as data.attributes.name"
		}
	}
	return ""
}
