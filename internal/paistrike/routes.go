package paistrike

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
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
	ExpiresNone       = "none"        // not at all: the service takes no expiry
)

// How a create request is written. The values of [Routes.ContentType].
const (
	ContentJSON    = "json"
	ContentJSONAPI = "json_api" // JSON with the media type of jsonapi.org
	ContentForm    = "form"     // fields, as a web page sends them
)

// none in a setting says that the server has no such thing.
const none = "-"

// Routes are the paths and names of the API, so that a user who has PAIStrike's
// reference need not wait for a release. An empty field means [ContractV1]'s.
// Paths are used as written, a slash at the end included, and may carry a fixed
// query; {id} stands for the token's id.
type Routes struct {
	// Collection lists (GET).
	Collection string `json:"collection"`
	// CreatePath creates (POST); "" means Collection.
	CreatePath string `json:"create_path"`
	// Item is one token, with {id}.
	Item string `json:"item"`
	// Self is the token that makes the request; "-" means there is no such route.
	Self string `json:"self"`
	// RevokeMethod is DELETE or POST.
	RevokeMethod string `json:"revoke_method"`
	// RevokePath, with {id} or {name}, revokes; "" means Item.
	RevokePath string `json:"revoke_path"`
	// ListOnly says that one token cannot be read by id: it is looked up in the list.
	ListOnly bool `json:"list_only"`
	// CreateBody is the body of a create as a JSON object, with {name} in a text of
	// it and {expires} as a text of its own. A field that is {expires} is left out for
	// a token that never expires.
	CreateBody string `json:"create_body"`
	// ContentType is json, json_api or form.
	ContentType string `json:"content_type"`
	// ExpiresFormat is rfc3339, date, unix, unix_ms, ttl_seconds or none. If the
	// format is coarse, the time is rounded up, so that the token lives at least as
	// long as asked; the expiry in the answer is the truth.
	ExpiresFormat string `json:"expires_format"`
	// List says how the list is read.
	List ListRoutes `json:"list"`
	// Answer says where the facts of a token stand.
	Answer AnswerRoutes `json:"answer"`
	// UnauthorizedStatus is how the server refuses a token that is dead; 0 means 401.
	UnauthorizedStatus int `json:"unauthorized_status"`
}

// ListRoutes says how the list is read. What is empty is found out from the answers.
type ListRoutes struct {
	// Items is where the list stands in the answer, as a dotted path.
	Items string `json:"items"`
	// Page is the query parameter that asks for another page: by its number, or by
	// what stands at Next. "-" means that the server has one page only.
	Page string `json:"page"`
	// PageSize is how many tokens to ask for at once; 0 means 100.
	PageSize int `json:"page_size"`
	// Size is the query parameter for that; "" means limit, "-" that there is none.
	Size string `json:"size"`
	// Total is where the answer says how many tokens there are, as a dotted path. "-"
	// means that what it says is something else.
	Total string `json:"total"`
	// Next is where the answer says how the list goes on, by an address or by a value
	// for Page, as a dotted path.
	Next string `json:"next"`
	// DropsRevoked says that a revoked token leaves the list: what is not in a whole
	// list is then revoked.
	DropsRevoked bool `json:"drops_revoked"`
}

// AnswerRoutes are dotted paths of the facts in the object that is a token, or
// around it. What is empty is looked for under the usual names; "-" says that the
// service does not tell it.
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

// ParseRoutes reads routes from a JSON object, as the action gets them. An empty
// text is the zero Routes; an unknown key is refused.
func ParseRoutes(jsonText string) (Routes, error) {
	var routes Routes
	if err := parseSetting("api_routes", jsonText, &routes); err != nil {
		return Routes{}, err
	}
	return routes, routes.Validate()
}

// ParseAuth reads an [Auth] from a JSON object, as the action gets it.
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
		return &SettingError{setting, "has something after the JSON object"}
	}
	return nil
}

// complete fills what is empty with the contract's routes.
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

// Validate checks the routes without any I/O; what is empty is well. Its error is a
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
		return &SettingError{"api_routes.unauthorized_status", "must be 401 or another status from 400 to 499, and not 429"}
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
			problem = "must be told by the service: without it no token can be managed"
		case fact.path == none:
			problem = ""
		}
		if problem != "" {
			return &SettingError{"api_routes.answer." + fact.key, problem}
		}
	}
	return nil
}

// checkDotted returns what is wrong with a dotted path; "" stands for no path.
func checkDotted(path string) string {
	if path == "" {
		return ""
	}
	for step := range strings.SplitSeq(path, ".") {
		if strings.TrimSpace(step) == "" || step == none {
			return "must be names of fields with dots between them, such as data.attributes.name"
		}
	}
	return ""
}
