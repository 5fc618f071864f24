// Package tfcli runs Terraform or OpenTofu with the provider of this checkout instead of a
// released one.
//
// It manages working directories, CLI configuration and output. It knows no server and no
// secret. The end-to-end tests and the benchmark use it; shipped programs do not.
package tfcli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Workspace is a working directory and the Terraform program that runs in it.
type Workspace struct {
	Program string
	Dir     string
	env     []string
}

// Output is the output of one command.
type Output struct{ Stdout, Stderr string }

// PlanFile is the name of the plan file that [Workspace.Plan] writes.
const PlanFile = "tfplan"

// New prepares dir for the program and the provider that [BuildProvider] wrote to
// providerDir. Commands inherit the environment without the variables of Terraform, Vault,
// PAIStrike and proxies. env is added to it.
func New(program, providerDir, dir string, env ...string) (*Workspace, error) {
	settings := "disable_checkpoint = true\n" + OverrideSettings(Source, providerDir)
	file := filepath.Join(dir, "cli.tfrc")
	if err := os.WriteFile(file, []byte(settings), 0o600); err != nil {
		return nil, err
	}
	w := &Workspace{Program: program, Dir: dir}
	for _, variable := range os.Environ() {
		if !foreign(variable) {
			w.env = append(w.env, variable)
		}
	}
	w.Setenv("HOME="+dir, "TF_CLI_CONFIG_FILE="+file, "TF_IN_AUTOMATION=1", "TF_INPUT=0", "CHECKPOINT_DISABLE=1")
	w.Setenv(env...)
	return w, nil
}

func foreign(variable string) bool {
	name, _, _ := strings.Cut(strings.ToUpper(variable), "=")
	for _, prefix := range []string{"TF_", "TFC_", "TERRAFORM_", "VAULT_", "PAISTRIKE_"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return strings.HasSuffix(name, "_PROXY") || strings.HasPrefix(name, "SSL_CERT_")
}

// Setenv sets variables, each NAME=value, for subsequent commands.
func (w *Workspace) Setenv(variables ...string) { w.env = append(w.env, variables...) }

// Environ returns the environment of the commands.
func (w *Workspace) Environ() []string { return slices.Clone(w.env) }

// Write writes a file in the directory.
func (w *Workspace) Write(name, content string) error {
	return os.WriteFile(filepath.Join(w.Dir, name), []byte(content), 0o600)
}

// Run runs one command. It returns the output even if the command fails.
func (w *Workspace) Run(ctx context.Context, args ...string) (Output, error) {
	cmd := exec.CommandContext(ctx, w.Program, args...) //nolint:gosec // the program is the caller's choice
	cmd.Dir, cmd.Env = w.Dir, w.env
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	out := Output{Stdout: stdout.String(), Stderr: stderr.String()}
	if err != nil {
		return out, fmt.Errorf("%s %s: %w\n%s%s", filepath.Base(w.Program), strings.Join(args, " "), err, out.Stdout, out.Stderr)
	}
	return out, nil
}

// Apply runs terraform apply without confirmation.
func (w *Workspace) Apply(ctx context.Context, args ...string) (Output, error) {
	return w.Run(ctx, append([]string{"apply", "-auto-approve", "-no-color"}, args...)...)
}

// Destroy runs terraform destroy without confirmation.
func (w *Workspace) Destroy(ctx context.Context, args ...string) (Output, error) {
	return w.Run(ctx, append([]string{"destroy", "-auto-approve", "-no-color"}, args...)...)
}

// Change is the planned change of one resource.
type Change struct {
	Address string
	Actions []string // "create", "update", "delete"; two actions are a replacement
	After   map[string]any
	// Importing reports whether the resource is imported first.
	Importing bool
}

// Plan saves a plan as [PlanFile] and returns its changes.
func (w *Workspace) Plan(ctx context.Context, args ...string) ([]Change, error) {
	if _, err := w.Run(ctx, append([]string{"plan", "-no-color", "-out=" + PlanFile}, args...)...); err != nil {
		return nil, err
	}
	shown, err := w.Run(ctx, "show", "-json", PlanFile)
	if err != nil {
		return nil, err
	}
	var plan struct {
		Changes []struct {
			Address string `json:"address"`
			Change  struct {
				Actions   []string        `json:"actions"`
				After     map[string]any  `json:"after"`
				Importing json.RawMessage `json:"importing"`
			} `json:"change"`
		} `json:"resource_changes"`
	}
	if err := json.Unmarshal([]byte(shown.Stdout), &plan); err != nil {
		return nil, fmt.Errorf("reading the plan: %w", err)
	}
	var changes []Change
	for _, c := range plan.Changes {
		if len(c.Change.Actions) == 1 && c.Change.Actions[0] == "no-op" && c.Change.Importing == nil {
			continue
		}
		changes = append(changes, Change{Address: c.Address, Actions: c.Change.Actions, After: c.Change.After, Importing: c.Change.Importing != nil})
	}
	return changes, nil
}

// State returns the attributes of every resource in the root module, by address.
func (w *Workspace) State(ctx context.Context) (map[string]map[string]any, error) {
	shown, err := w.Run(ctx, "show", "-json")
	if err != nil {
		return nil, err
	}
	var state struct {
		Values struct {
			Root struct {
				Resources []struct {
					Address string         `json:"address"`
					Values  map[string]any `json:"values"`
				} `json:"resources"`
			} `json:"root_module"`
		} `json:"values"`
	}
	if err := json.Unmarshal([]byte(shown.Stdout), &state); err != nil {
		return nil, fmt.Errorf("reading the state: %w", err)
	}
	resources := map[string]map[string]any{}
	for _, r := range state.Values.Root.Resources {
		resources[r.Address] = r.Values
	}
	return resources, nil
}
