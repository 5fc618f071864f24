package rotation_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/vault"
	"github.com/paistrike/terraform-provider-paistrike/internal/testparts"
)

// These tests run the protocol against a complete Vault server with TLS, a seal, policies
// and an audit log, and disturb the server as production servers are disturbed.

// vaultServer is a Vault that several worlds share, one after the other.
type vaultServer struct {
	*testparts.VaultServer
	kv kvServer

	secrets []string // what was published, to search the audit log for
}

// startVault starts a server with start.
func startVault(t *testing.T, start func(testing.TB, *testparts.Authority, ...string) *testparts.VaultServer) *vaultServer {
	t.Helper()
	authority := testparts.NewAuthority(t)
	v := &vaultServer{VaultServer: start(t, authority)}
	v.kv = trusting(t, v.VaultServer, authority)
	return v
}

// trusting returns a server for worlds that trust the authority of its certificate.
func trusting(t *testing.T, v *testparts.VaultServer, authority *testparts.Authority) kvServer {
	t.Helper()
	pem, err := os.ReadFile(authority.File)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	wire := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
	t.Cleanup(wire.CloseIdleConnections)
	return kvServer{address: v.URL, root: v.Token, wire: wire, whole: true}
}

// health returns Vault's own health response with the sandbox's time in it.
func (w *world) health(r *http.Request) (*http.Response, error) {
	response, err := w.kv.wire.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	var page map[string]any
	if err := json.NewDecoder(response.Body).Decode(&page); err != nil {
		return nil, err
	}
	page["server_time_utc"] = w.now().Unix()
	text, err := json.Marshal(page)
	if err != nil {
		return nil, err
	}
	return answer(r, response.StatusCode, string(text)), nil
}

// incident is something that happens to the server before any call of a run, and that is
// undone after the run.
type incident struct {
	name  string
	start func(testing.TB, *testparts.Authority, ...string) *testparts.VaultServer
	// prepare configures how the engine logs in. It returns the incident and its repair.
	prepare func(t *testing.T, v *vaultServer, w *world) (happens, repaired func())
	// unnoticed is true if the run succeeds anyway.
	unnoticed bool
}

func incidents() []incident {
	memory, disk := testparts.NewVaultServer, testparts.NewDurableVaultServer
	return []incident{
		{name: "sealed, and unsealed after the run", start: memory, prepare: func(t *testing.T, v *vaultServer, _ *world) (func(), func()) {
			return func() { v.Seal(t) }, func() { v.Unseal(t) }
		}},
		{name: "killed and restarted", start: disk, unnoticed: true, prepare: func(t *testing.T, v *vaultServer, _ *world) (func(), func()) {
			return func() { v.Restart(t) }, func() {}
		}},
		{name: "Vault token revoked, given by the user", start: memory, prepare: func(t *testing.T, v *vaultServer, w *world) (func(), func()) {
			token := v.token(t)
			w.login = staticToken(token)
			revoke := func() {
				v.Must(t, http.MethodPost, "auth/token/revoke", v.Token, map[string]string{"token": token}, nil)
			}
			return revoke, func() { w.login = staticToken(v.token(t)) }
		}},
		{name: "Vault token revoked, got by a login", start: memory, unnoticed: true, prepare: func(t *testing.T, v *vaultServer, w *world) (func(), func()) {
			w.login = v.appRole(t)
			revoke := func() {
				v.Must(t, http.MethodPost, "sys/leases/revoke-prefix/auth/approle/login", v.Token, nil, nil)
			}
			return revoke, func() {}
		}},
		{name: "policy withdrawn, and given back after the run", start: memory, prepare: func(t *testing.T, v *vaultServer, w *world) (func(), func()) {
			w.login = staticToken(v.token(t))
			return func() { v.policy(t, nothing) }, func() { v.policy(t, rights) }
		}},
	}
}

func staticToken(token string) vault.Login {
	return vault.Login{Method: vault.MethodToken, Token: secret.New(token)}
}

// rights is the published policy for programs that provision and rotate, with the paths of
// these tests.
const (
	rights = `
path "secret/data/+/ci"     { capabilities = ["create", "read", "update"] }
path "secret/metadata/+/ci" { capabilities = ["read", "patch"] }
path "secret/delete/+/ci"   { capabilities = ["update"] }
path "secret/config"        { capabilities = ["read"] }
`
	nothing = `path "secret/nothing" { capabilities = ["read"] }`
)

