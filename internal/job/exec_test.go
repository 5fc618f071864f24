package job

import (
	"slices"
	"testing"
)

func TestExecChildEnvironment(t *testing.T) {
	t.Parallel()
	got := childEnv([]string{"A=1", "PAISTRIKE_VAULT_SECRET_ID=s", "PAISTRIKE_VAULT_TOKEN=s", "INPUT_X=s", "VAULT_TOKEN=own", "T=old"}, "T")
	if want := []string{"A=1", "VAULT_TOKEN=own"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// Blanking an environment block preserves its structure and removes only the secrets.
func TestBlank(t *testing.T) {
	t.Parallel()
	block := []byte("A=1\x00VAULT_TOKEN=hvs.1\x00odd\x00PAISTRIKE_VAULT_SECRET_ID=s=t\x00PAISTRIKE_VAULT_PATH=ci\x00INPUT_HEADERS=x\x00")
	blank(block)
	if want := "A=1\x00VAULT_TOKEN=*****\x00odd\x00PAISTRIKE_VAULT_SECRET_ID=***\x00PAISTRIKE_VAULT_PATH=ci\x00INPUT_HEADERS=*\x00"; string(block) != want {
		t.Errorf("%q", block)
	}
}
