package input

import (
	"regexp"
	"strings"
)

// Values are inputs by name, without white space at their ends.
type Values map[string]string

// Variable is the environment variable of an input: PAISTRIKE_VAULT_PATH is vault_path.
func (in Input) Variable() string { return "PAISTRIKE_" + strings.ToUpper(in.Name) }

// Flag is the flag of an input, without dashes: vault-path is vault_path.
func (in Input) Flag() string { return strings.ReplaceAll(in.Name, "_", "-") }

// Always reports that the input is required whatever the others are.
func (in Input) Always() bool { return in.Required && in.Store == "" }

// Described returns the help of the input, with the condition under which it is required.
func (in Input) Described() string {
	if in.Required && in.Store != "" {
		return in.Help + " Required with `store: " + in.Store + "`."
	}
	return in.Help
}

// FromRunner takes inputs from the environment, into which GitHub's runner puts them.
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

// kept are the inputs that the main step keeps for the post step: an expression in an input
// may have another value by then, and the token must go to no other server. Secrets are kept
// nowhere.
func (in Input) kept() bool { return !in.Secret && !in.Launcher }

// Plain returns the inputs of action/ that are kept for the post step and have a value other
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

// settings are values that a text may show behind the name of an input.
const settings = `(?:: (true|false|none|error|warn|skip|token|vault|aws|0)\b)?`

// OnCommandLine rewrites a text that names inputs for someone who sets flags and variables:
// "Set allow_empty: true" becomes "Set --allow-empty".
func OnCommandLine(text string, inputs []Input) string {
	for _, in := range inputs {
		if !strings.Contains(in.Name, "_") && !strings.Contains(text, in.Name+":") {
			continue // a word like any other
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
