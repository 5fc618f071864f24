package paistrike

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
)

// echo is a server that repeats everything that it receives, including the token, and
// records requests that left the endpoint.
type echo struct{ astray []string }

func (e *echo) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "https" || r.URL.Host != "paistrike.example.com" || r.URL.User != nil || !strings.HasPrefix(r.URL.EscapedPath(), "/api/v1/") {
		e.astray = append(e.astray, r.URL.String())
	}
	body := []byte("{}")
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	said := fmt.Sprintf(`{"message": %q, "body": %q, "id": "x", "next": "https://evil.example/", "token": %q}`, r.Header, body, fuzzSecret)
	status := map[string]int{http.MethodGet: 400, http.MethodPost: 422, http.MethodDelete: 403}[r.Method]
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(said)), Request: r}, nil
}

// Any auth and api_routes cause no panic, no request leaves the endpoint, and no error
// contains the token, although the server repeats everything.
func FuzzSettings(f *testing.F) {
	for _, seed := range [][2]string{
		{`{}`, `{}`},
		{`{"header":"X-Api-Key"}`, `{"collection":"/t?v=1","item":"/t/{id}","self":"-","list":{"page":"-"},"create_body":"{\"n\":\"{name}\",\"e\":\"{expires}\"}"}`},
		{`{"scheme":"-"}`, `{"revoke_method":"POST","revoke_path":"/r?name={name}","content_type":"form","expires_format":"date"}`},
		{`{"scheme":"token"}`, `{"self":"/me","list_only":true,"unauthorized_status":403,"answer":{"id":"body","name":"message"}}`},
		{`{"header":"Host"}`, `{"item":"//evil.example/{id}"}`}, {`{"scheme":"a b"}`, `{"self":"/@evil.example"}`}, {`{"header":"a: b\r\nc"}`, `[`},
	} {
		f.Add(seed[0], seed[1], "tok_1")
	}
	now := time.Date(2026, time.May, 4, 9, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, authText, routesText, id string) {
		auth, err := ParseAuth(authText)
		if err != nil {
			return
		}
		routes, err := ParseRoutes(routesText)
		if err != nil {
			return
		}
		server := &echo{}
		client, err := New(Config{
			Endpoint: "https://paistrike.example.com", Auth: auth, Routes: routes, Token: secret.New(fuzzSecret), Transport: server,
			Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }, Now: func() time.Time { return now },
		})
		if err != nil {
			return
		}
		_, minted := client.Create(t.Context(), "ci "+id, now.Add(time.Hour))
		_, listed := client.List(t.Context())
		_, read := client.Get(t.Context(), id)
		_, self := client.Self(t.Context())
		for _, err := range []error{minted, listed, read, self, client.Revoke(t.Context(), id), client.RevokeSelf(t.Context())} {
			if err != nil && strings.Contains(err.Error(), "Fuzzed") {
				t.Errorf("%s %s: an error shows the token: %v", authText, routesText, err)
			}
		}
		if len(server.astray) > 0 {
			t.Errorf("%s %s: requests to %q", authText, routesText, server.astray)
		}
	})
}
