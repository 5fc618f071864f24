package main

import (
	"archive/tar"
	"bytes"
	"crypto/x509"
	"errors"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// Two builds of an image are identical. The image pulled from a registry contains the program
// for the platform and the certificate authorities, and does not run as root.
func TestImageFromBuildToRegistry(t *testing.T) {
	t.Parallel()
	programs := map[string]string{"linux/amd64": "the program of one machine", "linux/arm64": "that of another"}
	args := []string{"build", "-version", "1.2.3", "-created", "1767225600"}
	targets := []string{}
	for target, body := range programs {
		file := filepath.Join(t.TempDir(), "program")
		if err := os.WriteFile(file, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
		targets = append(targets, target+"="+file)
	}
	built := func(folder string) string {
		t.Helper()
		var out bytes.Buffer
		if err := run(append(append(args, "-out", folder), targets...), &out); err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(out.String())
	}
	folder := filepath.Join(t.TempDir(), "one")
	digest := built(folder)
	if again := built(filepath.Join(t.TempDir(), "two")); again != digest {
		t.Errorf("built as %s, and again as %s", digest, again)
	}
	server := httptest.NewServer(registry.New())
	t.Cleanup(server.Close)
	where := strings.TrimPrefix(server.URL, "http://") + "/paistrike/paistrike-action"
	var out bytes.Buffer
	if err := run([]string{"push", folder, where, "1.2.3", "latest"}, &out); err != nil || out.String() != where+"@"+digest+"\n" {
		t.Fatalf("%q, %v", out.String(), err)
	}
	for target, body := range programs {
		for _, tag := range []string{"1.2.3", "latest"} {
			image := pull(t, where+":"+tag, target)
			config, err := image.ConfigFile()
			if err != nil {
				t.Fatal(err)
			}
			if got := config.OS + "/" + config.Architecture; got != target || config.Config.User != "65532:65532" || config.Config.Entrypoint[0] != "/paistrike-action" {
				t.Errorf("%s: for %s, as user %s, runs %v", target, got, config.Config.User, config.Config.Entrypoint)
			}
			files := contents(t, image)
			if len(files) != 2 || files["paistrike-action"] != body {
				t.Errorf("%s: holds %d files, the program is %q", target, len(files), files["paistrike-action"])
			}
			pool := x509.NewCertPool()
			if text := files[strings.TrimPrefix(variable(config.Config.Env, "SSL_CERT_FILE"), "/")]; !pool.AppendCertsFromPEM([]byte(text)) || strings.Count(text, "BEGIN CERT") < 100 {
				t.Errorf("%s: the authorities are %d bytes", target, len(text))
			}
		}
	}
}

func variable(env []string, name string) string {
	for _, one := range env {
		if value, ok := strings.CutPrefix(one, name+"="); ok {
			return value
		}
	}
	return ""
}

func pull(t *testing.T, from, target string) v1.Image {
	t.Helper()
	platform, err := v1.ParsePlatform(target)
	if err != nil {
		t.Fatal(err)
	}
	reference, err := name.ParseReference(from)
	if err != nil {
		t.Fatal(err)
	}
	image, err := remote.Image(reference, remote.WithPlatform(*platform))
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Image(image); err != nil {
		t.Error(err)
	}
	return image
}

// contents returns the files of all layers, by path.
func contents(t *testing.T, image v1.Image) map[string]string {
	t.Helper()
	layers, err := image.Layers()
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, layer := range layers {
		packed, err := layer.Uncompressed()
		if err != nil {
			t.Fatal(err)
		}
		archive := tar.NewReader(packed)
		for {
			header, err := archive.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(archive)
			if err != nil {
				t.Fatal(err)
			}
			if header.Uid != 0 || header.Mode&0o022 != 0 {
				t.Errorf("%s belongs to %d, mode %o", header.Name, header.Uid, header.Mode)
			}
			files[header.Name] = string(body)
		}
	}
	return files
}

// Invalid arguments are rejected before anything is written.
func TestImageRefuses(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for _, args := range [][]string{
		nil, {"build"}, {"push", folder}, {"build", "-version", "1.2.3", "-created", "1", "-out", folder},
		{"build", "-version", "1.2.3", "-created", "1", "-out", folder, "linux/amd64"},
		{"build", "-version", "1.2.3", "-created", "1", "-out", folder, "linux/amd64=/nowhere"},
		{"push", folder, "127.0.0.1:1/none", "1.2.3"},
	} {
		if err := run(args, io.Discard); err == nil {
			t.Errorf("image %v went well", args)
		}
	}
}
