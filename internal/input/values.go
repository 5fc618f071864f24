package input

import "strings"

// Values are inputs by name, without white space at their ends.
type Values map[string]string

// Variable is the environment variable of an input: PAISTRIKE_VAULT_PATH is vault_path.
func (in Input) Variable() string { return "PAISTRIKE_" + strings.ToUpper(in.Name) }

// Flag is the flag of an input, without dashes: vault-path is vault_path.
func (in Input) Flag() string { return strings.ReplaceAll(in.Name, "_", "-") }

// FromRunner takes inputs from the environment, into which GitHub's runner puts them.
func FromRunner(inputs []Input, getenv func(string) string) Values {
	v := Values{}
	for _, in := range inputs {
		v[in.Name] = strings.TrimSpace(getenv("INPUT_" + strings.ToUpper(in.Name)))
		if v[in.Name] == "" {
			v[in.Name] = in.Default
		}
	}
	return v
}

// kept are the inputs that the main step keeps for the post step: an expression in an input
// may have another value by then, and the token must go to no other server. Secrets are kept
// nowhere.
func (in Input) kept() bool { return !in.Secret && !in.Launcher }

// Plain returns the inputs of action/ that are kept for the post step and have another value
// than their default.
func (v Values) Plain() Values {
	kept := Values{}
	for _, in := range Token() {
		if in.kept() && v[in.Name] != in.Default {
			kept[in.Name] = v[in.Name]
		}
	}
	return kept
}

// Restore returns the inputs of action/ as they were in the main step, and the secret ones as
// they are now.
func (v Values) Restore(kept Values) Values {
	restored := Values{}
	for _, in := range Token() {
		restored[in.Name] = v[in.Name]
		if in.kept() {
			restored[in.Name] = in.Default
			if value, ok := kept[in.Name]; ok {
				restored[in.Name] = value
			}
		}
	}
	return restored
}
