package tfcli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
)

// Source is the provider's source address in required_providers.
const Source = "paistrike/paistrike"

// addresses returns a provider's address in both registries. OpenTofu resolves a source
// without a host in its own registry.
func addresses(source string) [2]string {
	return [2]string{"registry.terraform.io/" + source, "registry.opentofu.org/" + source}
}

// Mirror creates a filesystem mirror in dir with the provider program under a version such as
// 0.1.0, for this machine's platform. It replaces an existing copy of that version.
// https://developer.hashicorp.com/terraform/cli/config/config-file#explicit-installation-method-configuration
func Mirror(dir, program, version string) error {
	for _, address := range addresses(Source) {
		folder := filepath.Join(dir, filepath.FromSlash(address), version, runtime.GOOS+"_"+runtime.GOARCH)
		if err := os.MkdirAll(folder, 0o750); err != nil {
			return err
		}
		if err := replace(filepath.Join(folder, "terraform-provider-paistrike_v"+version), program); err != nil {
			return err
		}
	}
	return nil
}

// replace copies a program and renames it into place, because a running program cannot be
// overwritten.
func replace(target, source string) error {
	from, err := os.Open(source) //nolint:gosec // the caller's own choice of program
	if err != nil {
		return err
	}
	defer func() { _ = from.Close() }()
	to, err := os.CreateTemp(filepath.Dir(target), ".new-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(to.Name()) }() // fails after the rename
	if _, err := io.Copy(to, from); err != nil {
		_ = to.Close()
		return err
	}
	if err := to.Close(); err != nil {
		return err
	}
	if err := os.Chmod(to.Name(), 0o755); err != nil { //nolint:gosec // it is to be run
		return err
	}
	return os.Rename(to.Name(), target)
}

// MirrorSettings returns a CLI configuration that installs the provider from a mirror and
// every other provider as usual.
func MirrorSettings(dir string) string {
	at := addresses(Source)
	return fmt.Sprintf("provider_installation {\n  filesystem_mirror {\n    path    = %q\n    include = [%q, %q]\n  }\n  direct {\n    exclude = [%q, %q]\n  }\n}\n",
		dir, at[0], at[1], at[0], at[1])
}

// OverrideSettings returns a CLI configuration that runs the provider in a folder, regardless
// of version constraints. Skip terraform init: it fails with this configuration while no
// registry has the provider.
func OverrideSettings(source, folder string) string {
	at := addresses(source)
	return fmt.Sprintf("provider_installation {\n  dev_overrides {\n    %q = %q\n    %q = %q\n  }\n  direct {}\n}\n", at[0], folder, at[1], folder)
}
