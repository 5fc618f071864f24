// Command image builds the container image of the command-line program without a Docker
// engine: an empty base, the certificate authorities that Mozilla trusts, the program, and a
// user other than root. The same programs result in the same image, byte for byte.
//
//	image build -version 1.2.3 -created 1767225600 -out DIR linux/amd64=FILE linux/arm64=FILE
//	image push DIR REGISTRY/NAME TAG...
//
// build writes an OCI image layout
// (https://github.com/opencontainers/image-spec/blob/main/image-layout.md) and prints the
// image's digest. push sends it to a registry and prints the reference by digest. Its
// credentials come from the user's Docker configuration, or from GITHUB_TOKEN for GitHub's
// registry.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/authn/github"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

var errUsage = errors.New("usage: image build -version VERSION -created SECONDS -out DIR OS/ARCH=FILE... | image push DIR NAME TAG..., with at least one FILE and TAG")

func run(args []string, out io.Writer) error {
	switch {
	case len(args) > 1 && args[0] == "build":
		return buildCommand(args[1:], out)
	case len(args) > 3 && args[0] == "push":
		return push(args[1], args[2], args[3:], out)
	}
	return errUsage
}

func buildCommand(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("image build", flag.ContinueOnError)
	version := flags.String("version", "", "version of the program")
	created := flags.Int64("created", 0, "when the image was made, in seconds since 1970")
	folder := flags.String("out", "", "folder for the image layout")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *version == "" || *created == 0 || *folder == "" || flags.NArg() == 0 {
		return errUsage
	}
	programs := map[string][]byte{}
	for _, argument := range flags.Args() {
		target, file, ok := strings.Cut(argument, "=")
		if !ok {
			return errUsage
		}
		raw, err := os.ReadFile(filepath.Clean(file))
		if err != nil {
			return err
		}
		programs[target] = raw
	}
	index, err := build(*version, time.Unix(*created, 0).UTC(), programs)
	if err != nil {
		return err
	}
	return write(index, *folder, out)
}

// write writes an image layout to a new folder and prints the image's digest.
func write(index v1.ImageIndex, folder string, out io.Writer) error {
	if _, err := os.Stat(folder); err == nil {
		return fmt.Errorf("%s is there already", folder)
	}
	if _, err := layout.Write(folder, index); err != nil {
		return err
	}
	digest, err := index.Digest()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, digest)
	return err
}

// push pushes an image layout to a registry under the given tags.
func push(folder, repository string, tags []string, out io.Writer) error {
	path, err := layout.FromPath(folder)
	if err != nil {
		return err
	}
	index, err := path.ImageIndex()
	if err != nil {
		return err
	}
	digest, err := index.Digest()
	if err != nil {
		return err
	}
	for _, tag := range tags {
		reference, err := name.NewTag(repository+":"+tag, name.StrictValidation)
		if err != nil {
			return err
		}
		if err := remote.WriteIndex(reference, index, remote.WithAuthFromKeychain(authn.NewMultiKeychain(authn.DefaultKeychain, github.Keychain))); err != nil {
			return fmt.Errorf("pushing %s: %w", reference, err)
		}
	}
	_, err = fmt.Fprintf(out, "%s@%s\n", repository, digest)
	return err
}
