package doctor

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// JSON returns the proposal as inputs of the action: api_routes, and auth if it differs from
// the default.
func (p Proposal) JSON() string {
	var b strings.Builder
	for _, open := range p.Open {
		b.WriteString("# " + open + "\n")
	}
	fmt.Fprintf(&b, "api_prefix: %s\n", p.Prefix)
	if auth := compact(p.Auth); auth != "{}" {
		fmt.Fprintf(&b, "auth: '%s'\n", auth)
	}
	fmt.Fprintf(&b, "api_routes: '%s'\n", compact(p.Routes))
	return b.String()
}

// HCL returns the proposal as arguments of the provider block.
func (p Proposal) HCL() string {
	var b strings.Builder
	for _, open := range p.Open {
		b.WriteString("# " + open + "\n")
	}
	fmt.Fprintf(&b, "api_prefix = %s\n", strconv.Quote(p.Prefix))
	if auth := settings(p.Auth); len(auth) > 0 {
		fmt.Fprintf(&b, "auth = %s\n", hcl(auth, ""))
	}
	fmt.Fprintf(&b, "api_routes = %s\n", hcl(settings(p.Routes), ""))
	return b.String()
}

// setting is one name and value. Lists of settings are in the order of the settings'
// documentation.
type setting struct {
	name  string
	value any
}

// settings returns the fields of a struct that are set, by their JSON names.
func settings(value any) []setting {
	text, err := json.Marshal(value)
	if err != nil {
		return nil
	}
	return ordered(json.NewDecoder(bytes.NewReader(text)))
}

// ordered decodes an object and preserves the order of its fields. It omits empty values.
func ordered(decoder *json.Decoder) (list []setting) {
	decoder.UseNumber()
	if _, err := decoder.Token(); err != nil { // {
		return nil
	}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return list
		}
		var raw json.RawMessage
		if decoder.Decode(&raw) != nil {
			return list
		}
		var value any
		if bytes.HasPrefix(raw, []byte("{")) {
			value = ordered(json.NewDecoder(bytes.NewReader(raw)))
		} else if json.Unmarshal(raw, &value) != nil {
			return list
		}
		if inner, nested := value.([]setting); value != "" && value != false && value != 0.0 && (!nested || len(inner) > 0) {
			list = append(list, setting{fmt.Sprint(name), value})
		}
	}
	return list
}

func compact(value any) string { return object(settings(value)) }

func object(list []setting) string {
	parts := make([]string, 0, len(list))
	for _, s := range list {
		value := ""
		if inner, nested := s.value.([]setting); nested {
			value = object(inner)
		} else {
			var b bytes.Buffer
			encoder := json.NewEncoder(&b)
			encoder.SetEscapeHTML(false)
			if encoder.Encode(s.value) != nil {
				continue
			}
			value = strings.TrimSpace(b.String())
		}
		parts = append(parts, strconv.Quote(s.name)+": "+value)
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func hcl(list []setting, indent string) string {
	var b strings.Builder
	b.WriteString("{\n")
	width := 0
	for _, s := range list {
		width = max(width, len(s.name))
	}
	for _, s := range list {
		value := ""
		switch inner := s.value.(type) {
		case []setting:
			value = hcl(inner, indent+"  ")
		case string: // escapes template syntax: ${ and %{
			value = strings.NewReplacer("${", "$${", "%{", "%%{").Replace(strconv.Quote(inner))
		default:
			value = fmt.Sprint(inner)
		}
		fmt.Fprintf(&b, "%s  %-*s = %s\n", indent, width, s.name, value)
	}
	b.WriteString(indent + "}")
	return b.String()
}
