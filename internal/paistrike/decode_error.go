package paistrike

import (
	"errors"
	"fmt"
	"html"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// problem is the content of an error response in any of the common formats.
type problem struct {
	code, message, requestID string
	fieldCodes               []string
}

// apiError returns the error for a response that is not a success.
func (c *Client) apiError(call call, got answer, attempts int) *APIError {
	clean := c.redactor()
	said := readProblem(got.body)
	e := &APIError{
		Op: call.op, Method: call.method, Path: pathOf(call.address), Status: got.status, Attempts: attempts, elsewhere: !call.item, foreign: !got.fromAPI(),
		refused: got.status == c.routes.UnauthorizedStatus,
		Code:    clean.Code(said.code), Message: clean.Text(said.message),
	}
	for _, code := range said.fieldCodes {
		if code = clean.Code(code); code != "" {
			e.FieldCodes = append(e.FieldCodes, code)
		}
	}
	for _, name := range []string{"X-Request-Id", "Request-Id", "X-Correlation-Id"} {
		if e.RequestID == "" {
			e.RequestID = clean.Word(got.header.Get(name))
		}
	}
	if e.RequestID == "" {
		e.RequestID = clean.Word(said.requestID)
	}
	e.RetryAfter, _ = retryAfter(got.header, c.now)
	if target := got.header.Get("Location"); target != "" {
		e.Location = clean.Text(withoutQuery(call.address, target))
	}
	return e
}

// withoutQuery resolves a redirect's target and removes what may be secret in it.
func withoutQuery(from, target string) string {
	base, err := url.Parse(from)
	if err != nil {
		return ""
	}
	u, err := base.Parse(target)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host + u.EscapedPath()
}

func pathOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.EscapedPath()
}

// connectionError returns the error for an attempt without a response. The transport's
// error may quote what the server sent, so if its text has to be redacted, the redacted
// text replaces the error.
func (c *Client) connectionError(call call, reached bool, attempts int, err error) *ConnectionError {
	if text := c.redactor().Text(err.Error()); text != err.Error() {
		err = errors.New(text)
	}
	e := &ConnectionError{Op: call.op, Sent: reached, Attempts: attempts, Err: err}
	if u, bad := url.Parse(call.address); bad == nil {
		e.Host = u.Host
	}
	return e
}

// readProblem decodes an error body: RFC 9457, the formats of common frameworks, HTML,
// plain text, or nothing at all. It never fails.
func readProblem(body []byte) problem {
	var p problem
	switch value, _ := parse(body); value.(type) {
	case map[string]any, []any, string:
		p.read(value, 0)
	default:
		p.message = plainText(string(body))
	}
	slices.Sort(p.fieldCodes)
	p.fieldCodes = slices.Compact(p.fieldCodes)
	return p
}

// read collects the error information in one JSON value, and in the errors nested in it a
// few levels deep.
func (p *problem) read(value any, depth int) {
	if depth > 3 {
		return
	}
	fields, ok := asObject(value)
	if !ok {
		p.say(faults(value, &p.fieldCodes))
		return
	}
	p.code = firstOf(p.code, fields.text("code", "error_code"))
	p.requestID = firstOf(p.requestID, fields.text("request_id"))
	message := fields.text("detail", "message", "error_description", "error_message", "msg", "reason", "title")
	short := fields.text("error")
	if message == "" {
		message, short = short, ""
	}
	p.code = firstOf(p.code, short)
	p.say(message)
	for _, key := range []string{"error", "detail", "message", "errors"} {
		switch inner := fields[key].(type) {
		case map[string]any:
			if key == "errors" {
				p.say(faults(inner, &p.fieldCodes))
			} else {
				p.read(inner, depth+1)
			}
		case []any:
			p.say(faults(inner, &p.fieldCodes))
		}
	}
	if p.message == "" { // {"name": ["This field is required."]}
		maps.DeleteFunc(fields, func(_ string, value any) bool { _, list := value.([]any); return !list })
		p.say(faults(map[string]any(fields), &p.fieldCodes))
	}
}

func (p *problem) say(message string) {
	if message != "" && p.message != "" {
		message = p.message + "; " + message
	}
	p.message = firstOf(message, p.message)
}

// faults describes a list of individual errors: strings, objects, or strings by field
// name.
func faults(value any, codes *[]string) string {
	var said []string
	switch value := value.(type) {
	case string:
		return value
	case []any:
		for _, one := range value[:min(len(value), 10)] {
			said = append(said, fault(one, codes))
		}
	case map[string]any:
		for _, key := range sortedKeys(value) {
			if list, ok := value[key].([]any); ok {
				said = append(said, key+": "+faults(list, codes))
			} else if text, ok := value[key].(string); ok {
				said = append(said, key+": "+text)
			}
		}
	}
	return strings.Join(slices.DeleteFunc(said, func(s string) bool { return s == "" }), "; ")
}

func fault(value any, codes *[]string) string {
	fields, ok := asObject(value)
	if !ok {
		text, _ := value.(string)
		return text
	}
	if code := fields.text("code", "type"); code != "" {
		*codes = append(*codes, code)
	}
	message := fields.text("detail", "message", "msg", "title", "code")
	if where := place(fields); where != "" && message != "" {
		return where + ": " + message
	}
	return message
}

// place returns the field of the request that an error is about.
func place(fields object) string {
	if where := fields.text("pointer", "field", "param", "property"); where != "" {
		return strings.TrimLeft(where, "#/")
	}
	if source, ok := asObject(fields["source"]); ok {
		return strings.TrimLeft(source.text("pointer", "parameter"), "#/")
	}
	path, _ := fields["loc"].([]any)
	var steps []string
	for _, step := range path {
		steps = append(steps, fmt.Sprint(step))
	}
	return strings.Join(steps, ".")
}

// plainText returns the text of a body that is not JSON: the title of an HTML page, or
// else the text. It ignores an incomplete JSON document, because any of its fields may be
// a secret.
func plainText(body string) string {
	body = strings.TrimSpace(body[:min(len(body), 4096)])
	if strings.HasPrefix(body, "{") || strings.HasPrefix(body, "[") {
		return ""
	}
	if title := regexp.MustCompile(`(?is)<title[^>]*>(.*?)</title>`).FindStringSubmatch(body); title != nil {
		body = title[1]
	}
	body = regexp.MustCompile(`(?is)<(script|style)\b.*?</(script|style)>|<[^>]*>`).ReplaceAllString(body, " ")
	return html.UnescapeString(body)
}

func firstOf(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}
