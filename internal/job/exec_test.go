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
