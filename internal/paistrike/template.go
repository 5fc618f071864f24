package paistrike

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"strings"
)

// The placeholders of a create template.
const (
	nameHole    = "{name}"
	expiresHole = "{expires}"
)

var hole = regexp.MustCompile(`\{[A-Za-z_]+\}`)

// template is the body of a create with placeholders for name and expiry. Values are
// inserted into the parsed document and never into its text, so no name can add a field.
type template struct {
	fields map[string]any
	form   bool
}

// parseTemplate parses and checks a template. Its error contains the position of the
// problem.
func parseTemplate(text string, form, expires bool) (template, error) {
	if err := checkHoles(text); err != nil {
		return template{}, err
	}
	t := template{form: form}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&t.fields); err != nil || t.fields == nil {
		return template{}, errors.New("must be a JSON object")
	}
	switch counts := countHoles(t.fields); {
	case counts[nameHole] == 0:
		return template{}, errors.New(`must contain {name}, such as {"name": "{name}"}`)
	case !expires && counts[expiresHole] > 0:
		return template{}, errors.New("must not contain {expires}, because expires_format is none")
	case expires && counts[expiresHole] == 0:
		return template{}, errors.New("must contain {expires}; if the service does not accept an expiry, set expires_format to none")
	}
	if form {
		if _, err := formOf(t.fields); err != nil {
			return template{}, err
		}
	}
	return t, nil
}

// countHoles counts the placeholders that will be filled.
func countHoles(value any) map[string]int {
	counts := map[string]int{}
	switch value := value.(type) {
	case string:
		for _, found := range hole.FindAllString(value, -1) {
			counts[found]++
		}
	case []any:
		for _, inner := range value {
			for found, n := range countHoles(inner) {
				counts[found] += n
			}
		}
	case map[string]any:
		for _, inner := range value {
			for found, n := range countHoles(inner) {
				counts[found] += n
			}
		}
	}
	return counts
}

// checkHoles rejects placeholders that nothing fills, and returns their position.
func checkHoles(text string) error {
	if err := syntax(text); err != nil {
		return err
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	// level is an open object or list. key is true if a key comes next in it.
	type level struct{ object, key bool }
	var open []level
	for {
		before := decoder.InputOffset()
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) && len(open) == 0 && before > 0 {
			return nil
		}
		if err != nil { // accepted by Unmarshal
			return fmt.Errorf("is not JSON at %s", placeIn(text, int(before)+1))
		}
		isKey := len(open) > 0 && open[len(open)-1].key
		switch token := token.(type) {
		case json.Delim:
			if token == '}' || token == ']' {
				open = open[:len(open)-1]
				continue
			}
			if len(open) > 0 { // after this value, a key comes next
				open[len(open)-1].key = open[len(open)-1].object
			}
			open = append(open, level{object: token == '{', key: token == '{'})
			continue
		case string:
			for _, found := range hole.FindAllString(token, -1) {
				at := placeIn(text, int(before)+max(strings.Index(text[before:], found), 0)+1)
				switch {
				case isKey:
					return fmt.Errorf("has %s in the name of a field, at %s: placeholders are allowed only in values", found, at)
				case found == expiresHole && token != expiresHole:
					return fmt.Errorf("has {expires} with other text around it, at %s", at)
				case found != nameHole && found != expiresHole:
					return fmt.Errorf("has the unknown placeholder %s at %s: use {name} and {expires}", found, at)
				}
			}
		}
		if len(open) > 0 && open[len(open)-1].object {
			open[len(open)-1].key = !isKey
		}
	}
}

// syntax returns an error with the position at which a text is no longer one JSON value.
func syntax(text string) error {
	var value any
	err := json.Unmarshal([]byte(text), &value)
	if err == nil {
		return nil
	}
	offset := len(text) + 1
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		offset = int(syntax.Offset)
	}
	return fmt.Errorf("is not JSON at %s", placeIn(text, offset))
}

// placeIn describes a position in a text. offset counts bytes from 1.
func placeIn(text string, offset int) string {
	before := text[:min(max(offset-1, 0), len(text))]
	line := strings.Count(before, "\n") + 1
	return fmt.Sprintf("line %d, column %d", line, len([]rune(before[strings.LastIndexByte(before, '\n')+1:]))+1)
}

// write returns the body of a create. A nil expiry means never.
func (t template) write(name string, expires any) ([]byte, error) {
	filled, _ := fillHoles(t.fields, name, expires).(map[string]any)
	if !t.form {
		var body bytes.Buffer
		encoder := json.NewEncoder(&body)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(filled); err != nil {
			return nil, err
		}
		return bytes.TrimSpace(body.Bytes()), nil
	}
	values, err := formOf(filled)
	return []byte(values.Encode()), err
}

// fillHoles returns a copy of a JSON value with its placeholders filled. Without an
// expiry, fields for it are omitted.
func fillHoles(value any, name string, expires any) any {
	switch value := value.(type) {
	case string:
		if value == expiresHole {
			return expires
		}
		return strings.ReplaceAll(value, nameHole, name)
	case []any:
		filled := make([]any, 0, len(value))
		for _, inner := range value {
			filled = append(filled, fillHoles(inner, name, expires))
		}
		return filled
	case map[string]any:
		filled := make(map[string]any, len(value))
		for key, inner := range value {
			if inner != expiresHole || expires != nil {
				filled[key] = fillHoles(inner, name, expires)
			}
		}
		return filled
	}
	return value
}

// formOf converts a flat object to form fields.
func formOf(fields map[string]any) (url.Values, error) {
	values := url.Values{}
	for key, value := range fields {
		list, many := value.([]any)
		if !many {
			list = []any{value}
		}
		for _, one := range list {
			switch one.(type) {
			case map[string]any, []any, nil:
				return nil, fmt.Errorf("must contain only strings and numbers in field %q, because content_type is form", key)
			}
			values.Add(key, fmt.Sprint(one))
		}
	}
	return values, nil
}
