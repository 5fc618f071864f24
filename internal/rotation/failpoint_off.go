//go:build !failpoints

package rotation

// failpoint marks the boundary between two steps. A build with the tag "failpoints",
// which only tests make, can end the process there.
func failpoint(string) {}
