//go:build !linux

package job

// hideSecrets does nothing: other systems do not expose a process's environment to its
// children.
func hideSecrets() error { return nil }
