package paistrike

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"
)

// A template that cannot work is rejected with the position of the problem.
func TestTemplatesThatCannotWork(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text string
		form       bool
		want       string
	}{
		{"not JSON", `{"name": {name}}`, false, "is not JSON at line 1, column 11"},
		{"a comma too many", "{\n  \"name\": \"{name}\",\n}", false, "is not JSON at line 3, column 1"},
		{"nothing", ` `, false, "is not JSON at line 1, column"},
		{"half", `{"name": "{name}"`, false, "is not JSON"},
		{"a list", `["{name}", "{expires}"]`, false, "must be a JSON object"},
		{"two objects", `{"a":"{name}"} {"b":"{expires}"}`, false, "is not JSON at line 1, column 16"},
		{"no name", `{"label": "x", "e": "{expires}"}`, false, "must contain {name}"},
		{"no expiry", `{"name": "{name}"}`, false, "set expires_format to none"},
		{"the same field twice", `{"a":"{name}","e":"{expires}","a":"x"}`, false, "must contain {name}"},
		{"unknown placeholder", "{\"name\": \"{name}\",\n \"owner\": \"{owner}\", \"e\": \"{expires}\"}", false, "unknown placeholder {owner} at line 2, column 12"},
		{"in a key", `{"{name}": "x", "e": "{expires}"}`, false, "in the name of a field, at line 1, column 3"},
		{"in a key behind a list", `{"a": ["{name}", {"b": 1}], "{expires}": 1}`, false, "in the name of a field, at line 1, column 30"},
		{"expiry inside a text", `{"name": "{name}", "e": "until {expires}"}`, false, "with other text around it"},
		{"nested form", `{"name": "{name}", "e": {"at": "{expires}"}}`, true, `in field "e", because content_type is form`},
	}
	for _, test := range tests {
		if _, err := parseTemplate(test.text, test.form, true); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
	}
	if _, err := parseTemplate(`{"name":"{name}","e":"{expires}"}`, false, false); err == nil || !strings.Contains(err.Error(), "expires_format is none") {
		t.Errorf("an expiry for a service that takes none: %v", err)
	}
}

func TestTemplatesAreFilled(t *testing.T) {
	t.Parallel()
	const odd = `a "b" \ & = + {expires} <é>`
	nested := `{"data": {"type": "token", "n": 7, "attributes": {"name": "ci: {name}", "scopes": ["read", "{name}"], "expires_at": "{expires}"}}}`
	tests := []struct {
		text    string
		form    bool
		expires any
		want    string
	}{
		{nested, false, int64(5), `{"data":{"attributes":{"expires_at":5,"name":"ci: a \"b\" \\ & = + {expires} <é>","scopes":["read","a \"b\" \\ & = + {expires} <é>"]},"n":7,"type":"token"}}`},
		{nested, false, nil, `{"data":{"attributes":{"name":"ci: a \"b\" \\ & = + {expires} <é>","scopes":["read","a \"b\" \\ & = + {expires} <é>"]},"n":7,"type":"token"}}`},
		{`{"name": "{name}", "scope": ["a", "b"], "e": "{expires}"}`, true, "2026-10-01", `e=2026-10-01&name=a+%22b%22+%5C+%26+%3D+%2B+%7Bexpires%7D+%3C%C3%A9%3E&scope=a&scope=b`},
	}
	for _, test := range tests {
		template, err := parseTemplate(test.text, test.form, true)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := template.write(odd, test.expires); err != nil || string(got) != test.want {
			t.Errorf("got  %s (%v)\nwant %s", got, err, test.want)
		}
	}
}

// For any accepted template and any name, the body has the same fields, and the name
// arrives unchanged.
func FuzzTemplate(f *testing.F) {
	for _, seed := range []string{
		`{"name":"{name}","expires_at":"{expires}"}`, `{"data":{"attributes":{"name":"x {name}"},"e":"{expires}"}}`, `{"a":["{name}"],"b":"{expires}"}`,
		`{"n":"{name}","e":"{expires}","x":{owner}}`, `[]`, `{`, "", `{"name":"{name}","name":"{expires}"}`, "{\"\\u007bname}\":1}", `{"a":"{name}{name}","b":"{expires}"}`,
	} {
		f.Add(seed, `CI"},"admin":true,"x":"&admin=true`)
	}
	f.Fuzz(func(t *testing.T, text, name string) {
		for _, form := range []bool{false, true} {
			template, err := parseTemplate(text, form, true)
			if err != nil {
				continue
			}
			plain, errPlain := template.write("x", int64(1))
			body, err := template.write(name, int64(1))
			if err != nil || errPlain != nil {
				t.Fatalf("an accepted template cannot be written: %v, %v", err, errPlain)
			}
			if fields(t, form, plain) != fields(t, form, body) {
				t.Errorf("%q adds a field to %q: %s", name, text, body)
			}
		}
	})
}

// fields counts the names of all fields of a body.
func fields(t *testing.T, form bool, body []byte) int {
	if form {
		values, err := url.ParseQuery(string(body))
		if err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		return len(values)
	}
	var value any
	if err := json.Unmarshal(body, &value); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return countFields(value)
}

func countFields(value any) int {
	n := 0
	switch value := value.(type) {
	case map[string]any:
		for _, inner := range value {
			n += 1 + countFields(inner)
		}
	case []any:
		for _, inner := range value {
			n += countFields(inner)
		}
	}
	return n
}

// Any accepted routes stay below the endpoint and send the token nowhere else, and no
// error contains it.
func FuzzRoutes(f *testing.F) {
	for _, seed := range []string{
		`{"collection":"/t?version=1","item":"/t/{id}?version=1","revoke_path":"/r?name={name}","list":{"page":"p","items":"a.b"}}`,
		`{"self":"-","list_only":true,"create_body":"{\"a\":\"{name}\",\"b\":\"{expires}\"}"}`, `{"item":"//evil/{id}"}`, `{"item":"/%2e%2e/{id}"}`,
		`{"unauthorized_status":403,"answer":{"id":"a.b","status":"-"}}`, `{}`, `[`, `{"create_path":"/x?a=b#c"}`,
	} {
		f.Add(seed, "tok_1")
	}
	f.Fuzz(func(t *testing.T, text, id string) {
		routes, err := ParseRoutes(text)
		if err != nil {
			return
		}
		client, err := New(Config{Endpoint: "https://paistrike.example.com", Routes: routes, Now: time.Now})
		if err != nil {
			t.Fatalf("routes that were accepted are refused: %v", err)
		}
		addresses := []string{client.listAddress(position{page: 2}), client.listAddress(position{cursor: id}), client.shortestList(), client.address(client.routes.CreatePath, nil)}
		if path, err := client.itemPath(client.routes.Item, id); err == nil {
			addresses = append(addresses, client.address(path, nil))
		}
		addresses = append(addresses, client.address(fill(client.routes.RevokePath, nameHole, id), nil))
		for _, address := range addresses {
			u, err := url.Parse(address)
			if err != nil || u.Scheme != "https" || u.Host != "paistrike.example.com" || u.User != nil || u.Fragment != "" || !strings.HasPrefix(u.EscapedPath(), "/api/v1/") {
				t.Errorf("%q with %q leads to %q (%v)", text, id, address, err)
			}
		}
		if _, err := client.createBody(id, time.Now().Add(time.Hour)); err != nil {
			t.Errorf("accepted routes write no body: %v", err)
		}
	})
}
