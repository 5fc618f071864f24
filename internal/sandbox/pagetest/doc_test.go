// Package pagetest_test tests the sandbox's "API Tokens" page in a real browser: headless
// Chromium, driven over its DevTools protocol. The tests of package sandbox cover what plain
// requests can show.
//
// All tests share one browser, each with its own profile. Every test fails on a console
// error, an exception, or a request to another origin. axe-core, which tools/axe-core
// downloads, checks WCAG 2.2 AA.
//
// Screenshots are written to .pictures, which git ignores. To regenerate the pictures that
// the README shows, run
//
//	go test ./internal/sandbox/pagetest -run TestPictureOfARotation -update
package pagetest_test
