package main

import (
	"archive/zip"
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/paistrike/terraform-provider-paistrike/internal/tfcli"
)

//go:embed main.tf
var configuration string

// terraform runs a Terraform or OpenTofu CLI with the provider built from this checkout.
type terraform struct {
	binary string
	dir    string
	env    []string
}

func newTerraform(dir, main string, env []string) (terraform, error) {
	binary, err := findCLI()
	if err != nil {
		return terraform{}, err
	}
	bin, err := filepath.Abs("bin")
	if err != nil {
		return terraform{}, err
	}
	if _, err := os.Stat(filepath.Join(bin, "terraform-provider-paistrike")); err != nil {
		return terraform{}, errors.New("the provider is not built yet: run make demo in the repository's top folder")
	}
	settings := "disable_checkpoint = true\n" + tfcli.OverrideSettings(tfcli.Source, bin)
	file := filepath.Join(dir, "cli.tfrc")
	if err := errors.Join(os.WriteFile(file, []byte(settings), 0o600), os.WriteFile(filepath.Join(dir, "main.tf"), []byte(main), 0o600)); err != nil {
		return terraform{}, err
	}
	env = append(env, "TF_CLI_CONFIG_FILE="+file, "TF_IN_AUTOMATION=1", "TF_INPUT=0", "CHECKPOINT_DISABLE=1")
	for _, variable := range os.Environ() {
		if !slices.ContainsFunc([]string{"TF_", "VAULT_", "AWS_", "PAISTRIKE_"}, func(own string) bool { return strings.HasPrefix(variable, own) }) {
			env = append(env, variable)
		}
	}
	return terraform{binary: binary, dir: dir, env: env}, nil
}

// findCLI prefers a CLI on PATH to the OpenTofu built from source.
func findCLI() (string, error) {
	for _, name := range []string{"terraform", "tofu"} {
		if found, err := exec.LookPath(name); err == nil {
			return found, nil
		}
	}
	built, err := filepath.Abs(filepath.Join(".tools", "tofu"))
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(built); err != nil {
		return "", errors.New("neither terraform nor tofu is on PATH: run make demo, which builds OpenTofu")
	}
	return built, nil
}

func (t terraform) run(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, t.binary, args...)
	cmd.Dir, cmd.Env = t.dir, t.env
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%s %s: %w\n%s%s", filepath.Base(t.binary), args[0], err, stdout.String(), stderr.String())
	}
	return stdout.Bytes(), nil
}

func (t terraform) apply(ctx context.Context) error {
	_, err := t.run(ctx, "apply", "-auto-approve", "-no-color")
	return err
}

func (t terraform) destroy(ctx context.Context) error {
	_, err := t.run(ctx, "destroy", "-auto-approve", "-no-color")
	return err
}

// planned is the planned change of one resource.
type planned struct {
	address string
	actions []string
	reason  string
}

// plan saves a plan and returns its changes.
func (t terraform) plan(ctx context.Context) ([]planned, error) {
	if _, err := t.run(ctx, "plan", "-out=tfplan", "-no-color"); err != nil {
		return nil, err
	}
	raw, err := t.run(ctx, "show", "-json", "tfplan")
	if err != nil {
		return nil, err
	}
	var plan struct {
		Changes []struct {
			Address string `json:"address"`
			Change  struct {
				Actions []string       `json:"actions"`
				After   map[string]any `json:"after"`
			} `json:"change"`
		} `json:"resource_changes"`
	}
	if err := json.Unmarshal(raw, &plan); err != nil {
		return nil, err
	}
	var changes []planned
	for _, c := range plan.Changes {
		if len(c.Change.Actions) == 1 && c.Change.Actions[0] == "no-op" {
			continue
		}
		reason, _ := c.Change.After["rotation_reason"].(string)
		changes = append(changes, planned{address: c.Address, actions: c.Change.Actions, reason: reason})
	}
	return changes, nil
}

// written returns everything that Terraform writes: the state, the unpacked saved plan, and both
// as JSON.
func (t terraform) written(ctx context.Context) (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, name := range []string{"terraform.tfstate", "tfplan"} {
		raw, err := os.ReadFile(filepath.Join(t.dir, name))
		if err != nil {
			return nil, err
		}
		files[name] = raw
	}
	archive, err := zip.NewReader(bytes.NewReader(files["tfplan"]), int64(len(files["tfplan"])))
	if err != nil {
		return nil, err
	}
	for _, part := range archive.File {
		reader, err := part.Open()
		if err != nil {
			return nil, err
		}
		raw, err := io.ReadAll(reader)
		if err = errors.Join(err, reader.Close()); err != nil {
			return nil, err
		}
		files["tfplan/"+part.Name] = raw
	}
	for name, args := range map[string][]string{"state as JSON": {"show", "-json"}, "plan as JSON": {"show", "-json", "tfplan"}} {
		raw, err := t.run(ctx, args...)
		if err != nil {
			return nil, err
		}
		files[name] = raw
	}
	return files, nil
}
