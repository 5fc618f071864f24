package testparts

import (
	"net/http"
	"testing"
)

// AskVault sends a request to a path below /v1/ with the root token, reads the answer into
// out, and fails the test unless the answer is a good one.
type AskVault func(method, path string, in, out any)

// AppRole lets a machine log in to a Vault server with an AppRole that has the settings, such
// as token_policies. It enables the login if that is not enabled yet, and returns the
// role's id and a new secret id.
func AppRole(t testing.TB, ask AskVault, name string, settings map[string]any) (roleID, secretID string) {
	t.Helper()
	var enabled struct{ Data map[string]any }
	ask(http.MethodGet, "sys/auth", nil, &enabled)
	if _, there := enabled.Data["approle/"]; !there {
		ask(http.MethodPost, "sys/auth/approle", map[string]string{"type": "approle"}, nil)
	}
	role := "auth/approle/role/" + name
	ask(http.MethodPost, role, settings, nil)
	var made struct {
		Data struct {
			RoleID   string `json:"role_id"`
			SecretID string `json:"secret_id"`
		}
	}
	ask(http.MethodGet, role+"/role-id", nil, &made)
	ask(http.MethodPost, role+"/secret-id", map[string]string{}, &made)
	return made.Data.RoleID, made.Data.SecretID
}

// AsRoot asks the Vault at an address with a token.
func AsRoot(t testing.TB, address, token string) AskVault {
	return func(method, path string, in, out any) {
		t.Helper()
		Ask(t, method, address+"/v1/"+path, token, in, out)
	}
}

// AsRoot asks the server with its root token.
func (v *VaultServer) AsRoot(t testing.TB) AskVault {
	return func(method, path string, in, out any) {
		t.Helper()
		v.Must(t, method, path, v.Token, in, out)
	}
}
