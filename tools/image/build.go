package main

import (
	"archive/tar"
	"bytes"
	"encoding/pem"
	"io"
	"maps"
	"slices"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

const (
	program = "paistrike-action"
	// nobody is an unprivileged user, as in the distroless images.
	nobody = "65532:65532"
	source = "https://github.com/paistrike/terraform-provider-paistrike"
)

// build returns one image for all platforms. Platforms have the form linux/amd64.
func build(version string, created time.Time, programs map[string][]byte) (v1.ImageIndex, error) {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, target := range slices.Sorted(maps.Keys(programs)) {
		platform, err := v1.ParsePlatform(target)
		if err != nil {
			return nil, err
		}
		image, err := imageOf(version, created, *platform, programs[target])
		if err != nil {
			return nil, err
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{Platform: platform}})
	}
	return index, nil
}

func imageOf(version string, created time.Time, platform v1.Platform, binary []byte) (v1.Image, error) {
	roots, err := layer(created, file{"etc/ssl/certs/ca-certificates.crt", 0o644, authorities()})
	if err != nil {
		return nil, err
	}
	layered, err := layer(created, file{program, 0o755, binary})
	if err != nil {
		return nil, err
	}
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	for _, one := range []v1.Layer{roots, layered} { // the layer that changes least often comes first
		if image, err = mutate.Append(image, mutate.Addendum{Layer: one, MediaType: types.OCILayer, History: v1.History{Created: v1.Time{Time: created}, CreatedBy: "tools/image"}}); err != nil {
			return nil, err
		}
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture, config.Created = platform.OS, platform.Architecture, v1.Time{Time: created}
	config.Config = v1.Config{
		User: nobody, Entrypoint: []string{"/" + program}, WorkingDir: "/",
		Env: []string{"PATH=/", "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt"},
		Labels: map[string]string{
			"org.opencontainers.image.source": source, "org.opencontainers.image.version": version, "org.opencontainers.image.licenses": "MPL-2.0",
			"org.opencontainers.image.title": program,
		},
	}
	return mutate.ConfigFile(image, config)
}

// file is one file of a layer. Its path has no leading slash.
type file struct {
	path string
	mode int64
	body []byte
}

// layer packs a file that is owned by root and read-only for others.
func layer(created time.Time, f file) (v1.Layer, error) {
	var packed bytes.Buffer
	archive := tar.NewWriter(&packed)
	if err := archive.WriteHeader(&tar.Header{Name: f.path, Mode: f.mode, Size: int64(len(f.body)), ModTime: created, Typeflag: tar.TypeReg, Format: tar.FormatPAX}); err != nil {
		return nil, err
	}
	if _, err := archive.Write(f.body); err != nil {
		return nil, err
	}
	if err := archive.Close(); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(packed.Bytes())), nil }, tarball.WithMediaType(types.OCILayer))
}

// authorities returns the certificate authorities that Mozilla trusts without constraints, as
// PEM. The image is built from scratch, and without them the program trusts no server.
func authorities() []byte {
	var all bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint != nil {
			continue
		}
		_ = pem.Encode(&all, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}) // a buffer never fails
	}
	return all.Bytes()
}
