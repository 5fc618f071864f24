package testparts

import (
	"os/exec"
	"testing"
)

// OPA returns the path of Open Policy Agent.
func OPA(t testing.TB) string {
	t.Helper()
	if path := program(t, "opa"); path != "" {
		return path
	}
	path, err := exec.LookPath("opa")
	if err != nil {
		missing(t, "there is no opa: tools/build opa builds one")
	}
	return path
}
