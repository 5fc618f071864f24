package job

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// prSetDumpable is PR_SET_DUMPABLE of prctl(2).
const prSetDumpable = 4

// hideSecrets takes the secrets of this process out of reach of the command that it runs. The
// kernel shows the environment that a process was started with as /proc/PID/environ, however
// often the process changes its own copy, so the values are overwritten where the kernel reads
// them. Besides, the process is made not dumpable, so that no process of the same user without
// the right to trace reads its memory.
func hideSecrets() error {
	_, _, failed := syscall.RawSyscall(syscall.SYS_PRCTL, prSetDumpable, 0, 0)
	if err := overwriteEnvironment(); err != nil {
		return err
	}
	if failed != 0 {
		return failed
	}
	return nil
}

func overwriteEnvironment() error {
	start, end, err := environmentBlock()
	if err != nil {
		return err
	}
	memory, err := os.OpenFile("/proc/self/mem", os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer func() { _ = memory.Close() }() // what was written is there
	block := make([]byte, end-start)
	if _, err := memory.ReadAt(block, start); err != nil {
		return err
	}
	blank(block)
	_, err = memory.WriteAt(block, start)
	return err
}

// environmentBlock finds the environment in the memory of this process: env_start and env_end,
// the fields 50 and 51 of /proc/PID/stat, proc_pid_stat(5). The second field, the name of the
// program, may hold anything but ends with the last parenthesis.
func environmentBlock() (start, end int64, err error) {
	raw, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return 0, 0, err
	}
	text := string(raw)
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:]) // from the third on
	if len(fields) < 49 {
		return 0, 0, errors.New("/proc/self/stat has too few fields")
	}
	start, err = strconv.ParseInt(fields[47], 10, 64)
	if err != nil {
		return 0, 0, err
	}
	end, err = strconv.ParseInt(fields[48], 10, 64)
	if err != nil || start <= 0 || end <= start {
		return 0, 0, errors.New("the kernel does not say where the environment is")
	}
	return start, end, nil
}
