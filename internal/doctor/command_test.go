package doctor_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/paistrike/terraform-provider-paistrike/internal/doctor"
)

func TestCommandLine(t *testing.T) {
	t.Parallel()
	files := map[string]string{"vendor.json": vendorDocument, "routes.json": `{"self": "-"}`}
	tests := []struct {
		name string
		args string
		env  map[string]string
		code int
		want string
	}{
		{"all is well", "--endpoint ENDPOINT", map[string]string{"PAISTRIKE_API_TOKEN": "TOKEN"}, 0, "refused after that  ok"},
		{"from the environment", "", map[string]string{"PAISTRIKE_API_TOKEN": "TOKEN", "PAISTRIKE_ENDPOINT": "ENDPOINT", "PAISTRIKE_HEADERS": "X-Organization: 42"}, 0, "status 401"},
		{"routes from a file", "--api-routes @routes.json --endpoint ENDPOINT", map[string]string{"PAISTRIKE_API_TOKEN": "TOKEN"}, 0, "own token           not reported"},
		{"something fails", "--api-prefix /v9 --endpoint ENDPOINT", map[string]string{"PAISTRIKE_API_TOKEN": "TOKEN"}, 1, "api_prefix"},
		{"no token", "--endpoint ENDPOINT", nil, 2, "PAISTRIKE_API_TOKEN is not set"},
		{"no endpoint", "", map[string]string{"PAISTRIKE_API_TOKEN": "TOKEN"}, 2, "endpoint: is required"},
		{"wrong routes", `--api-routes {"item":"/x"} --endpoint ENDPOINT`, map[string]string{"PAISTRIKE_API_TOKEN": "TOKEN"}, 2, "api_routes.item"},
		{"wrong flag", "--token x", nil, 2, "-token"},
		{"a word too many", "now", nil, 2, `"now" is not a flag`},
		{"help", "--help", nil, 0, "usage: paistrike-action doctor"},
		{"a document", "--openapi vendor.json", nil, 0, "For the action:"},
		{"no document", "--openapi none.json", nil, 1, "no such file"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server, cfg := service(t, "")
			token := cfg.Token.Reveal()
			fill := strings.NewReplacer("ENDPOINT", cfg.Endpoint, "TOKEN", token).Replace
			var out bytes.Buffer
			code := doctor.Command{
				Getenv: func(name string) string { return fill(test.env[name]) }, Out: &out, Errors: &out,
				ReadFile: func(name string) ([]byte, error) {
					if text, found := files[name]; found {
						return []byte(text), nil
					}
					return nil, errors.New("no such file")
				},
			}.Run(t.Context(), strings.Fields(fill(test.args)))
			if code != test.code || !strings.Contains(out.String(), test.want) || strings.Contains(out.String(), token) {
				t.Errorf("exit code %d, want %d and %q in\n%s", code, test.code, test.want, out.String())
			}
			if !clean(server) && code == 0 {
				t.Error("a token is left behind")
			}
		})
	}
}
