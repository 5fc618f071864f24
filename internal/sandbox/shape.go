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

// Shape is the form of a token API other than the wire contract's: its paths,
// names, pages, media types and statuses, in the manner of a service. What the API
// does stays the sandbox's: the store, the clock and the policy are the same.
//
// Answers are JSON in which a text such as "{id}" stands for a value: {id}, {name},
// {secret}, {created}, {last_used}, {active_at}, {expires}, {expires_date}, {ttl},
// {expired}, {status}, {revoked} and {active} of a token; {rows}, {total}, {count},
// {page}, {pages}, {size}, {next}, {next_url} and {next_link} of a list; {row} in an
// answer with one token. A field that is "{expires?}" is left out if there is none.
type Shape struct {
	// Service and Reference name the service in whose manner this is, and its public
	// page.
	Service   string `json:"service"`
	Reference string `json:"reference"`
	Prefix    string `json:"prefix"`
	// Header and Scheme carry the token; an empty scheme stands for no scheme.
	Header string `json:"header"`
	Scheme string `json:"scheme"`
	// Dead is the status for a token that is not accepted, and DeadAnswer its body.
	Dead       int             `json:"dead"`
	DeadAnswer json.RawMessage `json:"dead_answer"`
	// Query must be in every call.
	Query map[string]string `json:"query"`
	// Missing is the status for a token that is not there, 404 by default.
	Missing int `json:"missing"`
	// Times is how an answer writes a time: rfc3339, offset (RFC 3339 with a zone such
	// as +0000), unix or unix_ms.
	Times string `json:"times"`
	// IDs is what identifies a token: its name, a number or a uuid. The default is the
	// sandbox's own id.
	IDs string `json:"ids"`
	// DropsRevoked says that a revoked token is no longer shown.
	DropsRevoked bool `json:"drops_revoked"`

	Row    json.RawMessage `json:"row"`
	Create ShapeCreate     `json:"create"`
	List   ShapeList       `json:"list"`
	// Item and Self are the paths of one token, with {id}, and of the caller's; "" if there
	// is no such path. One is how they answer; "{row}" if it is empty.
	Item string          `json:"item"`
	Self string          `json:"self"`
	One  json.RawMessage `json:"one"`
	// SelfAnswer is how Self answers, if not as Item does.
	SelfAnswer json.RawMessage `json:"self_answer"`
	// RevokeMethod and RevokePath, with {id}, end a token. SelfRevokes says that
	// DELETE of Self does too. The status is 204 for an empty answer and else 200,
	// unless RevokeStatus is another; RevokeMissing is that for a token that is not there.
	RevokeMethod  string          `json:"revoke_method"`
	RevokePath    string          `json:"revoke_path"`
	Revoked       json.RawMessage `json:"revoked"`
	SelfRevokes   bool            `json:"self_revokes"`
	RevokeStatus  int             `json:"revoke_status"`
	RevokeMissing int             `json:"revoke_missing"`

	// Settings are what a user of the provider writes for such a service. The sandbox
	// does not look at them.
	Settings ShapeSettings `json:"settings"`
}

// ShapeSettings are the settings of the provider and of the action for a shape.
type ShapeSettings struct {
	Prefix string          `json:"api_prefix"`
	Auth   json.RawMessage `json:"auth"`
	Routes json.RawMessage `json:"api_routes"`
}

// ShapeCreate is how a token is made.
type ShapeCreate struct {
	Path   string `json:"path"`
	Status int    `json:"status"`
	// Media is json, json_api or form.
	Media string `json:"media"`
	// Name and Expires are dotted paths in the request; Format is how the expiry is
	// written there: rfc3339, date, unix, unix_ms or ttl_seconds. Without Expires no expiry is read.
	Name    string `json:"name"`
	Expires string `json:"expires"`
	Format  string `json:"format"`
	// Fixed are dotted paths that must have these values.
	Fixed  map[string]string `json:"fixed"`
	Answer json.RawMessage   `json:"answer"`
}

// ShapeList is how tokens are listed.
type ShapeList struct {
	Path   string          `json:"path"`
	Answer json.RawMessage `json:"answer"`
	// Paging is "none", "page", "offset" or "cursor": by the parameter Page.
	Paging string `json:"paging"`
	Page   string `json:"page"`
	First  int    `json:"first"` // number of the first page
	// Size is the parameter of the page's length, with its default and bounds. Beyond
	// these is refused below and cut above.
	Size        string `json:"size"`
	Default     int    `json:"default"`
	Min         int    `json:"min"`
	Max         int    `json:"max"`
	OldestFirst bool   `json:"oldest_first"`
	// Total puts the number of tokens into a header of this name.
	Total string `json:"total"`
}

// ReadShape reads a shape from a JSON file. Unknown fields are refused.
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

// Shapes returns the shapes that come with the sandbox, by name, each in the manner
// of a real service by its public reference.
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

// fillShape writes an answer: texts that are a hole become its value.
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

// match compares a path with one of the shape and returns what stands for {id}. A
// query of the shape's path is read too.
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
