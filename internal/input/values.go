package input

import (
	"regexp"
	"strings"
)

// Values maps names of inputs to values without surrounding white space.
type Values map[string]string

// Variable returns the environment variable of an input: PAISTRIKE_VAULT_PATH for vault_path.
func (in Input) Variable() string { return "PAISTRIKE_" + strings.ToUpper(in.Name) }

// Flag returns the flag of an input without dashes: vault-path for vault_path.
func (in Input) Flag() string { return strings.ReplaceAll(in.Name, "_", "-") }

// Always reports whether the input is required regardless of the other inputs.
func (in Input) Always() bool { return in.Required && in.Store == "" }

// Described returns the help of the input, with the condition under which it is required.
func (in Input) Described() string {
	if in.Required && in.Store != "" {
		return in.Help + " Required with `store: " + in.Store + "`."
	}
	return in.Help
}

// FromRunner reads inputs from the environment variables that GitHub's runner sets.
func FromRunner(inputs []Input, getenv func(string) string) Values {
	v := Values{}
	for _, in := range inputs {
		if in.Outside {
			continue
		}
		v[in.Name] = strings.TrimSpace(getenv("INPUT_" + strings.ToUpper(in.Name)))
		if v[in.Name] == "" {
			v[in.Name] = in.Default
		}
	}
	return v
}

// kept reports whether the main step saves the input for the post step. An expression in an
// input may have another value by then, and the token must not go to another server. Secrets
// are never saved.
func (in Input) kept() bool { return !in.Secret && !in.Launcher }

// Plain returns the inputs of action/ to save for the post step, if they differ from their
// defaults.
func (v Values) Plain() Values {
	kept := Values{}
	for _, in := range Token() {
		if in.kept() && v[in.Name] != in.Default {
			kept[in.Name] = v[in.Name]
		}
	}
	return kept
}

// Restore returns the main step's inputs of action/. Secret inputs have their current values.
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

// settings matches values that may follow the name of an input in a text.
const settings = `(?:: (true|false|none|error|warn|skip|token|vault|aws|0)\b)?`

// OnCommandLine rewrites a text that mentions inputs for a user of flags and variables: "Set
// allow_empty: true" becomes "Set --allow-empty".
func OnCommandLine(text string, inputs []Input) string {
	for _, in := range inputs {
		if !strings.Contains(in.Name, "_") && !strings.Contains(text, in.Name+":") {
			continue // an ordinary word
		}
		named := regexp.MustCompile(`(^|[^\w/-])` + in.Name + settings + `([^\w/-]|$)`)
		text = named.ReplaceAllStringFunc(text, func(match string) string {
			part := named.FindStringSubmatch(match)
			name, value := "--"+in.Flag(), part[2]
			switch {
			case in.Secret:
				name = in.Variable()
			case in.Bool && in.Default == "false" && value == "true":
				value = ""
			}
			if value != "" {
				name += " " + value
			}
			return part[1] + name + part[3]
		})
	}
	return text
}
