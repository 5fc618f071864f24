package cli

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"
)

// Confirm returns a function that asks a question on out and reports whether the answer from
// in is "yes". With yes it always returns true; otherwise, if in is not a terminal, false.
func Confirm(yes bool, in *os.File, out io.Writer) func(question string) bool {
	return func(question string) bool {
		if yes {
			return true
		}
		return isTerminal(in) && asked(question, in, out)
	}
}

// isTerminal reports whether a file is a terminal. It excludes the null device, which cron
// and containers use for stdin and which is a character device too.
func isTerminal(file *os.File) bool {
	info, err := file.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	nothing, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, nothing)
}

func asked(question string, in io.Reader, out io.Writer) bool {
	_, _ = fmt.Fprintf(out, "%s\nEnter \"yes\" to continue: ", question) // a write error cannot be reported
	line, _ := bufio.NewReader(in).ReadString('\n')
	return strings.TrimSpace(line) == "yes"
}
