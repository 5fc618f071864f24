package paistrike_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
)

// reference contains what a service's public reference shows: the fields of its responses,
// the formats of values, and statuses. It is written from the reference and not from the
// sandbox's shape, which is tested against it.
type reference struct {
	source string
	create string // fields of the response to a create
	row    string // of a token in a list
	around string // of the list, around the tokens
	like   map[string]string
	// The statuses of a create, of a revocation, and of a list with a revoked token.
	created, revoked, dead int
}

// references returns the references by the name of the sandbox's shape.
func references() map[string]reference {
	return map[string]reference{
		"gitlab": {
			source: "gitlabhq/gitlabhq, doc/api/personal_access_tokens.md and doc/api/user_tokens.md",
			create: "id name revoked created_at description scopes[] user_id last_used_ips active expires_at token",
			row:    "id name revoked created_at description scopes[] user_id last_used_at active expires_at",
			like:   map[string]string{"id": `^\d+$`, "expires_at": `^\d{4}-\d\d-\d\d$`, "created_at": `T`},

			created: 201, revoked: 204, dead: 401,
		},
		"sonarqube": {
			source: "SonarSource/sonarqube, usertoken/ws: generate-example.json, search-example.json, SearchAction, GenerateAction, RevokeAction",
			create: "login name createdAt expirationDate token type",
			row:    "name createdAt lastConnectionDate expirationDate type",
			around: "login userTokens",
			like:   map[string]string{"createdAt": `[+-]\d{4}$`, "expirationDate": `T00:00:00[+-]\d{4}$`},

			created: 200, revoked: 204, dead: 401,
		},
		"vercel": {
			source: "vercel.com/docs/rest-api/authentication/list-auth-tokens and create-an-auth-token; vercel/vercel, packages/cli/src/commands/tokens",
			create: "bearerToken token.id token.name token.type token.activeAt token.createdAt token.expiresAt",
			row:    "id name type activeAt createdAt expiresAt",
			around: "tokens pagination.count pagination.next pagination.prev",
			like:   map[string]string{"createdAt": `^\d{13}$`, "activeAt": `^\d{13}$`},

			created: 200, revoked: 200, dead: 403,
		},
		"cloudflare": {
			source: "developers.cloudflare.com/api/resources/user/subresources/tokens; cloudflare/cloudflare-go, api_token.go",
			create: "success errors messages result.id result.name result.status result.issued_on result.modified_on result.expires_on" +
				" result.policies[].id result.policies[].effect result.policies[].resources.com.cloudflare.api.account.1" +
				" result.policies[].permission_groups[].id result.policies[].permission_groups[].name result.value",
			row: "id name status issued_on modified_on last_used_on expires_on policies[].id policies[].effect" +
				" policies[].resources.com.cloudflare.api.account.1 policies[].permission_groups[].id policies[].permission_groups[].name",
			around: "success errors messages result result_info.page result_info.per_page result_info.count result_info.total_count",
			like:   map[string]string{"status": "^active$"},

			created: 200, revoked: 200, dead: 401,
		},
		"snyk": {
			source: "docs.snyk.io/snyk-api/reference/serviceaccounts: schemas ServiceAccount, Links, Limit, APIToken of the OpenAPI document",
			create: "jsonapi.version data.id data.type data.attributes.name data.attributes.auth_type data.attributes.role_id data.attributes.level" +
				" data.attributes.created_at data.attributes.api_key links",
			row:    "id type attributes.name attributes.auth_type attributes.role_id attributes.level attributes.created_at",
			around: "jsonapi.version data links.next",
			like:   map[string]string{"id": `^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`},

			created: 201, revoked: 204, dead: 401,
		},
		"jfrog": {
			source: "jfrog.com/help/r/jfrog-rest-apis: create-token-api-examples, get-tokens, get-token-by-id, revoke-token-by-id",
			create: "token_id access_token expires_in scope token_type",
			row:    "token_id subject expiry issued_at issuer description refreshable",
			around: "tokens",
			like:   map[string]string{"expiry": `^\d{10}$`, "issued_at": `^\d{10}$`},

			created: 200, revoked: 200, dead: 401,
		},
		"grafana": {
			source: "grafana/grafana, docs/sources/developers/http_api/serviceaccount.md and pkg/services/serviceaccounts/api/token.go",
			create: "id name key",
			row:    "id name created lastUsedAt expiration secondsUntilExpiration hasExpired isRevoked",
			like:   map[string]string{"id": `^\d+$`},

			created: 200, revoked: 200, dead: 401,
		},
		"hcp_terraform": {
			source: "hashicorp/terraform-docs-common, website/docs/cloud-docs/api-docs/user-tokens.mdx",
			create: "data.id data.type data.attributes.created-at data.attributes.last-used-at data.attributes.description data.attributes.token" +
				" data.attributes.expired-at data.relationships.created-by.data.id data.relationships.created-by.data.type",
			row: "id type attributes.created-at attributes.last-used-at attributes.description attributes.token attributes.expired-at" +
				" relationships.created-by.data.id relationships.created-by.data.type",
			around: "data meta.pagination.current-page meta.pagination.page-size meta.pagination.total-pages meta.pagination.total-count",

			created: 201, revoked: 204, dead: 401,
		},
		"launchdarkly": {
			source: "launchdarkly/api-client-go, docs/Token.md and docs/Tokens.md; launchdarkly.com/docs/api/access-tokens/get-tokens",
			create: "_id ownerId memberId name creationDate lastModified role token serviceToken defaultApiVersion _links.self.href _links.self.type",
			row:    "_id ownerId memberId name creationDate lastModified role token serviceToken defaultApiVersion lastUsed _links.self.href _links.self.type",
			around: "items totalCount _links.self.href _links.self.type _links.next.href _links.next.type",
			// A list shows the last four characters of a secret.
			like: map[string]string{"creationDate": `^\d{13}$`, "token": `^.{4}$`},

			created: 201, revoked: 204, dead: 401,
		},
	}
}

