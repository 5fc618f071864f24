package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/tfcli"
)

// usage is what one command took.
type usage struct {
	wall time.Duration
	cpu  time.Duration // of the CLI and the provider together
	// Peak resident memory in bytes, 0 where the system does not tell (it is read from
	// /proc).
	cliMemory, providerMemory uint64
}

// lookEvery is how often the memory of a running provider is looked at. The kernel
// keeps the peak, so only what comes after the last look can be missed.
const lookEvery = 10 * time.Millisecond

// runMeasured runs one command of the CLI and watches it.
func runMeasured(ctx context.Context, tf *tfcli.Workspace, args ...string) (usage, error) {
	cmd := exec.CommandContext(ctx, tf.Program, args...) //nolint:gosec // the program is the caller's choice
	cmd.Dir, cmd.Env = tf.Dir, tf.Environ()
	u, said, err := watch(cmd)
	if err != nil {
		return u, fmt.Errorf("%s %s: %w\n%s", filepath.Base(tf.Program), strings.Join(args, " "), err, said)
	}
	return u, nil
}

// watch runs a command, and gives what it took and what it said.
func watch(cmd *exec.Cmd) (u usage, output string, err error) {
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return u, "", err
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		select {
		case <-look.C:
			u.cliMemory = max(u.cliMemory, peakMemory(cmd.Process.Pid))
			u.providerMemory = max(u.providerMemory, peakMemoryOfProviders(cmd.Process.Pid))
		case err := <-done:
			u.wall = time.Since(began)
			u.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
			return u, said.String(), err
		}
	}
}

// peakMemoryOfProviders is the largest peak among the children of a CLI.
func peakMemoryOfProviders(cli int) uint64 {
	listed, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", cli, cli))
	if err != nil || len(listed) == 0 {
		listed = childrenByParent(cli)
	}
	var peak uint64
	for field := range strings.FieldsSeq(string(listed)) {
		if child, err := strconv.Atoi(field); err == nil {
			peak = max(peak, peakMemory(child))
		}
	}
	return peak
}

// childrenByParent finds the children where the main thread did not start them: a Go
// program starts processes from whichever thread it likes.
func childrenByParent(parent int) []byte {
	var found []string
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		_, rest, _ := strings.Cut(string(raw), ") ") // the name in brackets may hold spaces
		fields := strings.Fields(rest)
		if len(fields) > 1 && fields[1] == strconv.Itoa(parent) {
			found = append(found, filepath.Base(filepath.Dir(file)))
		}
	}
	return []byte(strings.Join(found, " "))
}

// peakMemory is the peak resident memory of a process so far, in bytes.
func peakMemory(pid int) uint64 {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, rest, found := strings.Cut(string(raw), "VmHWM:")
	if !found {
		return 0
	}
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	kilobytes, err := strconv.ParseUint(fields[0], 10, 64)
	if err != nil {
		return 0
	}
	return kilobytes << 10
}
