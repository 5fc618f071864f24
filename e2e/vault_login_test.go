package e2e_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/testparts"
)

// Each published login example provisions a token. TestPublishedPoliciesSuffice covers
// AppRole.
func TestPublishedLogins(t *testing.T) {
	t.Parallel()
	for _, login := range []struct {
		file  string
		setUp func(*testing.T, *stronghold)
	}{
		{"auth/userpass.tf", func(t *testing.T, s *stronghold) {
			s.login(t, "userpass")
			s.server.Must(t, http.MethodPost, "auth/userpass/users/terraform", s.root,
				map[string]string{"password": "correct horse", "token_policies": "provisioner", "token_ttl": "20m"}, nil)
			s.tf.Setenv("TF_VAR_vault_password=correct horse")
		}},
		{"auth/jwt.tf", func(t *testing.T, s *stronghold) {
			s.tf.Setenv("TERRAFORM_VAULT_AUTH_JWT=" + s.identityToken(t))
		}},
		{"auth/token_file.tf", func(t *testing.T, s *stronghold) {
			file := filepath.Join(t.TempDir(), "vault-token")
			if err := os.WriteFile(file, []byte(s.token(t, "provisioner")+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			s.tf.Setenv("TERRAFORM_VAULT_TOKEN_FILENAME=" + file)
		}},
	} {
		t.Run(strings.TrimSuffix(filepath.Base(login.file), ".tf"), func(t *testing.T) {
			t.Parallel()
			eachCLI(t, func(t *testing.T, program string) {
				s := newStronghold(t, program)
				login.setUp(t, s)
				s.write(t, "provider.tf", published(t, login.file))
				s.apply(t)
				s.planEmpty(t)
				if secret, _ := s.read(t, s.root); s.use(t, secret) != http.StatusOK {
					t.Error("the secret in Vault does not work")
				}
			})
		})
	}
}

// A token's whole life works through the listener of a Vault Proxy, which adds its own Vault
// token. A client that accesses the same Vault directly finds its own entry.
func TestPublishedAgentLogin(t *testing.T) {
	t.Parallel()
	eachCLI(t, func(t *testing.T, program string) {
		s := newStronghold(t, program)
		listener := testparts.VaultProxy(t, "proxy", s.server.URL, s.server.CAFile, s.token(t, "provisioner"))
		file := published(t, "auth/agent.tf")
		s.write(t, "provider.tf", strings.Replace(file, "http://127.0.0.1:8100", listener, 1))
		s.apply(t)
		s.planEmpty(t)
		first, _ := s.read(t, s.root)
		s.apply(t, "-var", "incident=laptop lost")
		second, _ := s.read(t, s.root)
		if second == first || s.use(t, second) != http.StatusOK {
			t.Error("the rotation through the proxy did not bring a new secret that works")
		}

		s.tf.Setenv("VAULT_TOKEN=" + s.token(t, "provisioner"))
		s.write(t, "provider.tf", "")
		s.planEmpty(t, "-var", "incident=laptop lost")
		s.destroy(t, "-var", "incident=laptop lost")
		if s.active() != 0 {
			t.Errorf("%d tokens are active", s.active())
		}
	})
}

// identityToken sets up the JWT login and returns a token for it, like those that HCP
// Terraform issues to its runs.
func (s *stronghold) identityToken(t *testing.T) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	const issuer, audience, workspace = "https://issuer.example.com", "vault.workload.identity", "tokens"
	s.login(t, "jwt")
	s.server.Must(t, http.MethodPost, "auth/jwt/config", s.root, map[string]any{
		"jwt_validation_pubkeys": []string{string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}))},
		"bound_issuer":           issuer,
	}, nil)
	s.server.Must(t, http.MethodPost, "auth/jwt/role/terraform", s.root, map[string]any{
		"role_type": "jwt", "user_claim": "sub", "bound_audiences": []string{audience},
		"bound_claims": map[string]string{"terraform_workspace_name": workspace}, "token_policies": "provisioner", "token_ttl": "20m",
	}, nil)
	now := time.Now().Unix()
	return signed(t, key, map[string]any{
		"iss": issuer, "aud": audience, "sub": "workspace:" + workspace, "terraform_workspace_name": workspace,
		"iat": now, "nbf": now - 60, "exp": now + 600,
	})
}

// signed encodes claims as a JWT (RFC 7519) with RS256.
func signed(t *testing.T, key *rsa.PrivateKey, claims map[string]any) string {
	t.Helper()
	var parts []string
	for _, part := range []map[string]any{{"alg": "RS256", "typ": "JWT"}, claims} {
		raw, err := json.Marshal(part)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, base64.RawURLEncoding.EncodeToString(raw))
	}
	digest := sha256.Sum256([]byte(strings.Join(parts, ".")))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(append(parts, base64.RawURLEncoding.EncodeToString(signature)), ".")
}
