package doctor_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/paistrike/terraform-provider-paistrike/internal/doctor"
	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
)

// The settings proposed for the contract's own document work against the sandbox.
func TestSettingsFromTheContract(t *testing.T) {
	t.Parallel()
	document, err := openapi3.NewLoader().LoadFromData([]byte(paistrike.OpenAPI()))
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	proposal, err := doctor.Propose(text)
	if err != nil {
		t.Fatal(err)
	}
	server, cfg := service(t, "")
	cfg.Routes = proposal.Routes
	if report := doctor.Judge(doctor.Examine(t.Context(), cfg)); !report.OK() || !clean(server) {
		t.Errorf("%s\n%s\n%s", proposal.HCL(), proposal.JSON(), report)
	}
}

// vendorDocument is a document like a vendor's, with different names throughout.
const vendorDocument = `{
  "openapi": "3.1.0", "servers": [{"url": "https://api.vendor.example/rest/v3"}],
  "components": {
    "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Api-Key"}},
    "schemas": {"New": {"type": "object", "required": ["label", "role"], "properties": {
      "label": {"type": "string"}, "role": {"type": "string", "enum": ["scanner", "admin"]}, "expires_in": {"type": "integer"}, "kind": {"const": "api"}}}}
  },
  "paths": {
    "/reports": {"get": {}, "post": {}},
    "/access-tokens": {
      "get": {"parameters": [{"in": "query", "name": "page"}, {"in": "query", "name": "per_page", "schema": {"maximum": 50}}]},
      "post": {"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/New"}}}},
        "responses": {"201": {"content": {"application/json": {"schema": {"properties": {"id": {}, "label": {}, "plainTextToken": {}}}}}}}}
    },
    "/access-tokens/current": {"get": {}},
    "/access-tokens/{token}": {"get": {}},
    "/access-tokens/{token}/revoke": {"post": {}}
  }
}`

func TestSettingsFromAVendorsDocument(t *testing.T) {
	t.Parallel()
	proposal, err := doctor.Propose([]byte(vendorDocument))
	if err != nil {
		t.Fatal(err)
	}
	const want = `# create_body needs role, and the document does not specify which value you want
# the response has no field for expires_at under a usual name: set answer.expires_at, or "-" if it is not reported
# the response has no field for last_used_at under a usual name: set answer.last_used_at, or "-" if it is not reported
# the response has no field for status under a usual name: set answer.status, or "-" if it is not reported
api_prefix = "/rest/v3"
auth = {
  header = "X-Api-Key"
}
api_routes = {
  collection     = "/access-tokens"
  create_path    = "/access-tokens"
  item           = "/access-tokens/{id}"
  self           = "/access-tokens/current"
  revoke_method  = "POST"
  revoke_path    = "/access-tokens/{id}/revoke"
  create_body    = "{\"expires_in\":\"{expires}\",\"kind\":\"api\",\"label\":\"{name}\",\"role\":\"scanner\"}"
  content_type   = "json"
  expires_format = "ttl_seconds"
  list           = {
    page      = "page"
    page_size = 50
    size      = "per_page"
  }
}
`
	if proposal.HCL() != want {
		t.Errorf("got\n%s\nwant\n%s", proposal.HCL(), want)
	}
	_, routes, _ := strings.Cut(proposal.JSON(), "api_routes: '")
	routes, _, _ = strings.Cut(routes, "'\n")
	if parsed, err := paistrike.ParseRoutes(routes); err != nil || parsed != proposal.Routes {
		t.Errorf("the JSON is read as %+v, %v:\n%s", parsed, err, proposal.JSON())
	}
}

// For tokens below an organization, which the document cannot know, the paths contain a
// placeholder, and comments explain it.
func TestSettingsForTokensOfAnOrganization(t *testing.T) {
	t.Parallel()
	const document = `{"openapi": "3.0.3", "paths": {
  "/orgs/{id}/tokens": {"get": {}, "post": {"requestBody": {"content": {"application/json": {"schema": {"properties": {"name": {}, "expires_at": {"type": "string", "format": "date"}}}}}}}},
  "/orgs/{id}/tokens/{token}": {"get": {}, "delete": {}}, "/orgs/{id}/tokens/self": {"get": {}}
}}`
	proposal, err := doctor.Propose([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	r := proposal.Routes
	if got := []string{r.Collection, r.CreatePath, r.Item, r.Self, r.RevokePath}; strings.Join(got, " ") !=
		"/orgs/YOUR_ID/tokens /orgs/YOUR_ID/tokens /orgs/YOUR_ID/tokens/{id} /orgs/YOUR_ID/tokens/self /orgs/YOUR_ID/tokens/{id}" {
		t.Errorf("got %q", got)
	}
	const comment = "# the paths contain YOUR_ID: replace it with the value of id\n"
	if strings.Count(proposal.HCL(), comment) != 1 || strings.Count(proposal.JSON(), comment) != 1 {
		t.Errorf("%s\n%s", proposal.HCL(), proposal.JSON())
	}
}

func TestDocumentsThatSayNothing(t *testing.T) {
	t.Parallel()
	for _, document := range []string{"", "openapi: 3.0.3", "{}", `{"openapi":"2.0","paths":{"/tokens":{}}}`, `{"openapi":"3.0.3","paths":{"/reports":{"get":{},"post":{}}}}`} {
		if _, err := doctor.Propose([]byte(document)); err == nil {
			t.Errorf("%q is taken", document)
		}
	}
}

// No document causes a panic, and every proposal is valid.
func FuzzPropose(f *testing.F) {
	f.Add([]byte(vendorDocument))
	f.Add([]byte(`{"openapi":"3.0.0","paths":{"/tokens":{"get":{"$ref":"#/paths/~1tokens/get"},"post":{}}}}`))
	f.Add([]byte(`{"openapi":"3.0.0","paths":{"/a?b/tokens":{"get":{},"post":{"requestBody":{"content":{"application/json":{"schema":{"properties":{"name":{}}}}}}}}}}`))
	f.Fuzz(func(t *testing.T, document []byte) {
		proposal, err := doctor.Propose(document)
		if err == nil && proposal.Routes.Validate() != nil {
			t.Errorf("settings that cannot be used: %s", proposal.HCL())
		}
		_, _ = proposal.HCL(), proposal.JSON()
	})
}
