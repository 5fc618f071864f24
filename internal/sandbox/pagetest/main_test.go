package pagetest_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/chromedp/chromedp"
)

// browser is shared by all tests. It is nil if Chromium is not installed.
var browser context.Context

// providerDir is the directory of the provider built for the test with Terraform.
var providerDir string

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "pagetest:", err)
		code = 1
	}
	os.Exit(code) //nolint:forbidigo // the main function of the tests
}

func run(m *testing.M) (int, error) {
	dir, err := os.MkdirTemp("", "paistrike-page-") //nolint:usetesting // there is no test yet
	if err != nil {
		return 1, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	providerDir = dir
	program, err := chromium()
	if err != nil {
		return m.Run(), nil // each test reports that it is skipped
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), slices.Concat(chromedp.DefaultExecAllocatorOptions[:], []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(program), chromedp.UserDataDir(filepath.Join(dir, "profile")), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("no-proxy-server", true),
		chromedp.Flag("disable-features", "site-per-process,Translate,OptimizationHints,MediaRouter"),
		chromedp.WSURLReadTimeout(startTimeout),
	})...)
	defer stop()
	ctx, end := chromedp.NewContext(allocator)
	defer end()
	if err := chromedp.Do(ctx); err != nil {
		return 1, fmt.Errorf("starting %s: %w", program, err)
	}
	browser = ctx
	return m.Run(), nil
}

func chromium() (string, error) {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", exec.ErrNotFound
}
