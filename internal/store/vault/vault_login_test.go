package vault_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/vault"
	"github.com/paistrike/terraform-provider-paistrike/internal/testparts"
)

// rotatorPolicy allows a token to publish and to update the mirror.
const rotatorPolicy = `
path "secret/data/ci/*"     { capabilities = ["create", "read", "update"] }
path "secret/metadata/ci/*" { capabilities = ["read", "patch", "list"] }
path "secret/delete/ci/*"   { capabilities = ["update"] }
`

// TestVaultLogins logs in to a real Vault by every method that needs no other server, and
// does what the policy permits.
func TestVaultLogins(t *testing.T) {
	t.Parallel()
	address, root := testparts.Vault(t)
	s := server{address, root}
	s.ask(t, http.MethodPut, "sys/policies/acl/rotator", map[string]any{"policy": rotatorPolicy})
	for _, method := range []string{"userpass", "jwt"} {
		s.ask(t, http.MethodPost, "sys/auth/"+method, map[string]any{"type": method})
	}
	s.ask(t, http.MethodPost, "auth/userpass/users/ann", map[string]any{"password": "pw", "token_policies": "rotator"})
	key, jwt := jwtKey(t)
	s.ask(t, http.MethodPost, "auth/jwt/config", map[string]any{"jwt_validation_pubkeys": []string{key}})
	s.ask(t, http.MethodPost, "auth/jwt/role/ci", map[string]any{
		"role_type": "jwt", "user_claim": "sub", "bound_audiences": []string{"vault"}, "token_policies": "rotator", "token_ttl": "10m",
	})
	approle := appRole(t, s, 0)
	for name, login := range map[string]vault.Login{
		"approle":  approle,
		"userpass": {Method: "userpass", Username: "ann", Password: hidden("pw")},
		"jwt":      {Method: "jwt", Role: "ci", JWT: hidden(jwt)},
		"generic":  {Method: "generic", Path: "auth/userpass/login/ann", Parameters: map[string]secret.Secret{"password": hidden("pw")}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := client(t, address, func(c *vault.Config) { c.Login = login })
			mustPublish(t, c, at("ci/"+name), 0, "s")
			if err := c.Patch(t.Context(), at("ci/"+name), map[string]string{"a": "b"}); err != nil {
				t.Error(err)
			}
			if m, err := c.Mount(t.Context(), "", "secret"); err != nil || m.KVVersion != 2 {
				t.Errorf("%+v, %v", m, err)
			}
			if life, err := c.TokenLife(t.Context()); err != nil || life.TTL < time.Minute || life.Uses != 0 {
				t.Errorf("the token lives %+v, %v", life, err)
			}
			got, err := c.Capabilities(t.Context(), "", "secret/data/ci/x", "secret/metadata/ci/x", "secret/data/other")
			want := map[string][]string{
				"secret/data/ci/x":     {"create", "read", "update"},
				"secret/metadata/ci/x": {"list", "patch", "read"},
				"secret/data/other":    {"deny"},
			}
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
			if err := c.Purge(t.Context(), at("ci/"+name)); !vault.IsForbidden(err) {
				t.Errorf("purging: %v", err)
			}
			if _, err := c.Publish(t.Context(), at("other"), 0, record("s", 0)); !vault.IsForbidden(err) {
				t.Errorf("writing elsewhere: %v", err)
			}
		})
	}
	t.Run("refused", func(t *testing.T) {
		t.Parallel()
		c := client(t, address, func(c *vault.Config) {
			c.Login = vault.Login{Method: "userpass", Username: "ann", Password: hidden("wrong")}
		})
		if _, err := c.Metadata(t.Context(), at("ci/x")); !vault.IsUnauthenticated(err) {
			t.Errorf("error %v", err)
		}
	})
}

// TestVaultTokenEndsMidway revokes the client's token between two writes.
func TestVaultTokenEndsMidway(t *testing.T) {
	t.Parallel()
	address, root := testparts.Vault(t)
	s := server{address, root}
	s.ask(t, http.MethodPut, "sys/policies/acl/rotator", map[string]any{"policy": rotatorPolicy})
	takeAway := func() {
		s.ask(t, http.MethodPut, "sys/leases/revoke-prefix/auth/approle", map[string]any{"sync": true})
	}

	c := client(t, address, func(c *vault.Config) { c.Login = appRole(t, s, 0) })
	mustPublish(t, c, at("ci/x"), 0, "first")
	takeAway()
	mustPublish(t, c, at("ci/x"), 1, "second")

	// With a secret ID for a single login, the client cannot log in again.
	once := client(t, address, func(c *vault.Config) { c.Login = appRole(t, s, 1) })
	mustPublish(t, once, at("ci/once"), 0, "first")
	takeAway()
	_, err := once.Publish(t.Context(), at("ci/once"), 1, record("second", 1))
	if !vault.IsForbidden(err) || !vault.IsUnauthenticated(err) {
		t.Errorf("error %v", err)
	}
	if e := mustRead(t, s.client(t), at("ci/once"), 0); e.Version != 1 {
		t.Errorf("then the entry is %+v", e)
	}
}

func TestVaultRevokesOurToken(t *testing.T) {
	t.Parallel()
	address, root := testparts.Vault(t)
	s := server{address, root}
	s.ask(t, http.MethodPut, "sys/policies/acl/rotator", map[string]any{"policy": rotatorPolicy})
	login := appRole(t, s, 1)
	c := client(t, address, func(c *vault.Config) { c.Login = login })
	mustPublish(t, c, at("ci/x"), 0, "s")
	if err := c.RevokeToken(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Metadata(t.Context(), at("ci/x")); !vault.IsUnauthenticated(err) {
		t.Errorf("the token or its secret id still works: %v", err)
	}
}

// appRole creates a role for the rotator and a secret ID that is valid for uses logins; 0
// means no limit.
func appRole(t *testing.T, s server, uses int) vault.Login {
	t.Helper()
	id, value := testparts.AppRole(t, testparts.AsRoot(t, s.address, s.token), "ci",
		map[string]any{"token_policies": "rotator", "token_ttl": "10m", "secret_id_num_uses": uses})
	return vault.Login{Method: "approle", RoleID: id, SecretID: hidden(value)}
}

// jwtKey creates a key, and a token for Vault that is signed with it.
func jwtKey(t *testing.T) (public, token string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	part := func(value any) string {
		text, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(text)
	}
	signed := part(map[string]string{"alg": "ES256", "typ": "JWT"}) + "." + part(map[string]any{
		"sub": "repo:acme/app", "aud": "vault", "iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(),
	})
	digest := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	signature := append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	public = string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	return public, signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}