// policy sets the permissions of the programs.
func (v *vaultServer) policy(t testing.TB, rules string) {
	t.Helper()
	v.Must(t, http.MethodPut, "sys/policies/acl/rotator", v.Token, map[string]string{"policy": rules}, nil)
}

// token creates a Vault token with the policy.
func (v *vaultServer) token(t testing.TB) string {
	t.Helper()
	var made struct {
		Auth struct {
			Token string `json:"client_token"`
		} `json:"auth"`
	}
	v.Must(t, http.MethodPost, "auth/token/create", v.Token, map[string]any{"policies": []string{"rotator"}, "ttl": "1h"}, &made)
	return made.Auth.Token
}

// appRole creates an AppRole login with the policy.
func (v *vaultServer) appRole(t testing.TB) vault.Login {
	t.Helper()
	id, value := testparts.AppRole(t, v.AsRoot(t), "rotator", map[string]any{"token_policies": "rotator", "token_ttl": "20m"})
	return vault.Login{Method: vault.MethodAppRole, RoleID: id, SecretID: secret.New(value)}
}

// logins counts the logins by AppRole so far.
func (v *vaultServer) logins(t testing.TB) int {
	t.Helper()
	return strings.Count(v.auditLog(t), `"path":"auth/approle/login"`) / 2 // request and response
}

func (v *vaultServer) auditLog(t testing.TB) string {
	t.Helper()
	log, err := os.ReadFile(v.AuditFile)
	if err != nil {
		t.Fatal(err)
	}
	return string(log)
}

// TestWhateverHappensToVault causes each incident before each call of each kind of run. It
// checks the same invariants as the fault sweep.
func TestWhateverHappensToVault(t *testing.T) {
	t.Parallel()
	for _, i := range incidents() {
		t.Run(i.name, func(t *testing.T) {
			t.Parallel()
			v := startVault(t, i.start)
			v.policy(t, rights)
			cases := 0
			for _, s := range scenarios() {
				if s.backward {
					continue
				}
				calls := v.play(t, i, s, 0)
				for n := 1; n <= calls; n++ {
					v.play(t, i, s, n)
					cases++
				}
			}
			t.Logf("%d times", cases)
			v.searchAuditLog(t)
		})
	}
}

// play runs a scenario with an incident before its nth call, and returns how many calls it
// made.
func (v *vaultServer) play(t *testing.T, i incident, s scenario, n int) int {
	t.Helper()
	w := newWorld(t, v.kv)
	s.setup(w)
	happens, repaired := i.prepare(t, v, w)
	logins := v.logins(t)
	wire := &faultyWire{before: func(call int, _ *http.Request) {
		if call == n {
			happens()
		}
	}}
	violations := s.playIn(w, wire, func() {
		if more := v.logins(t) - logins; more > 2 {
			t.Errorf("%s, call %d: %d logins in one run", s.name, n, more)
		}
		repaired()
	})
	if i.unnoticed && wire.err != nil {
		t.Errorf("%s, call %d: the run failed: %v", s.name, n, wire.err)
	}
	if len(violations) > 0 {
		t.Errorf("%s, call %d: %s", s.name, n, strings.Join(violations, "; "))
	}
	v.remember(w)
	return wire.calls
}

// remember stores the secrets of an entry for the search of the audit log.
func (v *vaultServer) remember(w *world) {
	v.secrets = append(v.secrets, w.paistrike.Management)
	if record, _ := w.current(); record != nil && !record.Secret.IsZero() {
		v.secrets = append(v.secrets, record.Secret.Reveal())
	}
}

// searchAuditLog fails the test if Vault's audit log contains a secret in plain text.
func (v *vaultServer) searchAuditLog(t *testing.T) {
	t.Helper()
	log := v.auditLog(t)
	for _, secret := range v.secrets {
		if strings.Contains(log, secret) {
			t.Fatal("a secret is in Vault's audit log")
		}
	}
	if len(v.secrets) < 10 || !strings.Contains(log, `"path":"secret/data/team-`) {
		t.Errorf("%d secrets searched for in %d bytes", len(v.secrets), len(log))
	}
}
