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

// usage is what one command took. What comes from /proc is 0 if a system has none.
type usage struct {
	wall        time.Duration
	cpu         time.Duration // of the CLI and its providers together
	providerCPU time.Duration
	serversCPU  time.Duration // of PAIStrike and Vault, where they run on this machine
	// Peak resident memory in bytes; of several providers the largest.
	cliMemory, providerMemory uint64
}

// nextLook is how long to wait until the memory of a running provider is looked at
// again: a fiftieth of the time that it has run. The kernel keeps the peak, so only what
// comes after the last look can be missed; and a look costs some milliseconds, which
// what is measured must not feel.
func nextLook(ran time.Duration) time.Duration { return max(10*time.Millisecond, ran/50) }

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

// watch runs a command, and returns what it took and what it said.
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
	providers := map[int]time.Duration{} // the processor time of each, by process id
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

// children finds the processes that one has started. All processes are looked through: a
// Go program starts others from whichever thread it likes, so that the kernel's list of
// the main thread's children does not do.
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

// stat is what proc(5) lists of a process, from its state (field 3) on.
func stat(pid int) []string {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil
	}
	_, rest, _ := strings.Cut(string(raw), ") ") // the name in brackets may hold spaces
	return strings.Fields(rest)
}

// tick is the unit in which Linux counts processor time, on every machine that Go runs on.
const tick = time.Second / 100

// processorTime is what a process has used so far, by fields 14 and 15 of proc(5).
func processorTime(pid int) time.Duration {
	fields := stat(pid)
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * tick
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
