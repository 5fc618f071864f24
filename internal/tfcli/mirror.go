package tfcli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
)

// Source is the provider's in required_providers.
const Source = "paistrike/paistrike"

// addresses are a provider's under both registries: OpenTofu reads a source without a
// host as its own registry's.
func addresses(source string) [2]string {
	return [2]string{"registry.terraform.io/" + source, "registry.opentofu.org/" + source}
}

// Mirror makes dir a filesystem mirror that holds the given provider program as the given
// version, such as 0.1.0, for this machine's system. A version that is there already is
// replaced.
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

// replace copies a program into place by a rename, because one that runs cannot be
// written to.
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
	defer func() { _ = os.Remove(to.Name()) }() // it is gone after the rename
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

// MirrorSettings is a CLI configuration that installs the provider from a mirror, and
// every other provider as usual.
func MirrorSettings(dir string) string {
	at := addresses(Source)
	return fmt.Sprintf("provider_installation {\n  filesystem_mirror {\n    path    = %q\n    include = [%q, %q]\n  }\n  direct {\n    exclude = [%q, %q]\n  }\n}\n",
		dir, at[0], at[1], at[0], at[1])
}

// OverrideSettings is a CLI configuration that runs the provider of a source in a folder,
// whatever version a configuration asks for. It needs no terraform init, which fails with it
// as long as no registry has the provider.
func OverrideSettings(source, folder string) string {
	at := addresses(source)
	return fmt.Sprintf("provider_installation {\n  dev_overrides {\n    %q = %q\n    %q = %q\n  }\n  direct {}\n}\n", at[0], folder, at[1], folder)
}
