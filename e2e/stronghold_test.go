package e2e_test

import (
	"context"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
	"github.com/paistrike/terraform-provider-paistrike/internal/testparts"
)

// stronghold is a world with a real Vault server as in production: with TLS, a seal, an audit
// log, logins and policies. It uses the real time.
type stronghold struct {
	*world
	server *testparts.VaultServer
}

// newStronghold starts Vault with the published policies. The workspace uses the hosts in the
// examples and has no Vault token.
func newStronghold(t *testing.T, program string) *stronghold {
	t.Helper()
	n := newInternet(t)
	s := &stronghold{world: newPAIStrike(t, sandbox.Options{}), server: testparts.NewVaultServer(t, n.authority, vaultHost)}
	address, err := url.Parse(s.server.URL)
	if err != nil {
		t.Fatal(err)
	}
	n.hosts[vaultHost+":8200"] = address.Host
	n.forward(t, paistrikeHost, "443", s.api)
	s.root = s.server.Token
	for _, name := range []string{"provisioner", "consumer", "plan-only"} {
		s.policy(t, name, published(t, "policies/"+name+".hcl"))
	}
	s.tf = workspace(t, program, append(n.environment(),
		"PAISTRIKE_ENDPOINT=https://"+paistrikeHost, "PAISTRIKE_API_TOKEN="+s.front.management,
		"VAULT_ADDR=https://"+vaultHost+":8200", "VAULT_CACERT="+n.authority.File, "VAULT_MAX_RETRIES=0")...)
	s.write(t, "main.tf", ci)
	return s
}

func (s *stronghold) policy(t *testing.T, name, rules string) {
	t.Helper()
	s.server.Must(t, http.MethodPut, "sys/policies/acl/"+name, s.root, map[string]string{"policy": rules}, nil)
}

// token creates a Vault token with one policy in addition to the default policy.
func (s *stronghold) token(t *testing.T, policy string) string {
	t.Helper()
	var made struct {
		Auth struct {
			Token string `json:"client_token"`
		}
	}
	s.server.Must(t, http.MethodPost, "auth/token/create", s.root, map[string]any{"policies": []string{policy}, "ttl": "1h"}, &made)
	return made.Auth.Token
}

// login enables a login method at its default path.
func (s *stronghold) login(t *testing.T, method string) {
	t.Helper()
	s.server.Must(t, http.MethodPost, "sys/auth/"+method, s.root, map[string]string{"type": method}, nil)
}

// appRole sets up and writes the published AppRole example. It returns the secret ID.
func (s *stronghold) appRole(t *testing.T, policy string) string {
	t.Helper()
	_, secretID := testparts.AppRole(t, s.server.AsRoot(t), "terraform", map[string]any{
		"token_policies": policy, "token_ttl": "20m", "role_id": "6d1c53e2-3f41-4f0a-9a3e-2b8f5f0c7d19",
	})
	s.write(t, "provider.tf", published(t, "auth/approle.tf"))
	s.tf.Setenv("TF_VAR_vault_secret_id=" + secretID)
	return secretID
}

// read reads the secret with a Vault token, and returns it with Vault's status.
func (s *stronghold) read(t *testing.T, token string) (secret string, status int) {
	t.Helper()
	var answer struct {
		Data struct {
			Data map[string]any
		}
	}
	status = s.server.Ask(t, http.MethodGet, "secret/data/ci/paistrike", token, nil, &answer)
	return text(answer.Data.Data["token"]), status
}

// refused runs apply and fails the test unless it ends with the given code.
func (s *stronghold) refused(t *testing.T, code string, args ...string) {
	t.Helper()
	out, err := s.tf.Apply(t.Context(), args...)
	if err == nil || !strings.Contains(out.Stderr, code+":") {
		t.Fatalf("want %s, got: %v\n%s", code, err, out.Stdout)
	}
}

// until repeats an action until its condition holds. Real time must pass.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for !holds() {
		if ctx.Err() != nil {
			t.Fatalf("after a minute it is not so: %s", what)
		}
	}
}

// searchAuditLog fails the test if Vault's audit log contains a secret.
func (s *stronghold) searchAuditLog(t *testing.T, more ...string) {
	t.Helper()
	log, err := os.ReadFile(s.server.AuditFile)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{`"secret/data/ci/paistrike"`, `"auth/approle/login"`} {
		if !strings.Contains(string(log), path) {
			t.Errorf("the audit log does not mention %s", path)
		}
	}
	e := evidence{}
	e.add(t, "Vault's audit log", string(log))
	e.searchAll(t, append(append(s.front.secrets(), s.root), more...))
}
