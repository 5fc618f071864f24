package cli

import (
	"fmt"
	"strings"
	"testing"

	"github.com/paistrike/terraform-provider-paistrike/internal/input"
)

func execCommand() Command { return Command{Name: "exec", Inputs: input.Exec(), What: "a command"} }

func TestExecFlagsAreInputs(t *testing.T) {
	t.Parallel()
	for _, in := range execCommand().inputs() {
		args := []string{"--" + strings.ReplaceAll(in.Name, "_", "-"), "some-value", "--", "true"}
		got, err := execCommand().read(args, func(string) string { return "" })
		if in.Secret {
			if err == nil {
				t.Errorf("%s is a secret and a flag", in.Name)
			}
			got, err = execCommand().read([]string{"true"}, func(name string) string {
				return map[string]string{in.Variable(): "some-value"}[name]
			})
		}
		if err != nil || got.Values[in.Name] != "some-value" {
			t.Errorf("%s: %q, %v", in.Name, got.Values[in.Name], err)
		}
		if !strings.Contains(execCommand().usage(), fmt.Sprintf("  --%s", strings.ReplaceAll(in.Name, "_", "-"))) && !in.Secret {
			t.Errorf("%s is not in the help", in.Name)
		}
	}
}

func TestExecInsideGitHubReadsNoAddressFromTheEnvironment(t *testing.T) {
	t.Parallel()
	got, err := execCommand().read([]string{"true"}, func(name string) string {
		return map[string]string{
			"GITHUB_ACTIONS": "true", "VAULT_ADDR": "https://evil.example.com", "VAULT_TOKEN": "planted", "PAISTRIKE_ENDPOINT": "https://evil.example.com",
		}[name]
	})
	if err != nil || got.Values["endpoint"]+got.Values["vault_address"]+got.Values["vault_token"] != "" {
		t.Errorf("%v, %v", got, err)
	}
}
