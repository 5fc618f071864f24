// Package pagetest_test looks at the sandbox's "API Tokens" page with a real
// browser: Debian's Chromium, headless, driven through its own protocol. What
// plain requests can show, the tests of package sandbox show.
//
// One browser serves all tests, each in a profile of its own. Every test fails on
// a console error, an exception, or a request to another origin. axe-core, which
// tools/axe-core fetches, looks for violations of WCAG 2.2 AA.
//
// Pictures of the page are left in .pictures, which git ignores. Those that the README
// shows are made anew, and put where it shows them, by
//
//	go test ./internal/sandbox/pagetest -run TestPictureOfARotation -update
package pagetest_test
