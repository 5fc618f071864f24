package sandbox

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
)

// Shape describes a token API that differs from the wire contract in its paths, names,
// paging, media types and statuses, modeled on a service. The behavior is the sandbox's:
// store, clock and policy are the same.
//
// Answers are JSON templates. A string such as "{id}" is replaced by a value: {id}, {name},
// {secret}, {created}, {last_used}, {active_at}, {expires}, {expires_date}, {ttl}, {expired},
// {status}, {revoked} and {active} of a token; {rows}, {total}, {count}, {page}, {pages},
// {size}, {next}, {next_url} and {next_link} of a list; {row} in an answer with one token. A
// field with the value "{expires?}" is omitted if there is none.
type Shape struct {
	// Service and Reference are the name of the service that this shape models, and the URL
	// of its public documentation.
	Service   string `json:"service"`
	Reference string `json:"reference"`
	Prefix    string `json:"prefix"`
	// Header is the header with the token, and Scheme its prefix; "" = no scheme.
	Header string `json:"header"`
	Scheme string `json:"scheme"`
	// Dead is the status for a token that is not accepted, and DeadAnswer the body.
	Dead       int             `json:"dead"`
	DeadAnswer json.RawMessage `json:"dead_answer"`
	// Query lists parameters that every call must have.
	Query map[string]string `json:"query"`
	// Missing is the status for an unknown token, 404 by default.
	Missing int `json:"missing"`
	// Times is the format of times in answers: rfc3339, offset (RFC 3339 with a zone such as
	// +0000), unix or unix_ms.
	Times string `json:"times"`
	// IDs selects the identifier of a token: its name, a number or a uuid. The default is the
	// sandbox's ID.
	IDs string `json:"ids"`
	// DropsRevoked hides revoked tokens.
	DropsRevoked bool `json:"drops_revoked"`

	Row    json.RawMessage `json:"row"`
	Create ShapeCreate     `json:"create"`
	List   ShapeList       `json:"list"`
	// Item, with {id}, and Self are the paths of one token and of the caller's token; "" if
	// there is none. One is their answer, "{row}" by default.
	Item string          `json:"item"`
	Self string          `json:"self"`
	One  json.RawMessage `json:"one"`
	// SelfAnswer is the answer of Self, if it differs from One.
	SelfAnswer json.RawMessage `json:"self_answer"`
	// RevokeMethod and RevokePath, with {id}, revoke a token. SelfRevokes makes DELETE of
	// Self do so too. RevokeStatus is the status; by default it is 204 for an empty answer
	// and 200 otherwise. RevokeMissing is the status for an unknown token.
	RevokeMethod  string          `json:"revoke_method"`
	RevokePath    string          `json:"revoke_path"`
	Revoked       json.RawMessage `json:"revoked"`
	SelfRevokes   bool            `json:"self_revokes"`
	RevokeStatus  int             `json:"revoke_status"`
	RevokeMissing int             `json:"revoke_missing"`

	// Settings are the provider's settings for this service. The sandbox does not use them.
	Settings ShapeSettings `json:"settings"`
}

// ShapeSettings are the settings of the provider and the action for a shape.
type ShapeSettings struct {
	Prefix string          `json:"api_prefix"`
	Auth   json.RawMessage `json:"auth"`
	Routes json.RawMessage `json:"api_routes"`
}

// ShapeCreate describes how a token is created.
type ShapeCreate struct {
	Path   string `json:"path"`
	Status int    `json:"status"`
	// Media is json, json_api or form.
	Media string `json:"media"`
	// Name and Expires are dotted paths in the request. Format is the format of the expiry:
	// rfc3339, date, unix, unix_ms or ttl_seconds. Without Expires, no expiry is read.
	Name    string `json:"name"`
	Expires string `json:"expires"`
	Format  string `json:"format"`
	// Fixed maps dotted paths to the values that they must have.
	Fixed  map[string]string `json:"fixed"`
	Answer json.RawMessage   `json:"answer"`
}

