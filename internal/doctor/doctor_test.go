package doctor_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/doctor"
	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
)

func noPause(ctx context.Context, _ time.Duration) error { return ctx.Err() }

// service starts a sandbox with the named shape, or the contract's if name is "", and returns
// its settings.
func service(t *testing.T, name string) (*sandbox.Server, paistrike.Config) {
	t.Helper()
	shapes, err := sandbox.Shapes()
	if err != nil {
		t.Fatal(err)
	}
	options := sandbox.Options{Start: time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC), Shape: shapes[name]}
	cfg := paistrike.Config{Sleep: noPause, Now: func() time.Time { return options.Start }}
	if shape := options.Shape; shape != nil {
		options.Prefix, cfg.Prefix = shape.Prefix, shape.Settings.Prefix
		if cfg.Routes, err = paistrike.ParseRoutes(string(shape.Settings.Routes)); err != nil {
			t.Fatal(err)
		}
		if cfg.Auth, err = paistrike.ParseAuth(string(shape.Settings.Auth)); err != nil {
			t.Fatal(err)
		}
	}
	server, err := sandbox.New(options)
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(server)
	t.Cleanup(web.Close)
	_, token := server.Mint("management", time.Time{})
	cfg.Endpoint, cfg.Token = web.URL, secret.New(token)
	return server, cfg
}

// clean reports whether only the management token works.
func clean(server *sandbox.Server) bool {
	for _, token := range server.Tokens() {
		if token.Name != "management" && token.Status == "active" {
			return false
		}
	}
	return true
}

// foreignID answers each create with another token's ID.
type foreignID struct {
	http.Transport
	id string
}

func (f *foreignID) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := f.Transport.RoundTrip(r)
	if err != nil || r.Method != http.MethodPost {
		return response, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	answer = regexp.MustCompile(`"id": ?"[^"]*"`).ReplaceAll(answer, []byte(`"id":"`+f.id+`"`))
	response.Body, response.ContentLength = io.NopCloser(bytes.NewReader(answer)), int64(len(answer))
	response.Header.Del("Content-Length")
	return response, nil
}

// If a service answers a create with another token's ID, that token is not affected, and the
// new token revokes itself.
func TestAnotherTokensID(t *testing.T) {
	t.Parallel()
	server, cfg := service(t, "")
	neighbor, _ := server.Mint("deploy", time.Time{})
	cfg.Transport = &foreignID{id: neighbor}
	report := doctor.Judge(doctor.Examine(t.Context(), cfg))
	if report.OK() || !strings.Contains(report.String(), "PAIStrike does not list it under a name that this run chose") {
		t.Errorf("got\n%s", report)
	}
	for _, token := range server.Tokens() {
		if live := token.Status == "active"; live != (token.Name == "management" || token.ID == neighbor) {
			t.Errorf("%s is %s", token.Name, token.Status)
		}
	}
}

func TestAllIsWell(t *testing.T) {
	t.Parallel()
	server, cfg := service(t, "")
	report := doctor.Judge(doctor.Examine(t.Context(), cfg))
	const want = `list                ok                1 tokens
create              ok  token
verify              ok
find in the list    ok  id, name
read by id          ok
created             ok  created_at
last use            ok  last_used_at
expiry              ok  expires_at
status              ok  status
own token           ok
revoke              ok
refused after that  ok  status 401
`
	if report.String() != want || !report.OK() || !clean(server) {
		t.Errorf("got\n%swant\n%s", report, want)
	}
}

// With the right settings, the doctor understands every shape and leaves no token behind.
func TestEveryShapeIsUnderstood(t *testing.T) {
	t.Parallel()
	shapes, err := sandbox.Shapes()
	if err != nil {
		t.Fatal(err)
	}
	for name := range shapes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, cfg := service(t, name)
			report := doctor.Judge(doctor.Examine(t.Context(), cfg))
			if !report.OK() || !clean(server) {
				t.Errorf("got\n%s", report)
			}
		})
	}
}

// The doctor names a wrong setting. It never leaves a token behind or shows a secret.
func TestWhatIsWrongIsNamed(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, shape string
		change      func(*paistrike.Config)
		faults      []sandbox.Fault
		want        string
	}{
		{"settings", "", func(c *paistrike.Config) { c.Routes.Item = "/x" }, nil, "api_routes.item"},
		{"prefix", "", func(c *paistrike.Config) { c.Prefix = "/api/v2" }, nil, "api_prefix, api_routes.collection"},
		{"token", "", func(c *paistrike.Config) { c.Token = secret.New("nobodys") }, nil, "api_token, auth"},
		{"scheme", "snyk", func(c *paistrike.Config) { c.Auth = paistrike.Auth{} }, nil, "api_token, auth"},
		{"version", "snyk", func(c *paistrike.Config) { c.Routes.Collection = "/service_accounts" }, nil, "a fixed query"},
		{"page size", "snyk", func(c *paistrike.Config) { c.Routes.List.PageSize = 5 }, nil, "page_size"},
		{"fixed field", "gitlab", func(c *paistrike.Config) { c.Routes.CreateBody = "" }, nil, "api_routes.create_body"},
		{"media type", "jfrog", func(c *paistrike.Config) { c.Routes.ContentType = "" }, nil, "api_routes.content_type"},
		{"name", "hcp_terraform", func(c *paistrike.Config) { c.Routes.Answer.Name = "" }, nil, "api_routes.answer: id, name, secret"},
		{"secret", "", nil, []sandbox.Fault{{Method: "POST", Body: `{"id":"tok_1","name":"x"}`}}, "api_routes.answer: id, name, secret"},
		{"lost answer", "", nil, []sandbox.Fault{{Method: "POST", Lose: sandbox.LoseResponse}}, "was revoked"},
		{"status of the dead", "vercel", func(c *paistrike.Config) { c.Routes.UnauthorizedStatus = 0 }, nil, "api_routes.unauthorized_status = 403"},
		{"revoking", "", nil, []sandbox.Fault{{Method: "DELETE", Status: 405}}, "api_routes.revoke_method"},
		{"own token", "", nil, []sandbox.Fault{{Path: "/api-tokens/self", Status: 404, Count: -1}}, "api_routes.self"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server, cfg := service(t, test.shape)
			if test.change != nil {
				test.change(&cfg)
			}
			server.AddFaults(test.faults...)
			report := doctor.Judge(doctor.Examine(t.Context(), cfg))
			if report.OK() || !strings.Contains(report.String(), test.want) {
				t.Errorf("want %q in\n%s", test.want, report)
			}
			if strings.Contains(report.String(), cfg.Token.Reveal()) || strings.Contains(report.String(), "pstk_") {
				t.Errorf("a secret is in\n%s", report)
			}
			if !clean(server) && !strings.Contains(report.String(), "left behind") {
				t.Errorf("left behind, and not said: %+v", server.Tokens())
			}
		})
	}
}

// A cancelled examination still revokes its token.
func TestCancelledExaminationLeavesNothing(t *testing.T) {
	t.Parallel()
	server, cfg := service(t, "")
	ctx, cancel := context.WithCancel(t.Context())
	cfg.Sleep = func(context.Context, time.Duration) error { cancel(); return errors.New("stopped") }
	server.AddFaults(sandbox.Fault{Method: "GET", Path: "/api-tokens/self", Status: 503})
	if report := doctor.Judge(doctor.Examine(ctx, cfg)); report.OK() || !clean(server) {
		t.Errorf("left behind %+v after\n%s", server.Tokens(), report)
	}
}
