//go:build release

// Package release_test checks the files of a release and uses them: names and checksums as
// the Terraform Registry requires, the action's programs and archives, whether Terraform can
// install the provider from the zip and use it, and whether the tagged action runs the
// released program. tools/release-check makes the release and runs this package:
//
//	RELEASE_ASSETS   folder with all that is published
//	RELEASE_VERSION  version of the release
//	RELEASE_ACTION   checkout of the tag
//	RELEASE_THIN     the action as a repository of its own
//	RELEASE_NODE     Node 24
//	RELEASE_TARGETS  systems that were built for; all if empty
package release_test

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/testparts"
	"github.com/paistrike/terraform-provider-paistrike/internal/tfcli"
)

const project = "terraform-provider-paistrike"

// variable returns a variable that tools/release-check sets.
func variable(t *testing.T, name string) string {
	t.Helper()
	value := os.Getenv(name)
	if value == "" {
		t.Fatal("tools/release-check runs this test, and sets " + name)
	}
	return value
}

// published returns the names of a release's files.
func published(t *testing.T) (folder, version string, names []string) {
	t.Helper()
	folder = variable(t, "RELEASE_ASSETS")
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return folder, variable(t, "RELEASE_VERSION"), names
}

// targets returns the platforms of the action, such as linux_amd64.
func targets() []string {
	all := os.Getenv("RELEASE_TARGETS")
	if all == "" {
		all = "linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64"
	}
	return strings.Fields(strings.ReplaceAll(all, "/", "_"))
}

func read(t *testing.T, elements ...string) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(elements...))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func digest(raw []byte) string {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

var zipName = regexp.MustCompile(`^` + project + `_([0-9]+\.[0-9]+\.[0-9]+[-0-9A-Za-z.]*)_([a-z]+)_([a-z0-9]+)\.zip$`)

// zips returns the provider's archives, and the version in their names.
func zips(t *testing.T) (folder, version string, found []string) {
	t.Helper()
	folder, want, names := published(t)
	for _, name := range names {
		if match := zipName.FindStringSubmatch(name); match != nil {
			version, found = match[1], append(found, name)
		} else if strings.HasSuffix(name, ".zip") {
			t.Errorf("%s is no name that the Registry takes", name)
		}
	}
	if len(found) == 0 || version != want {
		t.Fatalf("there is no zip of version %s among %v", want, names)
	}
	return folder, version, found
}

// Each zip contains only the provider, under the name that Terraform requires.
func TestZipsHoldTheProviderAlone(t *testing.T) {
	t.Parallel()
	folder, version, names := zips(t)
	for _, name := range names {
		archive, err := zip.OpenReader(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		want := project + "_v" + version
		if strings.Contains(name, "_windows_") {
			want += ".exe"
		}
		if len(archive.File) != 1 || archive.File[0].Name != want || archive.File[0].Mode()&0o111 == 0 {
			t.Errorf("%s holds %d files, the first is %s (%s), want %s", name, len(archive.File), archive.File[0].Name, archive.File[0].Mode(), want)
		}
		if err := archive.Close(); err != nil {
			t.Error(err)
		}
	}
}

// SHA256SUMS lists the zips and the manifest, and no file of the action, because the Registry
// treats every line as a file of the provider.
func TestSumsListWhatTheRegistryReads(t *testing.T) {
	t.Parallel()
	folder, version, names := zips(t)
	manifest := project + "_" + version + "_manifest.json"
	want := append([]string{manifest}, names...)
	var listed []string
	for line := range strings.Lines(string(read(t, folder, project+"_"+version+"_SHA256SUMS"))) {
		sum, name, ok := strings.Cut(strings.TrimSpace(line), "  ")
		if !ok {
			t.Fatalf("a line without a name: %q", line)
		}
		listed = append(listed, name)
		if got := digest(read(t, folder, name)); got != sum {
			t.Errorf("%s: SHA-256 is %s, listed as %s", name, got, sum)
		}
	}
	slices.Sort(listed)
	slices.Sort(want)
	if !slices.Equal(listed, want) {
		t.Errorf("listed %v, want %v", listed, want)
	}
	var m struct {
		Version  int
		Metadata struct {
			Protocols []string `json:"protocol_versions"`
		}
	}
	if err := json.Unmarshal(read(t, folder, manifest), &m); err != nil || m.Version != 1 || !slices.Equal(m.Metadata.Protocols, []string{"6.0"}) {
		t.Errorf("the manifest says %+v, %v", m, err)
	}
}

const configuration = `
terraform {
  required_providers {
    paistrike = { source = "paistrike/paistrike", version = %q }
  }
}

resource "paistrike_api_token" "ci" {
  name       = "CI/CD Pipeline"
  expires_in = "90d"
  vault      = { mount = "secret", path = "ci/paistrike" }
}
`

// Terraform installs the zip as from a mirror, and the provider works.
func TestZipInstallsAndApplies(t *testing.T) {
	t.Parallel()
	folder, version, _ := zips(t)
	programs, err := tfcli.Programs()
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("%s_%s_%s_%s.zip", project, version, runtime.GOOS, runtime.GOARCH)
	mirror := t.TempDir()
	for _, registry := range []string{"registry.terraform.io", "registry.opentofu.org"} {
		place := filepath.Join(mirror, registry, "paistrike", "paistrike")
		if err := os.MkdirAll(place, 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(place, name), read(t, folder, name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	account := testparts.NewAccount(t, "Terraform", time.Time{})
	vault, root := testparts.KV(t)
	tf, err := tfcli.New(programs[0], t.TempDir(), t.TempDir(),
		"PAISTRIKE_ENDPOINT="+account.Listen(t, nil), "PAISTRIKE_API_TOKEN="+account.Management, "VAULT_ADDR="+vault, "VAULT_TOKEN="+root)
	if err != nil {
		t.Fatal(err)
	}
	if err := tf.Write("cli.tfrc", fmt.Sprintf("provider_installation {\n  filesystem_mirror {\n    path = %q\n  }\n}\n", mirror)); err != nil {
		t.Fatal(err)
	}
	// Terraform looks up mirror versions in lower case; a snapshot's version has capital
	// letters.
	if err := tf.Write("main.tf", fmt.Sprintf(configuration, strings.ToLower(version))); err != nil {
		t.Fatal(err)
	}
	said, err := tf.Run(t.Context(), "init", "-no-color")
	if err != nil || !strings.Contains(said.Stdout, strings.ToLower(version)) {
		t.Fatalf("%v\n%s", err, said.Stdout)
	}
	if _, err := tf.Apply(t.Context()); err != nil {
		t.Fatal(err)
	}
	changes, err := tf.Plan(t.Context())
	if err != nil || len(changes) > 0 {
		t.Errorf("a second plan has %v, %v", changes, err)
	}
	if _, err := tf.Destroy(t.Context()); err != nil {
		t.Fatal(err)
	}
}
