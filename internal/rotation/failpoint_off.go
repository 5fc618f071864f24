//go:build !failpoints

package rotation

// failpoint marks the boundary between two steps. In a build with the tag "failpoints",
// which only tests use, it can end the process there.
func failpoint(string) {}
