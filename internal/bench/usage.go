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

// usage is the resource usage of one command. Values from /proc are 0 on systems without it.
type usage struct {
	wall        time.Duration
	cpu         time.Duration // of the CLI and its providers
	providerCPU time.Duration
	serversCPU  time.Duration // of PAIStrike and Vault, if they run on this machine
	// Peak resident memory in bytes; the maximum over several providers.
	cliMemory, providerMemory uint64
}

// nextLook returns how long to wait before measuring a provider's memory again: a fiftieth of
// its time so far. The kernel keeps the peak, so only memory allocated after the last
// measurement can be missed. A measurement takes milliseconds, which must not affect the
// result.
func nextLook(ran time.Duration) time.Duration { return max(10*time.Millisecond, ran/50) }

// runMeasured runs and measures one command of the CLI.
func runMeasured(ctx context.Context, tf *tfcli.Workspace, args ...string) (usage, error) {
	cmd := exec.CommandContext(ctx, tf.Program, args...) //nolint:gosec // the program is the caller's choice
	cmd.Dir, cmd.Env = tf.Dir, tf.Environ()
	u, said, err := watch(cmd)
	if err != nil {
		return u, fmt.Errorf("%s %s: %w\n%s", filepath.Base(tf.Program), strings.Join(args, " "), err, said)
	}
	return u, nil
}

// watch runs a command, and returns its usage and output.
func watch(cmd *exec.Cmd) (u usage, output string, err error) {
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return u, "", err
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	look := time.NewTimer(0)
	defer look.Stop()
	providers := map[int]time.Duration{} // CPU time of each, by process ID
	for {
		select {
		case now := <-look.C:
			u.cliMemory = max(u.cliMemory, peakMemory(cmd.Process.Pid))
			for _, provider := range children(cmd.Process.Pid) {
				u.providerMemory = max(u.providerMemory, peakMemory(provider))
				providers[provider] = max(providers[provider], processorTime(provider))
			}
			look.Reset(nextLook(now.Sub(began)))
		case err := <-done:
			u.wall = time.Since(began)
			u.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
			for _, took := range providers {
				u.providerCPU += took
			}
			return u, said.String(), err
		}
	}
}

// children returns the child processes of a process. It searches all processes, because a Go
// program starts others from any thread, so the kernel's list of the main thread's children
// is incomplete.
func children(parent int) (found []int) {
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range files {
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if fields := stat(pid); err == nil && len(fields) > 1 && fields[1] == strconv.Itoa(parent) {
			found = append(found, pid)
		}
	}
	return found
}

// stat returns the fields of /proc/PID/stat from the state (field 3) on, see proc(5).
func stat(pid int) []string {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil
	}
	_, rest, _ := strings.Cut(string(raw), ") ") // the name in parentheses may contain spaces
	return strings.Fields(rest)
}

// tick is the unit of CPU time in Linux, on every platform that Go supports.
const tick = time.Second / 100

// processorTime returns the CPU time of a process so far, from fields 14 and 15 of proc(5).
func processorTime(pid int) time.Duration {
	fields := stat(pid)
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * tick
}

// peakMemory returns the peak resident memory of a process so far, in bytes.
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
