package doctor

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
)

// Proposal contains the settings found in an OpenAPI document, and what remains open.
type Proposal struct {
	Prefix string
	Auth   paistrike.Auth
	Routes paistrike.Routes
	// Open lists what the document does not specify, one sentence each.
	Open []string
}

// errNoDocument reports an unusable document without quoting it.
var errNoDocument = errors.New("it is not an OpenAPI 3 document in JSON; convert YAML first, such as with `yq -o json`")

// Propose reads an OpenAPI 3 document in JSON and proposes settings. They are derived from
// the names in the document and must be tried with [Examine].
func Propose(document []byte) (Proposal, error) {
	left := maxSchemas
	d := openAPI{left: &left}
	if err := json.Unmarshal(document, &d.root); err != nil {
		return Proposal{}, errNoDocument
	}
	paths, _ := d.root["paths"].(map[string]any)
	if version, _ := d.root["openapi"].(string); !strings.HasPrefix(version, "3.") || len(paths) == 0 {
		return Proposal{}, errNoDocument
	}
	d.paths = paths
	p := Proposal{Prefix: d.prefix(), Auth: d.auth()}
	collection, create := d.collection()
	if create == "" {
		return p, errors.New("the document has no path that creates a token and one that lists them")
	}
	p.Routes.Collection, p.Routes.CreatePath = collection, create
	d.items(&p, collection)
	d.body(&p, d.operation(create, "post"))
	d.list(&p, d.operation(collection, "get"))
	d.answer(&p, d.operation(create, "post"))
	p.nameParents(collection)
	return p, p.Routes.Validate()
}

// openAPI is a parsed document.
type openAPI struct {
	root  map[string]any
	paths map[string]any
	// left is the number of schemas that may still be visited, because references may be
	// cyclic.
	left *int
}

// maxSchemas is far more than the schemas of one token.
const maxSchemas = 2000

func (d openAPI) spent() bool {
	*d.left--
	return *d.left < 0
}

// resolve follows a local reference. References to other files are not supported.
func (d openAPI) resolve(value any) map[string]any {
	for range 20 {
		fields, _ := value.(map[string]any)
		reference, ok := fields["$ref"].(string)
		if !ok {
			return fields
		}
		value = any(d.root)
		for step := range strings.SplitSeq(strings.TrimPrefix(reference, "#/"), "/") {
			inner, _ := value.(map[string]any)
			value = inner[strings.NewReplacer("~1", "/", "~0", "~").Replace(step)]
		}
	}
	return nil
}

func (d openAPI) at(value any, steps ...string) map[string]any {
	fields := d.resolve(value)
	for _, step := range steps {
		fields = d.resolve(fields[step])
	}
	return fields
}

func (d openAPI) operation(path, method string) map[string]any { return d.at(d.paths[path], method) }

// prefix returns the path of the first server.
func (d openAPI) prefix() string {
	servers, _ := d.root["servers"].([]any)
	if len(servers) == 0 {
		return "/"
	}
	text, _ := d.resolve(servers[0])["url"].(string)
	u, err := url.Parse(text)
	if err != nil || strings.ContainsAny(u.Path, "{}") || strings.Trim(u.Path, "/") == "" {
		return "/"
	}
	return "/" + strings.Trim(u.Path, "/")
}

// auth returns how the first security scheme that is not a login sends the token.
func (d openAPI) auth() paistrike.Auth {
	schemes := d.at(d.root, "components", "securitySchemes")
	for _, name := range slices.Sorted(maps.Keys(schemes)) {
		scheme := d.resolve(schemes[name])
		if header, _ := scheme["name"].(string); scheme["type"] == "apiKey" && scheme["in"] == "header" {
			if strings.EqualFold(header, "Authorization") {
				return paistrike.Auth{Scheme: "-"}
			}
			return paistrike.Auth{Header: header}
		}
	}
	return paistrike.Auth{}
}

// collection finds the paths that list and create tokens: among the paths that mention
// tokens, the shortest one that creates, and the most similar one that lists. Paths with
// parameters come last.
func (d openAPI) collection() (collection, create string) {
	for _, path := range slices.SortedFunc(maps.Keys(d.paths), shortestFirst) {
		last := strings.ToLower(path[strings.LastIndexByte(path, '/')+1:])
		isToken := strings.Contains(last, "token") || strings.Contains(last, "key") || strings.Contains(last, "credential")
		if strings.Contains(last, "{") || !isToken {
			continue
		}
		if create == "" && d.operation(path, "post") != nil {
			create = path
		}
		if d.operation(path, "get") != nil && (collection == "" || path == create) {
			collection = path
		}
	}
	if collection == "" {
		create = ""
	}
	return collection, create
}

