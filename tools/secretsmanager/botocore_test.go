package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Two official clients work with the server: the other tests use the SDK for Go, this one
// botocore. Its requests and answers are also checked against the model.
func TestBotocore(t *testing.T) {
	t.Parallel()
	const python = "/usr/bin/python3" // Debian's Python, which finds Debian's packages
	if err := exec.CommandContext(t.Context(), python, "-c", "import botocore.session").Run(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("botocore is missing, install python3-botocore: %v", err)
		}
		t.Skipf("NOT TESTED: botocore is missing, install python3-botocore: %v", err)
	}
	w := newWorld(t, iamConfig{})
	if err := w.clock.move(move{Real: true}); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), python, "testdata/botocore_client.py", w.url, adminID, adminSecret)
	cmd.Env = []string{"HOME=" + t.TempDir(), "AWS_EC2_METADATA_DISABLED=true"}
	said, err := cmd.CombinedOutput()
	if err != nil || !strings.HasPrefix(string(said), "all good") {
		t.Errorf("%v\n%s", err, said)
	}
}
