//go:build !linux

package job

// hideSecrets does nothing: other systems do not show the environment of a process to a
// command that it runs.
func hideSecrets() error { return nil }
