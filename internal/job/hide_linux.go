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

// hideSecrets hides this process's secrets from the command that it runs. The kernel exposes
// the initial environment of a process in /proc/PID/environ even if the process changes its
// own copy, so hideSecrets overwrites the values there. It also makes the process
// non-dumpable, so that processes of the same user cannot read its memory without the
// permission to trace.
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
	defer func() { _ = memory.Close() }() // the data is already written
	block := make([]byte, end-start)
	if _, err := memory.ReadAt(block, start); err != nil {
		return err
	}
	blank(block)
	_, err = memory.WriteAt(block, start)
	return err
}

// environmentBlock returns the address range of this process's environment: env_start and
// env_end, fields 50 and 51 of /proc/PID/stat (see proc_pid_stat(5)). Field 2, the program
// name, may contain any character but ends at the last closing parenthesis.
func environmentBlock() (start, end int64, err error) {
	raw, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return 0, 0, err
	}
	text := string(raw)
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:]) // from field 3 on
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