// ShapeList describes how tokens are listed.
type ShapeList struct {
	Path   string          `json:"path"`
	Answer json.RawMessage `json:"answer"`
	// Paging is "none", "page", "offset" or "cursor". Page is the parameter that selects the
	// page.
	Paging string `json:"paging"`
	Page   string `json:"page"`
	First  int    `json:"first"` // number of the first page
	// Size is the parameter for the page size, with its default and bounds. A smaller size is
	// rejected, a larger one is reduced to Max.
	Size        string `json:"size"`
	Default     int    `json:"default"`
	Min         int    `json:"min"`
	Max         int    `json:"max"`
	OldestFirst bool   `json:"oldest_first"`
	// Total is the name of a response header for the number of tokens.
	Total string `json:"total"`
}

// ReadShape reads a shape in JSON. It rejects unknown fields.
func ReadShape(data []byte) (*Shape, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	s := &Shape{}
	if err := decoder.Decode(s); err != nil {
		return nil, fmt.Errorf("reading a shape: %w", err)
	}
	return s, s.check()
}

func (s *Shape) check() error {
	for name, text := range map[string]json.RawMessage{"row": s.Row, "create.answer": s.Create.Answer, "list.answer": s.List.Answer} {
		if !json.Valid(text) {
			return fmt.Errorf("shape: %s is not JSON", name)
		}
	}
	if s.Create.Path == "" || s.List.Path == "" || s.RevokePath == "" || s.Header == "" {
		return fmt.Errorf("shape: header, create.path, list.path and revoke_path are required")
	}
	return nil
}

//go:embed shapes/*.json
var shapeFiles embed.FS

// Shapes returns the embedded shapes by name. Each models a real service after its public
// documentation.
func Shapes() (map[string]*Shape, error) {
	files, err := fs.Glob(shapeFiles, "shapes/*.json")
	if err != nil {
		return nil, err
	}
	shapes := map[string]*Shape{}
	for _, file := range files {
		data, err := shapeFiles.ReadFile(file)
		if err != nil {
			return nil, err
		}
		name := strings.TrimSuffix(strings.TrimPrefix(file, "shapes/"), ".json")
		if shapes[name], err = ReadShape(data); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	return shapes, nil
}

// fillShape fills in a template and returns the answer.
func fillShape(template json.RawMessage, values map[string]any) any {
	var parsed any
	if len(template) == 0 || json.Unmarshal(template, &parsed) != nil {
		return nil
	}
	return fillValue(parsed, values)
}

func fillValue(value any, values map[string]any) any {
	switch value := value.(type) {
	case string:
		if filled, found := values[value]; found {
			return filled
		}
	case []any:
		filled := make([]any, len(value))
		for i := range value {
			filled[i] = fillValue(value[i], values)
		}
		return filled
	case map[string]any:
		filled := make(map[string]any, len(value))
		for key := range value {
			hole, _ := value[key].(string)
			name, optional := strings.CutSuffix(hole, "?}")
			switch found, known := values[name+"}"]; {
			case !optional || !known:
				filled[key] = fillValue(value[key], values)
			case found != nil:
				filled[key] = found
			}
		}
		return filled
	}
	return value
}

// match matches a request against a path of the shape, including its query, and returns the
// value of {id}.
func match(template string, r *http.Request, prefix string) (id string, ok bool) {
	path, query, _ := strings.Cut(template, "?")
	if name, found := strings.CutSuffix(query, "={id}"); found {
		return r.URL.Query().Get(name), r.URL.Path == prefix+path
	}
	before, after, found := strings.Cut(prefix+path, "{id}")
	if !found {
		return "", r.URL.Path == before
	}
	rest, ok := strings.CutPrefix(r.URL.Path, before)
	id, tail := strings.CutSuffix(rest, after)
	return id, ok && tail && id != "" && !strings.Contains(id, "/")
}
