package testparts

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
)

// Programs of tools/ that take seconds to build. Each is built once.
var (
	builtKV             = sync.OnceValues(func() (string, error) { return built("kv") })
	builtSecretsManager = sync.OnceValues(func() (string, error) { return built("secretsmanager") })
)

// built builds a program of tools/ and caches it until its sources change. Test binaries run
// in parallel, so one builds and the others wait.
func built(name string) (string, error) {
	dir, err := repository()
	if err != nil {
		return "", err
	}
	source := filepath.Join(dir, "tools", name)
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	cache = filepath.Join(cache, "paistrike-tools-test")
	if err := os.MkdirAll(cache, 0o750); err != nil {
		return "", err
	}
	key, err := fingerprint(source)
	if err != nil {
		return "", err
	}
	unlock, err := lock(filepath.Join(cache, name+".lock"))
	if err != nil {
		return "", err
	}
	defer unlock()
	path := filepath.Join(cache, name+"-"+key)
	if isFile(path) {
		return path, nil
	}
	return path, build(source, path)
}

func build(source, path string) error {
	half := path + ".new" // an interrupted build must not leave a file at path
	//nolint:gosec,noctx // fixed arguments; it may take its minute
	cmd := exec.Command("go", "build", "-mod=readonly", "-trimpath", "-ldflags", "-s -w", "-o", half, ".")
	cmd.Dir = source
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off", "GOFLAGS=")
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, bytes.TrimSpace(said))
	}
	return os.Rename(half, path)
}

// fingerprint returns a hash of the sources of a program.
func fingerprint(source string) (string, error) {
	files, err := filepath.Glob(filepath.Join(source, "*"))
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	for _, file := range files {
		if !isFile(file) || strings.HasSuffix(file, "_test.go") { // neither is compiled
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		sum.Write(fmt.Appendf(nil, "%s %d\n%s", filepath.Base(file), len(text), text))
	}
	return fmt.Sprintf("%x", sum.Sum(nil))[:16], nil
}
