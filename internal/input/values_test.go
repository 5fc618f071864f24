package input

import "testing"

func TestOnCommandLine(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"set allow_empty: true.":                        "set --allow-empty.",
		"- vault_path: is required":                     "- --vault-path: is required",
		"vault_token: is required":                      "PAISTRIKE_VAULT_TOKEN: is required",
		"or lower fail_on: none":                        "or lower --fail-on none",
		"auth/vault_role/x, my_vault_role, vault_roles": "auth/vault_role/x, my_vault_role, vault_roles",
		"Check vault_mount and vault_prefix (without)":  "Check --vault-mount and --vault-prefix (without)",
		"the endpoint is right":                         "the endpoint is right",
		"endpoint: is required":                         "--endpoint: is required",
	} {
		if got := OnCommandLine(text, Rotate()); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// Each input occurs once per command and has a description.
func TestTable(t *testing.T) {
	t.Parallel()
	for name, inputs := range map[string][]Input{"action": Token(), "exec": Exec(), "rotate": Rotate(), "audit": Audit()} {
		seen := map[string]bool{}
		for _, in := range inputs {
			if seen[in.Name] || in.Help == "" || in.Required && in.Default != "" {
				t.Errorf("%s: %+v", name, in)
			}
			seen[in.Name] = true
		}
	}
}
