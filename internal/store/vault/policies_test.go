package vault_test

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/vault"
	"github.com/paistrike/terraform-provider-paistrike/internal/testparts"
)

// try is a request to Vault that the holder of a policy may attempt.
type try struct {
	method, path string
	body         map[string]any
}

var (
	someData = map[string]any{"data": map[string]string{"token": "x"}}
	versions = map[string]any{"versions": []int{1}}
)

// ending returns the requests that end versions of ci/x, or could.
func ending() []try {
	tries := []try{
		{http.MethodDelete, "secret/data/ci/x", nil},
		{http.MethodPut, "secret/destroy/ci/x", versions},
		{http.MethodPost, "secret/undelete/ci/x", versions},
		{http.MethodDelete, "secret/metadata/ci/x", nil},
	}
	for _, setting := range []map[string]any{
		{"max_versions": 1}, {"delete_version_after": "1s"}, {"cas_required": true},
		{"max_versions": 1, "custom_metadata": map[string]string{"a": "b"}},
	} {
		for _, method := range []string{http.MethodPatch, http.MethodPost, http.MethodPut} {
			tries = append(tries, try{method, "secret/metadata/ci/x", setting})
		}
	}
	custom := map[string]any{"custom_metadata": map[string]string{"a": "b"}}
	return append(tries, try{http.MethodPost, "secret/metadata/ci/x", custom}, try{http.MethodPut, "secret/metadata/ci/x", custom})
}

// elsewhere contains requests for paths that are not below ci/.
var elsewhere = []try{
	{http.MethodGet, "secret/data/team/x", nil},
	{http.MethodPost, "secret/data/team/x", someData},
	{http.MethodGet, "secret/metadata/team/x", nil},
	{http.MethodPatch, "secret/metadata/team/x", map[string]any{"custom_metadata": map[string]string{"a": "b"}}},
	{http.MethodPost, "secret/delete/team/x", versions},
	{http.MethodGet, "secret/metadata/?list=true", nil},
	{http.MethodPost, "secret/config", map[string]any{"max_versions": 1}},
	{http.MethodGet, "sys/mounts", nil},
	{http.MethodPut, "sys/policies/acl/mine", map[string]any{"policy": ""}},
	{http.MethodPost, "auth/token/create", map[string]any{}},
}

// writing contains the requests of a publication.
var writing = []try{
	{http.MethodPost, "secret/data/ci/x", someData},
	{http.MethodPatch, "secret/metadata/ci/x", map[string]any{"custom_metadata": map[string]string{"a": "b"}}},
}

var (
	reading = []try{{http.MethodGet, "secret/data/ci/x", nil}}
	deleted = []try{{http.MethodPost, "secret/delete/ci/x", versions}}
	listing = []try{{http.MethodGet, "secret/metadata/ci/?list=true", nil}}
	broker  = []try{{http.MethodGet, "secret/data/broker/paistrike", nil}}
)

// TestPublishedPoliciesAllowNoMore checks each published policy against the guide, on the
// real server.
func TestPublishedPoliciesAllowNoMore(t *testing.T) {
	t.Parallel()
	address, root := testparts.Vault(t)
	s := server{address, root}
	for name, refused := range map[string][][]try{
		"provisioner": {ending(), elsewhere, listing, broker},
		"rotator":     {ending(), elsewhere, deleted},
		"auditor":     {ending(), elsewhere, deleted, writing, reading},
		"plan-only":   {ending(), elsewhere, deleted, writing, reading, listing, broker},
	} {
		login := s.holder(t, name)
		for _, tries := range refused {
			for _, try := range tries {
				if got := answered(t, address, login, try); got != http.StatusForbidden {
					t.Errorf("%s: %s %s %v is answered with %d", name, try.method, try.path, try.body, got)
				}
			}
		}
	}
}

