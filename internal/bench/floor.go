package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/paistrike/terraform-provider-paistrike/internal/tfcli"
)

// floorConfiguration declares the same number of resources of a provider without I/O, so that
// the time is Terraform's own.
const floorConfiguration = `
terraform {
  required_providers {
    time = { source = "hashicorp/time" }
  }
}

variable "incident" {
  default = "none"
}

resource "time_static" "bench" {
  count = %d
  triggers = {
    incident = var.incident
%s  }
}
`

// stateValues is the number of additional values of this length that make a time_static's
// state as long as a token's. Terraform copies and writes the whole state after each change,
// so its own time depends on the length.
const stateValues = 19

// floorProgram returns the path of the time provider from tools/build time, or "" if it is
// not built.
func floorProgram() string {
	root, err := tfcli.Repository()
	if err != nil {
		return ""
	}
	program := filepath.Join(root, ".tools", "time")
	if _, err := os.Stat(program); err != nil {
		return ""
	}
	return program
}

// newFloor returns a workspace with n resources of the time provider, each with more
// additional values in its state.
func (b *bench) newFloor(n, more int) (*tfcli.Workspace, error) {
	dir, err := os.MkdirTemp(b.dir, "floor-")
	if err != nil {
		return nil, err
	}
	if err := os.Symlink(b.floor, filepath.Join(dir, "terraform-provider-time")); err != nil {
		return nil, err
	}
	tf, err := tfcli.New(b.program, b.dir, dir)
	if err != nil {
		return nil, err
	}
	settings := "disable_checkpoint = true\n" + tfcli.OverrideSettings("hashicorp/time", dir)
	if err := tf.Write("floor.tfrc", settings); err != nil {
		return nil, err
	}
	tf.Setenv("TF_CLI_CONFIG_FILE=" + filepath.Join(dir, "floor.tfrc"))
	var values strings.Builder
	for i := range more {
		fmt.Fprintf(&values, "    value_%02d = \"as long as others: %02d\"\n", i, i)
	}
	return tf, tf.Write("main.tf", fmt.Sprintf(floorConfiguration, n, values.String()))
}
