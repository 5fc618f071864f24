package tfcli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Programs returns the paths of the Terraform programs to run: those listed in TF_CLIS,
// separated by colons; otherwise terraform or tofu from PATH; otherwise the OpenTofu that
// tools/build installed in .tools.
func Programs() ([]string, error) {
	var found []string
	for name := range strings.SplitSeq(os.Getenv("TF_CLIS"), ":") {
		if name == "" {
			continue
		}
		path, err := exec.LookPath(name)
		if err != nil {
			return nil, fmt.Errorf("TF_CLIS: %w", err)
		}
		if path, err = filepath.Abs(path); err != nil {
			return nil, err
		}
		found = append(found, path)
	}
	if len(found) > 0 {
		return found, nil
	}
	for _, name := range []string{"terraform", "tofu"} {
		if path, err := exec.LookPath(name); err == nil {
			return []string{path}, nil
		}
	}
	root, err := Repository()
	if err != nil {
		return nil, err
	}
	built := filepath.Join(root, ".tools", "tofu")
	if _, err := os.Stat(built); err != nil {
		return nil, errors.New("neither terraform nor tofu is on PATH: install one, or build OpenTofu with tools/build tofu")
	}
	return []string{built}, nil
}

// Repository returns the root directory of the checkout that contains the working directory.
func Repository() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "terraform-registry-manifest.json")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("this does not run inside the repository")
		}
		dir = filepath.Dir(dir)
	}
}

// BuildProvider compiles the provider of this checkout into dir.
func BuildProvider(ctx context.Context, dir string) error {
	root, err := Repository()
	if err != nil {
		return err
	}
	//nolint:gosec // fixed arguments
	cmd := exec.CommandContext(ctx, "go", "build", "-o", filepath.Join(dir, "terraform-provider-paistrike"), ".")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building the provider: %w\n%s", err, said)
	}
	return nil
}