// TestPublishedPoliciesAreEnough goes through the life of an entry with the published
// policies.
func TestPublishedPoliciesAreEnough(t *testing.T) {
	t.Parallel()
	address, root := testparts.Vault(t)
	s := server{address, root}
	as := func(name string) *vault.Store {
		login := s.holder(t, name)
		return s.store(t, func(c *vault.Config) { c.Login = login })
	}
	s.ask(t, http.MethodPost, "secret/data/broker/paistrike", someData)
	publish := func(store *vault.Store, cas int, r entry.Record) entry.Mirror {
		t.Helper()
		if err := store.Check(t.Context(), at("ci/x"), revision(cas), time.Minute); err != nil {
			t.Fatal(err)
		}
		wrote(t, store, at("ci/x"), cas, r)
		mirror := entry.MirrorOf(r, revision(cas+1), nil, firstRotation)
		if err := store.Describe(t.Context(), at("ci/x"), mirror); err != nil {
			t.Fatal(err)
		}
		return mirror
	}
	provisioner, rotator := as("provisioner"), as("rotator")
	publish(provisioner, 0, record("first", 0))
	publish(rotator, 1, record("second", 1))
	for _, name := range []string{"rotator", "auditor"} {
		if entries, _, err := as(name).List(t.Context(), entry.Location{Mount: "secret", Path: "ci"}); err != nil || len(entries) != 1 {
			t.Errorf("%s lists %v, %v", name, entries, err)
		}
		if got := answered(t, address, s.holder(t, name), broker[0]); got != http.StatusOK {
			t.Errorf("%s reads the management token with %d", name, got)
		}
	}
	for _, name := range []string{"provisioner", "rotator", "auditor", "plan-only"} {
		if g := looked(t, as(name), at("ci/x")); g.Revision != "2" || !g.Managed {
			t.Errorf("%s sees %+v", name, g)
		}
	}
	// An entry whose PAIStrike no longer exists is closed with the permissions for
	// rotation.
	mirror := publish(rotator, 2, tombstone(2))
	if err := rotator.Close(t.Context(), at("ci/x"), "3", mirror, entry.EndKeep); err != nil {
		t.Error(err)
	}
	if err := provisioner.Close(t.Context(), at("ci/x"), "3", mirror, entry.EndDelete); err != nil {
		t.Error(err)
	}
	if m := mustKnow(t, s.client(t), at("ci/x")); m.Condition != entry.Deleted || len(m.Versions) != 0 {
		t.Errorf("closed: %+v", m)
	}
	// As the guide states, no policy prevents this.
	emptied := try{http.MethodPatch, "secret/metadata/ci/x", map[string]any{"custom_metadata": nil}}
	if got := answered(t, address, s.holder(t, "rotator"), emptied); got != http.StatusNoContent {
		t.Errorf("clearing custom metadata is answered with %d", got)
	}
}

// holder creates a token with one of the published policies.
func (s server) holder(t *testing.T, name string) vault.Login {
	t.Helper()
	rules, err := os.ReadFile(filepath.Join("..", "..", "..", "examples", "policies", name+".hcl"))
	if err != nil {
		t.Fatal(err)
	}
	s.ask(t, http.MethodPut, "sys/policies/acl/"+name, map[string]any{"policy": string(rules)})
	var made struct {
		Auth struct {
			ClientToken string `json:"client_token"`
		}
	}
	testparts.Ask(t, http.MethodPost, s.address+"/v1/auth/token/create", s.token, map[string]any{"policies": []string{name}}, &made)
	return vault.Login{Method: vault.MethodToken, Token: hidden(made.Auth.ClientToken)}
}

// answered returns the status of Vault's response to a request.
func answered(t *testing.T, address string, login vault.Login, try try) int {
	t.Helper()
	server := testparts.VaultServer{URL: address}
	var body any
	if try.body != nil {
		body = try.body
	}
	return server.Ask(t, try.method, try.path, login.Token.Reveal(), body, nil)
}
