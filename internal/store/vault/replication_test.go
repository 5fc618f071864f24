package vault

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"

	"github.com/hashicorp/vault/api"
)

// After each response, a request requires the same states as HashiCorp's own client.
func TestStatesAreMergedAsByHashiCorpsClient(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // repeatable
	answer := func() string {
		cluster := []string{"one", "one", "one", "one", "two", ""}[random.IntN(6)]
		text := fmt.Sprintf("v%d:%s:%d:%d:ab12", 1+random.IntN(8)/7, cluster, random.IntN(5), random.IntN(5))
		return base64.StdEncoding.EncodeToString([]byte(text))
	}
	longest := 0
	for range 200 {
		var ours, theirs []string
		for range 20 {
			got := answer()
			ours, theirs = mergeStates(ours, got), api.MergeReplicationStates(theirs, got)
			if !slices.Equal(ours, theirs) {
				t.Fatalf("after %s: %q, and vault/api says %q", got, ours, theirs)
			}
			longest = max(longest, len(ours))
		}
	}
	if longest <= mostStates {
		t.Errorf("there were never more than %d states", longest)
	}
	for _, damaged := range []string{"", "no base64", base64.StdEncoding.EncodeToString([]byte("v1:one:1")), base64.StdEncoding.EncodeToString([]byte("v1:one:1:x:ab12"))} {
		if _, ok := parseState(damaged); ok {
			t.Errorf("%q is a state", damaged)
		}
	}
}

// The names of headers and fields are those of HashiCorp's own client.
func TestNamesAreThoseOfHashiCorpsClient(t *testing.T) {
	t.Parallel()
	for ours, theirs := range map[string]string{
		headerIndex: api.HeaderIndex, headerNamespace: api.NamespaceHeaderName, headerRequest: api.RequestHeaderName, headerToken: api.AuthHeaderName,
	} {
		if http.CanonicalHeaderKey(ours) != http.CanonicalHeaderKey(theirs) {
			t.Errorf("header %s, and vault/api says %s", ours, theirs)
		}
	}
	said := api.HealthResponse{Sealed: true, Enterprise: true, ServerTimeUTC: 1234567890}
	if got := reread[serverHealth](t, said); got != (serverHealth{Sealed: true, Enterprise: true, ServerTimeUTC: 1234567890}) {
		t.Errorf("health %+v", got)
	}
	login := api.Secret{Auth: &api.SecretAuth{ClientToken: "hvs.example"}}
	if got := reread[loginAnswer](t, login); got.Auth.ClientToken != "hvs.example" {
		t.Errorf("login %+v", got)
	}
	refusal := api.ErrorResponse{Errors: []string{"permission denied"}}
	if got := reasons(marshal(t, refusal), nil); !slices.Equal(got, refusal.Errors) {
		t.Errorf("reasons %q", got)
	}
}

func marshal(t *testing.T, value any) []byte {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// reread encodes a value and decodes it as another type.
func reread[T any](t *testing.T, value any) T {
	t.Helper()
	var read T
	if err := json.Unmarshal(marshal(t, value), &read); err != nil {
		t.Fatal(err)
	}
	return read
}
