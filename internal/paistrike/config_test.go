package paistrike_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
)

func TestSettings(t *testing.T) {
	t.Parallel()
	headers := func(name, value string) paistrike.Config {
		return paistrike.Config{Headers: map[string]string{name: value}}
	}
	routes := func(r paistrike.Routes) paistrike.Config { return paistrike.Config{Routes: r} }
	tests := []struct {
		name string
		in   paistrike.Config
		want string // the setting that is rejected, "" for none
	}{
		{"nothing but an endpoint", paistrike.Config{}, ""},
		{"endpoint with a path", paistrike.Config{Endpoint: "https://example.com/security/"}, ""},
		{"endpoint on loopback by name", paistrike.Config{Endpoint: "http://localhost:8765"}, ""},
		{"endpoint on loopback by IPv4", paistrike.Config{Endpoint: "http://127.1.2.3"}, ""},
		{"endpoint on loopback by IPv6", paistrike.Config{Endpoint: "http://[::1]:8765"}, ""},
		{"no endpoint", paistrike.Config{Endpoint: "none"}, "endpoint"},
		{"endpoint without TLS", paistrike.Config{Endpoint: "http://example.com"}, "endpoint"},
		{"endpoint that begins like loopback", paistrike.Config{Endpoint: "http://localhost.example.com"}, "endpoint"},
		{"endpoint with a private address", paistrike.Config{Endpoint: "http://10.0.0.1"}, "endpoint"},
		{"endpoint with a password", paistrike.Config{Endpoint: "https://me:" + canary + "@example.com"}, "endpoint"},
		{"endpoint with a broken password", paistrike.Config{Endpoint: "https://me:" + canary + "%@example.com"}, "endpoint"},
		{"endpoint with a query", paistrike.Config{Endpoint: "https://example.com?token=" + canary}, "endpoint"},
		{"endpoint with a bare question mark", paistrike.Config{Endpoint: "https://example.com?"}, "endpoint"},
		{"endpoint with a fragment", paistrike.Config{Endpoint: "https://example.com#a"}, "endpoint"},
		{"endpoint with another scheme", paistrike.Config{Endpoint: "ftp://example.com"}, "endpoint"},
		{"endpoint without a host", paistrike.Config{Endpoint: "https:///x"}, "endpoint"},
		{"endpoint that climbs", paistrike.Config{Endpoint: "https://example.com/a/../b"}, "endpoint"},
		{"prefix none", paistrike.Config{Prefix: "/"}, ""},
		{"prefix with a slash at its end", paistrike.Config{Prefix: "/v2/"}, ""},
		{"prefix without a slash", paistrike.Config{Prefix: "api"}, "api_prefix"},
		{"prefix that names a host", paistrike.Config{Prefix: "//evil.example"}, "api_prefix"},
		{"prefix with a query", paistrike.Config{Prefix: "/a?b"}, "api_prefix"},
		{"prefix that climbs", paistrike.Config{Prefix: "/a/%2e%2e"}, "api_prefix"},
		{"prefix with a backslash", paistrike.Config{Prefix: `/a\b`}, "api_prefix"},
		{"prefix with a bad escape", paistrike.Config{Prefix: "/a%zz"}, "api_prefix"},
		{"token with a line break", paistrike.Config{Token: secret.New(canary + "\n")}, "api_token"},
		{"organization header", headers("X-Organization-Id", "42"), ""},
		{"access proxy header", headers("cf-access-client-secret", "s3cret"), ""},
		{"Authorization", headers("authorization", "Bearer x"), "headers"},
		{"Idempotency-Key", headers("Idempotency-Key", "x"), "headers"},
		{"X-Idempotency-Key", headers("x-idempotency-key", "x"), "headers"},
		{"Host", headers("Host", "x"), "headers"},
		{"Content-Length", headers("Content-Length", "3"), "headers"},
		{"If-None-Match", headers("If-None-Match", "x"), "headers"},
		{"Accept-Encoding", headers("accept-encoding", "br"), "headers"},
		{"method override", headers("X-HTTP-Method-Override", "PUT"), "headers"},
		{"header name with a line break", headers("X-A\r\nHost", "x"), "headers"},
		{"header without a name", headers("", "x"), "headers"},
		{"header value with a line break", headers("X-A", canary+"\r\nHost: x"), "headers"},
		{"user agent with a line break", paistrike.Config{UserAgent: "a\nb"}, "user_agent"},
		{"self off", routes(paistrike.Routes{Self: "-"}), ""},
		{"revoke by POST in small letters", routes(paistrike.Routes{RevokeMethod: "post"}), ""},
		{"collection with an id", routes(paistrike.Routes{Collection: "/t/{id}"}), "api_routes.collection"},
		{"collection without a slash", routes(paistrike.Routes{Collection: "t"}), "api_routes.collection"},
		{"item without an id", routes(paistrike.Routes{Item: "/t"}), "api_routes.item"},
		{"item with two ids", routes(paistrike.Routes{Item: "/t/{id}/{id}"}), "api_routes.item"},
		{"item with another placeholder", routes(paistrike.Routes{Item: "/{org}/{id}"}), "api_routes.item"},
		{"item with a query", routes(paistrike.Routes{Item: "/t?version=2024-10-15&id={id}"}), ""},
		{"item with a fragment", routes(paistrike.Routes{Item: "/t/{id}#x"}), "api_routes.item"},
		{"item with a broken query", routes(paistrike.Routes{Item: "/t/{id}?a=%zz"}), "api_routes.item"},
		{"item by its name", routes(paistrike.Routes{Item: "/t/{name}"}), "api_routes.item"},
		{"revoke by name", routes(paistrike.Routes{RevokePath: "/revoke?name={name}"}), ""},
		{"revoke by name and id", routes(paistrike.Routes{RevokePath: "/revoke/{id}?name={name}"}), "api_routes.revoke_path"},
		{"create with an id", routes(paistrike.Routes{CreatePath: "/t/{id}"}), "api_routes.create_path"},
		{"self with an id", routes(paistrike.Routes{Self: "/t/{id}"}), "api_routes.self"},
		{"revoke by GET", routes(paistrike.Routes{RevokeMethod: "GET"}), "api_routes.revoke_method"},
		{"revoke path without an id", routes(paistrike.Routes{RevokePath: "/revoke"}), "api_routes.revoke_path"},
		{"content type of another world", routes(paistrike.Routes{ContentType: "xml"}), "api_routes.content_type"},
		{"body without a name", routes(paistrike.Routes{CreateBody: `{"expires":"{expires}"}`}), "api_routes.create_body"},
		{"page size of nothing", routes(paistrike.Routes{List: paistrike.ListRoutes{PageSize: -1}}), "api_routes.list.page_size"},
		{"parameter that adds another", routes(paistrike.Routes{List: paistrike.ListRoutes{Page: "a&b"}}), "api_routes.list.page"},
		{"dotted path with a hole", routes(paistrike.Routes{List: paistrike.ListRoutes{Items: "a..b"}}), "api_routes.list.items"},
		{"total that counts something else", routes(paistrike.Routes{List: paistrike.ListRoutes{Total: "-"}}), ""},
		{"last use is not told", routes(paistrike.Routes{Answer: paistrike.AnswerRoutes{LastUsedAt: "-"}}), ""},
		{"the name is not told", routes(paistrike.Routes{Answer: paistrike.AnswerRoutes{Name: "-"}}), "api_routes.answer.name"},
		{"dead tokens get 403", routes(paistrike.Routes{UnauthorizedStatus: 403}), ""},
		{"dead tokens get 500", routes(paistrike.Routes{UnauthorizedStatus: 500}), "api_routes.unauthorized_status"},
		{"token scheme", paistrike.Config{Auth: paistrike.Auth{Scheme: "token"}}, ""},
		{"scheme of two words", paistrike.Config{Auth: paistrike.Auth{Scheme: "a b"}}, "auth"},
		{"key header", paistrike.Config{Auth: paistrike.Auth{Header: "X-Api-Key"}}, ""},
		{"token as Host", paistrike.Config{Auth: paistrike.Auth{Header: "Host"}}, "auth"},
		{"token and header in one", paistrike.Config{Auth: paistrike.Auth{Header: "X-Api-Key"}, Headers: map[string]string{"x-api-key": "1"}}, "headers"},
		{"unknown time format", routes(paistrike.Routes{ExpiresFormat: "iso"}), "api_routes.expires_format"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			switch test.in.Endpoint {
			case "":
				test.in.Endpoint = "https://paistrike.example.com"
			case "none":
				test.in.Endpoint = ""
			}
			err := test.in.Validate()
			var wrong *paistrike.SettingError
			if errors.As(err, &wrong); (err == nil) != (test.want == "") || err != nil && wrong.Setting != test.want {
				t.Fatalf("got %v, want an error about %q", err, test.want)
			}
			if err != nil {
				expectNoCanary(t, "the error", err.Error())
				if !strings.HasPrefix(err.Error(), test.want+": ") {
					t.Errorf("the error does not name its setting: %v", err)
				}
			}
			if _, made := paistrike.New(test.in); (made == nil) != (err == nil) {
				t.Errorf("New says %v, Validate says %v", made, err)
			}
		})
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, path, prefix, collection, want string }{
		{"the contract", "", "", "", "/api/v1/api-tokens"},
		{"endpoint with a path", "/security/", "", "", "/security/api/v1/api-tokens"},
		{"no prefix", "", "/", "", "/api-tokens"},
		{"prefix with a slash at its end", "", "/v2/", "", "/v2/api-tokens"},
		{"route with a slash at its end", "", "/v2", "/user/tokens/", "/v2/user/tokens/"},
		{"escapes stay as written", "", "/v2", "/a%2Fb", "/v2/a%2Fb"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, answer(200, "[]"))
			_, err := s.client(t, func(cfg *paistrike.Config) {
				cfg.Endpoint += test.path
				cfg.Prefix = test.prefix
				cfg.Routes.Collection = test.collection
			}).List(t.Context())
			mustNot(t, err)
			s.expectRequests(t, "GET "+test.want)
		})
	}
}

