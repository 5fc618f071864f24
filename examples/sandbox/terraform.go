package main

import (
	"flag"
	"path/filepath"
	"strings"

	"github.com/paistrike/terraform-provider-paistrike/internal/tfcli"
)

// terraform configures Terraform and OpenTofu to find the provider of this checkout without a
// registry.
type terraform struct {
	cliConfig string // file to write; "" for none
	provider  string // the provider's program
	version   string // version under which the provider is installed
	overrides bool   // run the provider in place instead of installing it
}

func (t *terraform) flags(flags *flag.FlagSet) {
	flags.StringVar(&t.cliConfig, "cli-config", "", "`file` that gets a CLI configuration with which Terraform and OpenTofu find the provider; empty = none")
	flags.StringVar(&t.provider, "provider", "bin/terraform-provider-paistrike", "`program` of the provider, for -cli-config")
	flags.StringVar(&t.version, "provider-version", "0.1.0", "`version` under which terraform init installs it")
	flags.BoolVar(&t.overrides, "dev-overrides", false, "run the program where it lies, without terraform init, so that it can be built anew")
}

// write writes the CLI configuration, and returns the variable with its path.
func (t *terraform) write() (env []string, err error) {
	if t.cliConfig == "" {
		return nil, nil
	}
	file, err := filepath.Abs(t.cliConfig)
	if err != nil {
		return nil, err
	}
	program, err := filepath.Abs(t.provider)
	if err != nil {
		return nil, err
	}
	settings := tfcli.OverrideSettings(tfcli.Source, filepath.Dir(program))
	if !t.overrides {
		mirror := strings.TrimSuffix(file, filepath.Ext(file)) + ".mirror"
		if err := tfcli.Mirror(mirror, program, t.version); err != nil {
			return nil, err
		}
		settings = tfcli.MirrorSettings(mirror)
	}
	return []string{"TF_CLI_CONFIG_FILE=" + file}, writeFresh(file, settings)
}

// exports formats variables, each NAME=value, as export lines for a shell.
func exports(env []string) string {
	var lines strings.Builder
	for _, variable := range env {
		name, value, _ := strings.Cut(variable, "=")
		lines.WriteString("export " + name + "=" + quote(value) + "\n")
	}
	return lines.String()
}

// quote quotes a word for a shell if necessary.
func quote(word string) string {
	if !strings.ContainsAny(word, " \t\n'\"\\$`&|;<>()*?[]#~!{}") {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
