// Package consumers_test runs the recipes that can run against a real Vault, and checks the
// manifests of the others against their schemas and against the entry that they read.
package consumers_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/vault"
	"github.com/paistrike/terraform-provider-paistrike/internal/testparts"
)

// world is a Vault with a PAIStrike token at secret/ci/paistrike, and a consumer with the
// published policy.
type world struct {
	api, vault, root string
	consumer         string // Vault token of the consumer
	engine           *rotation.Engine
	rotations        int
}

func newWorld(t *testing.T) *world {
	t.Helper()
	box, err := sandbox.New(sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	api := httptest.NewServer(box)
	t.Cleanup(api.Close)
	w := &world{api: api.URL}
	w.vault, w.root = testparts.Vault(t)
	policy := read(t, "../policies/consumer.hcl")
	testparts.Ask(t, http.MethodPut, w.vault+"/v1/sys/policies/acl/consumer", w.root, map[string]string{"policy": policy}, nil)
	var made struct {
		Auth struct {
			Token string `json:"client_token"`
		}
	}
	testparts.Ask(t, http.MethodPost, w.vault+"/v1/auth/token/create", w.root, map[string]any{"policies": []string{"consumer"}, "ttl": "1h"}, &made)
	w.consumer = made.Auth.Token

	_, management := box.Mint("Terraform", time.Time{})
	client, err := paistrike.New(paistrike.Config{Endpoint: w.api, Token: secret.New(management)})
	if err != nil {
		t.Fatal(err)
	}
	there, err := vault.New(vault.Config{Address: w.vault, Login: vault.Login{Method: vault.MethodToken, Token: secret.New(w.root)}})
	if err != nil {
		t.Fatal(err)
	}
	w.engine = rotation.New(rotation.PAIStrike{Client: client}, vault.NewStore(there))
	w.run(t, rotation.Rotate)
	return w
}

// run rotates the token, or revokes the previous one after its overlap.
func (w *world) run(t *testing.T, wish rotation.Wish) {
	t.Helper()
	words := schedule.Schedule{ExpiresIn: "60d", Period: "20d", Overlap: "1s"}
	policy, err := words.Policy(time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if wish == rotation.Rotate {
		w.rotations++
	}
	_, err = w.engine.Run(t.Context(), rotation.Request{
		At: entry.Location{Mount: "secret", Path: "ci/paistrike", Key: "token"}, Label: "Nightly Scan", Policy: policy, Schedule: words,
		Owner: "scanner", Wish: wish, Reason: schedule.ReasonTriggers, Triggers: strconv.Itoa(w.rotations),
	})
	if err != nil {
		t.Fatal(err)
	}
}

// fields returns the fields that the consumer reads at a path, with its own Vault token.
func (w *world) fields(t *testing.T, path string) map[string]string {
	t.Helper()
	var got struct {
		Data struct {
			Data map[string]string
		}
	}
	testparts.Ask(t, http.MethodGet, w.vault+"/v1/"+path, w.consumer, nil, &got)
	return got.Data.Data
}

// works reports whether PAIStrike accepts a token.
func (w *world) works(t *testing.T, token string) bool {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.api+"/api/v1/api-tokens/self", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	client := http.Client{Timeout: 30 * time.Second}
	answer, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

func read(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