func TestWhatEveryRequestCarries(t *testing.T) {
	t.Parallel()
	var got http.Header
	s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.Header
		answer(201, `{"id":"1","name":"x","token":"`+canary+`"}`)(w, r)
	}))
	c := s.client(t, func(cfg *paistrike.Config) {
		cfg.Headers = map[string]string{"x-organization-id": "42"}
		cfg.UserAgent = "paistrike-action/1.2.3"
	})
	_, err := c.Create(t.Context(), "x", instant("2026-08-01T00:00:00Z"))
	mustNot(t, err)
	want := map[string]string{
		"Authorization": "Bearer " + bearer, "X-Organization-Id": "42", "User-Agent": "paistrike-action/1.2.3",
		"Content-Type": "application/json", "Accept": "application/json, application/problem+json",
		"Idempotency-Key": "", "X-Idempotency-Key": "",
	}
	for name, value := range want {
		if got.Get(name) != value {
			t.Errorf("%s is %q, want %q", name, got.Get(name), value)
		}
	}
}

func TestParseRoutes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, in string
		want     paistrike.Routes
		refused  string
	}{
		{name: "nothing", in: "  "},
		{name: "an empty object", in: "{}"},
		{
			name: "every key",
			in: `{"collection":"/t/","item":"/t/{id}/","self":"-","revoke_method":"POST","revoke_path":"/t/{id}/revoke/",
				"list_only":true,"create_path":"/t/new","create_body":"{\"label\":\"{name}\",\"ttl\":\"{expires}\"}","content_type":"form","expires_format":"ttl_seconds",
				"list":{"items":"a.b","page":"p","page_size":20,"size":"n","total":"-","next":"c","drops_revoked":true},"unauthorized_status":403,
				"answer":{"id":"a","name":"b","secret":"c","created_at":"d","expires_at":"-","last_used_at":"-","status":"e"}}`,
			want: paistrike.Routes{
				Collection: "/t/", Item: "/t/{id}/", Self: "-", RevokeMethod: "POST", RevokePath: "/t/{id}/revoke/",
				ListOnly: true, CreatePath: "/t/new", CreateBody: `{"label":"{name}","ttl":"{expires}"}`, ContentType: "form", ExpiresFormat: "ttl_seconds",
				List:   paistrike.ListRoutes{Items: "a.b", Page: "p", PageSize: 20, Size: "n", Total: "-", Next: "c", DropsRevoked: true},
				Answer: paistrike.AnswerRoutes{ID: "a", Name: "b", Secret: "c", CreatedAt: "d", ExpiresAt: "-", LastUsedAt: "-", Status: "e"}, UnauthorizedStatus: 403,
			},
		},
		{name: "unknown key", in: `{"colection":"/t"}`, refused: "api_routes"},
		{name: "wrong type", in: `{"list_only":"yes"}`, refused: "api_routes"},
		{name: "not JSON", in: `collection: /t`, refused: "api_routes"},
		{name: "a list", in: `[]`, refused: "api_routes"},
		{name: "two objects", in: `{}{}`, refused: "api_routes"},
		{name: "a bad value", in: `{"item":"/t"}`, refused: "api_routes.item"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := paistrike.ParseRoutes(test.in)
			var wrong *paistrike.SettingError
			if errors.As(err, &wrong); (err == nil) != (test.refused == "") || err != nil && wrong.Setting != test.refused {
				t.Fatalf("got %v, want an error about %q", err, test.refused)
			}
			if err == nil {
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Errorf("routes (-want +got):\n%s", diff)
				}
			}
		})
	}
}