func shortestFirst(a, b string) int {
	if given := strings.Count(a, "{") - strings.Count(b, "{"); given != 0 {
		return given
	}
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}

// items finds the paths of one token and of the caller's token.
func (d openAPI) items(p *Proposal, collection string) {
	p.Routes.Self = "-"
	for _, path := range slices.SortedFunc(maps.Keys(d.paths), shortestFirst) {
		rest, below := strings.CutPrefix(path, strings.TrimRight(collection, "/")+"/")
		if !below {
			continue
		}
		hole, tail, _ := strings.Cut(rest, "/")
		isItem := strings.HasPrefix(hole, "{") && strings.HasSuffix(hole, "}")
		ours := strings.TrimSuffix(path, rest) + "{id}"
		if tail != "" {
			ours += "/" + tail
		}
		switch {
		case isItem && tail == "":
			p.Routes.Item = ours
			p.Routes.ListOnly = d.operation(path, "get") == nil
			if d.operation(path, "delete") != nil {
				p.Routes.RevokeMethod, p.Routes.RevokePath = http.MethodDelete, ours
			}
		case isItem && strings.Contains(strings.ToLower(tail), "revoke") && p.Routes.RevokePath == "":
			p.Routes.RevokeMethod, p.Routes.RevokePath = http.MethodPost, ours
		case slices.Contains([]string{"self", "me", "current", "verify"}, strings.ToLower(strings.Trim(rest, "/"))) && d.operation(path, "get") != nil:
			p.Routes.Self = path
		}
	}
	if p.Routes.Item == "" {
		p.Routes.ListOnly = true
		p.Routes.Item = strings.TrimRight(collection, "/") + "/{id}"
	}
	if p.Routes.RevokePath == "" {
		p.open("no path revokes a token: set revoke_method and revoke_path")
	}
}

func (p *Proposal) open(format string, args ...any) {
	p.Open = append(p.Open, fmt.Sprintf(format, args...))
}

// media returns the first body with a supported media type.
func (d openAPI) media(content map[string]any) (schema map[string]any, contentType string) {
	for _, known := range []struct{ media, contentType string }{
		{"application/json", paistrike.ContentJSON}, {"application/vnd.api+json", paistrike.ContentJSONAPI}, {"application/x-www-form-urlencoded", paistrike.ContentForm},
	} {
		if content[known.media] != nil {
			return d.at(content[known.media], "schema"), known.contentType
		}
	}
	return nil, ""
}

// body proposes the body of a create.
func (d openAPI) body(p *Proposal, create map[string]any) {
	schema, contentType := d.media(d.at(create, "requestBody", "content"))
	p.Routes.ContentType = contentType
	if schema == nil {
		p.open("the document does not specify the body of a create request: set create_body")
		return
	}
	w := &bodyWriter{document: d, proposal: p}
	fields := w.object(schema, "", 0)
	if !w.named {
		p.open("no field of a create request is a name: put {name} into create_body")
		return
	}
	if p.Routes.ExpiresFormat = w.format; w.format == "" {
		p.Routes.ExpiresFormat = paistrike.ExpiresNone
	}
	text, err := json.Marshal(fields)
	if err == nil {
		p.Routes.CreateBody = string(text)
	}
}

// bodyWriter fills in the fields of a create.
type bodyWriter struct {
	document openAPI
	proposal *Proposal
	named    bool
	format   string
}

func (w *bodyWriter) object(schema map[string]any, path string, depth int) map[string]any {
	fields := map[string]any{}
	properties := w.document.at(schema, "properties")
	required, _ := schema["required"].([]any)
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		property := w.document.resolve(properties[name])
		needed := slices.Contains(required, any(name))
		at := strings.TrimPrefix(path+"."+name, ".")
		switch lower := plain(name); {
		case !w.named && slices.Contains([]string{"name", "label", "title", "description", "displayname", "tokenname"}, lower) && !hasName(properties, lower):
			fields[name], w.named = "{name}", true
		case w.format == "" && isExpiry(lower):
			fields[name], w.format = "{expires}", formatOf(lower, property)
		case property["const"] != nil:
			fields[name] = property["const"]
		case needed && property["default"] != nil:
			fields[name] = property["default"]
		case property["properties"] != nil && depth < 4 && !w.document.spent():
			if inner := w.object(property, at, depth+1); len(inner) > 0 {
				fields[name] = inner
			}
		case needed:
			fields[name] = example(property)
			w.proposal.open("create_body needs %s, and the document does not specify which value you want", at)
		}
	}
	return fields
}

