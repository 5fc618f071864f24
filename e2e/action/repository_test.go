package action_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/testparts"
	"github.com/paistrike/terraform-provider-paistrike/internal/tfcli"
)

// The workflow that uses the action from the checkout works unchanged: it builds the action,
// starts the sandbox, and runs all three actions in turn.
func TestWorkflowOfTheRepository(t *testing.T) {
	t.Parallel()
	root, err := tfcli.Repository()
	if err != nil {
		t.Fatal(err)
	}
	program := testparts.Act(t)
	dir := filepath.Join(t.TempDir(), "checkout")
	clone := exec.CommandContext(t.Context(), "git", "clone", "--quiet", root, dir) //nolint:gosec // our own checkout
	if said, err := clone.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	remote := exec.CommandContext(t.Context(), "git", "-C", dir, "remote", "set-url", "origin", "https://github.com/paistrike/terraform-provider-paistrike.git")
	if said, err := remote.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	// The launcher job needs other actions; its steps are tests that run here separately.
	args := []string{"workflow_dispatch", "-j", "token", "-W", ".github/workflows/action.yml", "-P", "ubuntu-latest=-self-hosted"}
	for name, value := range goEnvironment(t) { // reuse downloaded modules and build results
		args = append(args, "--env", name+"="+value)
	}
	cmd := exec.CommandContext(ctx, program, args...) //nolint:gosec // act
	cmd.Dir, cmd.Env = dir, []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}
	said, err := cmd.CombinedOutput()
	log := string(said)
	stopSandbox(t, log)
	if err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	for _, want := range []string{"minted, is available to later steps as PAISTRIKE_API_TOKEN", "0 rotated, 0 retired", "is revoked", "Job succeeded"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %q\n%s", want, log)
		}
	}
}

// stopSandbox stops the sandbox that the workflow has started, by the process ID in the log.
// GitHub's runner stops processes that a job leaves running; act does not.
func stopSandbox(t *testing.T, log string) {
	t.Helper()
	found := regexp.MustCompile(`The sandbox is process (\d+)\.`).FindStringSubmatch(log)
	if found == nil {
		t.Error("the log does not say which process the sandbox is")
		return
	}
	pid, err := strconv.Atoi(found[1])
	if err != nil {
		t.Fatal(err)
	}
	sandbox, err := os.FindProcess(pid)
	if err != nil {
		t.Fatal(err)
	}
	if err := sandbox.Signal(syscall.SIGTERM); err != nil {
		t.Errorf("the sandbox, process %d: %v", pid, err)
	}
}

// goEnvironment returns the Go settings and cache locations of this machine.
func goEnvironment(t *testing.T) map[string]string {
	t.Helper()
	values := map[string]string{}
	for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOPROXY", "GOFLAGS", "GONOSUMDB", "GOSUMDB", "GOTOOLCHAIN"} {
		out, err := exec.CommandContext(t.Context(), "go", "env", name).Output() //nolint:gosec // fixed names
		if err != nil {
			t.Fatal(err)
		}
		if value := strings.TrimSpace(string(out)); value != "" {
			values[name] = value
		}
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	values["PAISTRIKE_TOOLS_CACHE"] = filepath.Join(cache, "paistrike-tools")
	if given := os.Getenv("PAISTRIKE_TOOLS_CACHE"); given != "" {
		values["PAISTRIKE_TOOLS_CACHE"] = given
	}
	return values
}
