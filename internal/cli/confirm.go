package cli

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"
)

// Confirm returns how a person is asked: yes answers for them, and without a terminal nobody
// can. The question goes to out; only "yes", written out, is a yes.
func Confirm(yes bool, in *os.File, out io.Writer) func(question string) bool {
	return func(question string) bool {
		if yes {
			return true
		}
		return isTerminal(in) && asked(question, in, out)
	}
}

// isTerminal reports whether a person may be behind a file: cron and containers hand over
// the null device, which looks the same.
func isTerminal(file *os.File) bool {
	info, err := file.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	nothing, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, nothing)
}

func asked(question string, in io.Reader, out io.Writer) bool {
	_, _ = fmt.Fprintf(out, "%s\nOnly \"yes\" goes on: ", question) // nobody is left to tell
	line, _ := bufio.NewReader(in).ReadString('\n')
	return strings.TrimSpace(line) == "yes"
}
