package provider_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
)

// found is one result of terraform query.
type found struct {
	DisplayName string         `json:"display_name"`
	Identity    map[string]any `json:"identity"`
	Resource    map[string]any `json:"resource_object"`
}

// query runs terraform query for one list block and returns the results.
func (t *terminal) query(arguments string, args ...string) []found {
	t.stage.Helper()
	t.ask(arguments)
	var results []found
	for line := range strings.Lines(t.run(append([]string{"query", "-json"}, args...)...)) {
		var event struct {
			Type  string `json:"type"`
			Found found  `json:"list_resource_found"`
		}
		if json.Unmarshal([]byte(line), &event) == nil && event.Type == "list_resource_found" {
			results = append(results, event.Found)
		}
	}
	return results
}

// ask writes the configuration of a query.
func (t *terminal) ask(arguments string) {
	t.stage.Helper()
	if err := t.Write("find.tfquery.hcl", "list \"paistrike_api_token\" \"found\" {\n  provider = paistrike\n"+arguments+"\n}\n"); err != nil {
		t.stage.Fatal(err)
	}
}

// The filters are those of the data source, and all pages are read. The limit is
// Terraform's own: 100 by default.
func TestQuery(t *testing.T) {
	needs(t, "1.14.0", "")
	s := newStage(t)
	s.withoutVault()
	ids := s.bulk(230)
	s.busy()
	person := s.terminal("")
	for _, c := range []struct {
		arguments string
		want      int
	}{
		{"limit = 1000\nconfig { name_regex = \"^(bulk|passing)\" }", 239},
		{`config { name_regex = "^bulk" }`, 100},
		{"limit = 230\nconfig { name_regex = \"^bulk\" }", 230},
		{"limit = 7\nconfig { name_regex = \"^bulk\" }", 7},
		{`config { name_regex = "^bulk 000$" }`, 1},
		{`config { managed = true }`, 0},
		{`config { status = "expired" }`, 0},
	} {
		if got := person.query(c.arguments); len(got) != c.want {
			t.Errorf("%s: %d tokens found, want %d", c.arguments, len(got), c.want)
		}
	}
	one := person.query(`config { name_regex = "^bulk 000$" }`)
	if len(one) != 1 || one[0].DisplayName != "bulk 000 ("+ids[0]+") active" || one[0].Identity["token_id"] != ids[0] || one[0].Resource != nil {
		t.Errorf("found %+v", one)
	}
	for _, call := range s.apiCalls() {
		if !strings.HasPrefix(call, "GET ") {
			t.Errorf("a query did %s", call)
		}
	}
}

// A page that cannot be read is an error, not a short list.
func TestQueryIsWholeOrNotAtAll(t *testing.T) {
	needs(t, "1.14.0", "")
	s := newStage(t)
	s.bulk(150)
	person := s.terminal("")
	person.ask("limit = 1000")
	s.paistrike.AddFaults(sandbox.Fault{Method: "GET", Path: "/api-tokens", Skip: 1, Count: -1, Status: 500})
	s.wantSays(person.fails("query"), "Error: Tokens not listed")
	s.paistrike.ClearFaults()
	person.ask(`config { created_before = "yesterday" }`)
	s.wantSays(person.fails("query"), "Error: Invalid created_before")
}

// A query describes the resource that would manage a token.
func TestQueryDescribesTheResource(t *testing.T) {
	needs(t, "1.14.0", "")
	for _, c := range []struct {
		name, token, policy, want string
		life                      time.Duration
	}{
		{name: "its lifetime", token: "CI/CD Pipeline", life: 30 * day, want: "CI/CD Pipeline 30d secret paistrike/ci-cd-pipeline"},
		{name: "never", token: "Zapier", want: "Zapier never secret paistrike/zapier"},
		{name: "never is not allowed", token: "Zapier", policy: "{}", want: "Zapier 90d secret paistrike/zapier"},
		{name: "longer than allowed", token: "Zapier", life: 365 * day, policy: `{ max_expires_in = "60d" }`, want: "Zapier 60d secret paistrike/zapier"},
		{name: "a long name", token: strings.Repeat("x", 70), life: day, want: strings.Repeat("x", 60) + " 1d secret paistrike/" + strings.Repeat("x", 60)},
		{name: "no letters", token: "→", life: 36 * time.Hour, want: "→ 36h secret paistrike/token"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStage(t)
			end := time.Time{}
			if c.life > 0 {
				end = monday().Add(c.life)
			}
			id, _ := s.paistrike.Mint(c.token, end)
			config := ""
			if c.policy != "" {
				config = `provider "paistrike" { token_policy = ` + c.policy + " }\n"
			}
			for _, f := range s.terminal(config).query("include_resource = true") {
				if f.Identity["token_id"] != id {
					continue
				}
				at, _ := f.Resource["vault"].(map[string]any)
				if got := fmt.Sprint(f.Resource["name"], " ", f.Resource["expires_in"], " ", at["mount"], " ", at["path"]); got != c.want {
					t.Errorf("got %q, want %q", got, c.want)
				}
				return
			}
			t.Error("the token was not found")
		})
	}
}

// Manually created tokens are found, configured, imported and applied without any manually
// written configuration.
func TestQueryAdopts(t *testing.T) {
	needs(t, "1.14.0", "")
	s := newStage(t)
	secrets := map[string]string{}
	for _, name := range []string{"CI/CD Pipeline", "Zapier", "Zapier"} {
		id, secret := s.paistrike.Mint(name, monday().Add(30*day))
		secrets[id] = secret
	}
	person := s.terminal("")
	person.ask("include_resource = true\nconfig {\n  managed      = false\n  name_regex   = \"CI|Zapier\"\n  vault_folder = \"adopted\"\n}")
	person.run("query", "-generate-config-out=adopted.tf")
	written, err := os.ReadFile(filepath.Join(person.Dir, "adopted.tf"))
	if err != nil {
		t.Fatal(err)
	}
	s.wantSays(person.run("validate"), "Success!")
	plan := person.run("plan")
	s.wantSays(plan, "Plan: 3 to import, 0 to add, 3 to change, 0 to destroy.")
	s.wantSays(plan, `+ rotation_reason = "imported"`)
	s.wantSays(person.apply(), "Apply complete! Resources: 3 imported, 0 added, 3 changed, 0 destroyed.")
	s.wantSays(person.run("plan"), "No changes.")
	if got := s.entries(); len(got) != 3 || !slices.Contains(got, "adopted/ci-cd-pipeline") || !slices.Contains(got, "adopted/zapier") {
		t.Errorf("Vault has %v, from:\n%s", got, written)
	}
	for id, secret := range secrets {
		s.wantWorks("in its overlap, token "+id, secret, true)
	}
	s.advance(25 * time.Hour)
	person.apply()
	s.wantSays(person.run("plan"), "No changes.")
	for id, secret := range secrets {
		s.wantWorks("after its overlap, token "+id, secret, false)
	}
	for _, at := range s.entries() {
		s.wantWorks("the secret in "+at, s.secret(at), true)
	}
}
