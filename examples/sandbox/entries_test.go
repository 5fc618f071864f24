package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox/storeview"
)

// The page's data on Vault comes from metadata: no request reads a secret.
func TestEntriesAreReadWithoutTheirSecrets(t *testing.T) {
	t.Parallel()
	r := start(t, "-kv", engine(t), "-vault-listen", "127.0.0.1:0", "-clock", "2026-03-01T12:00:00Z")
	vault, token := r.env["VAULT_ADDR"], r.env["VAULT_TOKEN"]
	store := storeview.Vault(vault, token)
	if entries, err := store.Entries(t.Context()); err != nil || len(entries) != 0 {
		t.Fatalf("an empty Vault has %v, %v", entries, err)
	}
	put := func(path string, custom map[string]string) {
		t.Helper()
		body, err := json.Marshal(map[string]any{"custom_metadata": custom})
		if err != nil {
			t.Fatal(err)
		}
		r.call("POST", vault+"/v1/secret/data/"+path, `{"data":{"token":"canary"}}`, "X-Vault-Token", token)
		if got := r.call("POST", vault+"/v1/secret/metadata/"+path, string(body), "X-Vault-Token", token); got.status != 204 {
			t.Fatalf("%s: %d %s", path, got.status, got.body)
		}
	}
	put("ci/main", map[string]string{
		"managed_by": "paistrike", "paistrike_state": "active", "paistrike_mirror_of": "2", "paistrike_token_id": "tok_2", "paistrike_token_name": "CI",
		"paistrike_retiring": "tok%401@2026-03-02T12:00:00Z;odd;+3", "paistrike_next_rotation": "2026-03-31T12:00:00Z", "paistrike_last_error": "PS301",
	})
	put("deep/er/one with space", map[string]string{"managed_by": "paistrike", "paistrike_state": "tombstone", "paistrike_mirror_of": "5", "paistrike_token_id": "tok_9"})
	put("someone/elses", map[string]string{"owner": "ops"})

	got, err := store.Entries(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []sandbox.Entry{
		{
			Place: "secret/ci/main", State: sandbox.EntryActive, Version: "2", TokenID: "tok_2", TokenName: "CI", LastError: "PS301",
			Retiring:     []sandbox.Retiring{{TokenID: "tok@1", RevokeAfter: time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)}},
			NextRotation: time.Date(2026, 3, 31, 12, 0, 0, 0, time.UTC),
		},
		{Place: "secret/deep/er/one with space", State: sandbox.EntryEnded, Version: "5", TokenID: "tok_9"},
	}
	same := func(a, b sandbox.Entry) bool {
		return slices.Equal(a.Retiring, b.Retiring) && a.Place == b.Place && a.State == b.State && a.Version == b.Version &&
			a.TokenID == b.TokenID && a.TokenName == b.TokenName && a.LastError == b.LastError && a.NextRotation.Equal(b.NextRotation)
	}
	if !slices.EqualFunc(got, want, same) {
		t.Errorf("read %+v, want %+v", got, want)
	}
	if page := r.call("GET", r.env["PAISTRIKE_ENDPOINT"]+"/", ""); !strings.Contains(page.body, "1 entry serves a token, 1 in overlap") || strings.Contains(page.body, "canary") {
		t.Error("the page does not show the entries, or shows a secret")
	}
	var calls []struct{ Method, Path string }
	if err := json.Unmarshal([]byte(r.call("GET", vault+"/_kv/journal", "").body), &calls); err != nil {
		t.Fatal(err)
	}
	reads := 0
	for _, call := range calls {
		if call.Method == "GET" && strings.HasPrefix(call.Path, "/v1/secret/") {
			reads++
			if !strings.HasPrefix(call.Path, "/v1/secret/metadata/") {
				t.Errorf("the page reads %s", call.Path)
			}
		}
	}
	if reads < 7 {
		t.Errorf("only %d reads were seen", reads)
	}
	r.end()
	if _, err := store.Entries(t.Context()); err == nil {
		t.Error("a Vault that is gone has no entries, and no error")
	}
}