// tape records the responses of a server.
type tape struct {
	mu      sync.Mutex
	answers []taped
}

type taped struct {
	method, path string
	status       int
	body         []byte
}

func (r *tape) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	resp.Body = io.NopCloser(bytes.NewReader(body))
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answers = append(r.answers, taped{req.Method, req.URL.Path, resp.StatusCode, body})
	return resp, err
}

// last returns the latest response to a method below a path, decoded if it is JSON.
func (r *tape) last(method, path string) (status int, body any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, answer := range slices.Backward(r.answers) {
		if answer.method == method && strings.HasPrefix(answer.path, path) {
			decoder := json.NewDecoder(bytes.NewReader(answer.body))
			decoder.UseNumber()
			_ = decoder.Decode(&body)
			return answer.status, body
		}
	}
	return 0, nil
}

// fields adds the dotted names of all fields of a JSON value to into, with their values.
// It does not descend into rows.
func fields(value any, path string, rows any, into map[string]string) map[string]string {
	switch inner := value.(type) {
	case map[string]any:
		if len(inner) == 0 && path != "" {
			into[path] = "{}"
		}
		for name := range inner {
			fields(inner[name], strings.TrimPrefix(path+"."+name, "."), rows, into)
		}
	case []any:
		if list, ok := rows.([]any); !ok || len(inner) == 0 || len(list) == 0 || &inner[0] != &list[0] {
			for i := range inner {
				fields(inner[i], path+"[]", rows, into)
			}
			if len(inner) > 0 {
				return into
			}
		}
		into[path] = "[]"
	default:
		into[path] = fmt.Sprint(value)
	}
	return into
}

// rowsIn returns the list of tokens: the longest list.
func rowsIn(value any) (longest []any) {
	consider := func(list []any) {
		if len(list) > len(longest) {
			longest = list
		}
	}
	switch inner := value.(type) {
	case []any:
		return inner
	case map[string]any:
		for _, below := range inner {
			consider(rowsIn(below))
		}
	}
	return longest
}

// In every shape, the sandbox responds as the service's reference shows, and adds nothing
// that would only help the decoder.
func TestShapesFollowTheirReferences(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *testing.T, a *shapedAccount) {
		want, found := references()[strings.TrimPrefix(t.Name(), "TestShapesFollowTheirReferences/")]
		if !found || want.source == "" || a.shape.Reference == "" {
			t.Fatal("this shape has no reference")
		}
		same := func(what, names string, got map[string]string) {
			if want := slices.Sorted(slices.Values(strings.Fields(names))); !slices.Equal(slices.Sorted(maps.Keys(got)), want) {
				t.Errorf("%s has the fields\n%q, and the reference (%s) shows\n%q", what, slices.Sorted(maps.Keys(got)), a.shape.Reference, want)
			}
		}
		wire := &tape{}
		client := a.recorded(t, wire)
		for i := range 120 { // more than one page, in every shape with pages
			a.Mint(fmt.Sprint("other ", i), instant("2026-09-01T00:00:00Z"))
		}
		minted, err := paistrike.MintOnce(t.Context(), client, "ci", instant("2026-08-01T00:00:00Z"))
		mustNot(t, err)
		status, body := wire.last("POST", a.shape.Prefix+a.shape.Create.Path)
		same("the answer to a create", want.create, fields(body, "", nil, map[string]string{}))
		if status != want.created {
			t.Errorf("a create is answered with %d", status)
		}

		_, err = client.As(minted.Secret).Self(t.Context()) // so that it has a last use
		mustNot(t, err)
		firstPage, err := http.NewRequestWithContext(t.Context(), http.MethodGet, a.url+a.shape.Prefix+a.shape.List.Path, nil)
		mustNot(t, err)
		query := firstPage.URL.Query()
		for name, value := range a.shape.Query {
			query.Set(name, value)
		}
		firstPage.URL.RawQuery = query.Encode()
		firstPage.Header.Set(a.shape.Header, strings.TrimSpace(a.shape.Scheme+" "+minted.Secret.Reveal()))
		resp, err := wire.RoundTrip(firstPage)
		mustNot(t, err)
		mustNot(t, resp.Body.Close())
		_, page := wire.last("GET", a.shape.Prefix+a.shape.List.Path)
		rows := rowsIn(page)
		if want.around != "" {
			same("a list", want.around, fields(page, "", rows, map[string]string{}))
		}
		one := map[string]string{} // optional fields are in some rows only
		for i := range rows {
			for name, value := range fields(rows[i], "", nil, map[string]string{}) {
				if _, known := one[name]; !known || value != fmt.Sprint(nil) {
					one[name] = value
				}
			}
		}
		same("a row", want.row, one)
		for name, pattern := range want.like {
			if !regexp.MustCompile(pattern).MatchString(one[name]) {
				t.Errorf("%s is %q, not like %s", name, one[name], pattern)
			}
		}

		mustNot(t, client.Revoke(t.Context(), minted.ID))
		if status, _ := wire.last(a.shape.RevokeMethod, a.shape.Prefix); status != want.revoked {
			t.Errorf("a revocation is answered with %d", status)
		}
		_, err = client.As(minted.Secret).List(t.Context())
		if paistrike.StatusOf(err) != want.dead {
			t.Errorf("a dead token gets %v", err)
		}
	})
}