// hasName reports whether a more suitable field for the name exists.
func hasName(properties map[string]any, lower string) bool {
	_, found := properties["name"]
	return lower != "name" && found
}

// plain returns a field's name in lower case without dashes and underscores.
func plain(name string) string {
	return strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(name))
}

func isExpiry(lower string) bool {
	return strings.Contains(lower, "expir") || strings.Contains(lower, "ttl") || strings.Contains(lower, "tolive") || lower == "validto" || lower == "validuntil"
}

func formatOf(lower string, property map[string]any) string {
	format, _ := property["format"].(string)
	number := property["type"] == "integer" || property["type"] == "number"
	switch {
	case format == "date":
		return paistrike.ExpiresDate
	case number && (strings.Contains(lower, "in") && strings.Contains(lower, "expir") && !strings.Contains(lower, "at") || strings.Contains(lower, "ttl") || strings.Contains(lower, "live")):
		return paistrike.ExpiresTTLSeconds
	case number && strings.Contains(fmt.Sprint(property["description"]), "milli"):
		return paistrike.ExpiresUnixMilli
	case number:
		return paistrike.ExpiresUnix
	}
	return paistrike.ExpiresRFC3339
}

func example(property map[string]any) any {
	if choices, _ := property["enum"].([]any); len(choices) > 0 {
		return choices[0]
	}
	if property["example"] != nil {
		return property["example"]
	}
	switch property["type"] {
	case "array":
		return []any{}
	case "integer", "number":
		return 0
	case "boolean":
		return false
	case "object":
		return map[string]any{}
	}
	return "TODO"
}

// list proposes the settings for paging.
func (d openAPI) list(p *Proposal, list map[string]any) {
	parameters, _ := list["parameters"].([]any)
	paged := false
	for _, parameter := range parameters {
		fields := d.resolve(parameter)
		name, _ := fields["name"].(string)
		if fields["in"] != "query" {
			continue
		}
		switch lower := plain(name); {
		case lower == "page" || lower == "pagenumber" || name == "page[number]":
			p.Routes.List.Page, paged = name, true
		case lower == "cursor" || lower == "offset":
			paged = true
		case slices.Contains([]string{"perpage", "pagesize", "limit", "size"}, lower) || name == "page[size]":
			p.Routes.List.Size = name
			if most, ok := d.at(fields, "schema")["maximum"].(float64); ok && most >= 1 && most < 100 {
				p.Routes.List.PageSize = int(most)
			}
		case fields["required"] == true:
			p.open("the list needs %s in its query: add it to collection", name)
		}
	}
	if !paged {
		p.open("the document names no parameter for another page: set list.page if there is one, or \"-\"")
	}
}

// answer checks whether the facts have known field names.
func (d openAPI) answer(p *Proposal, create map[string]any) {
	responses := d.at(create, "responses")
	var schema map[string]any
	for _, status := range []string{"201", "200", "202", "default"} {
		if schema == nil {
			schema, _ = d.media(d.at(responses, status, "content"))
		}
	}
	sample, err := json.Marshal(d.sample(schema, 0))
	if schema == nil || err != nil {
		p.open("the document does not specify the response to a create request: set answer as the doctor reports")
		return
	}
	found := p.Routes.Explain(sample)
	for _, fact := range []string{"id", "name", "secret"} {
		if found[fact] == "" {
			p.open("the response to a create request has no field for the %s under a usual name: set answer.%s", fact, fact)
		}
	}
	for _, fact := range []string{"expires_at", "last_used_at", "status"} {
		if found[fact] == "" {
			p.open("the response has no field for %s under a usual name: set answer.%s, or \"-\" if it is not reported", fact, fact)
		}
	}
}

// sample generates a value of a schema, to check how its fields are decoded.
func (d openAPI) sample(schema map[string]any, depth int) any {
	if parts, _ := schema["allOf"].([]any); len(parts) > 0 && depth < 6 {
		merged := map[string]any{}
		for _, part := range parts {
			if fields, ok := d.sample(d.resolve(part), depth+1).(map[string]any); ok {
				maps.Copy(merged, fields)
			}
		}
		return merged
	}
	properties := d.at(schema, "properties")
	if properties == nil || depth > 6 || d.spent() {
		return "sample"
	}
	fields := map[string]any{}
	for name := range properties {
		fields[name] = d.sample(d.resolve(properties[name]), depth+1)
	}
	return fields
}
